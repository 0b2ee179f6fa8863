//! JSON objects, one a line: the notes to programs, and `chatd history export --json`. Whatever is
//! quoted is quoted here.

use serde_json::Value;

/// An object that is one line. Its members stand in the order in which they are added.
pub struct Object(String);

impl Object {
    /// An object with this member.
    pub fn of(name: &str, value: impl Into<Value>) -> Object {
        Object("{".to_owned()).and(name, value)
    }

    /// With this member, too.
    #[must_use]
    pub fn and(mut self, name: &str, value: impl Into<Value>) -> Object {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push_str(&format!("{}:{}", Value::from(name), value.into()));
        self
    }

    /// With this member, too, if there is a value.
    #[must_use]
    pub fn and_some(self, name: &str, value: Option<impl Into<Value>>) -> Object {
        match value {
            Some(value) => self.and(name, value),
            None => self,
        }
    }

    /// The line, with its end.
    pub fn line(mut self) -> String {
        self.0.push_str("}\n");
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_one_line_whatever_is_in_it() {
        let object = Object::of("a\"", "b\n\\\u{1b}").and("n", 1).and("none", None::<&str>);
        let line = object.and_some("out", None::<i32>).and_some("in", Some(true)).line();
        assert_eq!(line, "{\"a\\\"\":\"b\\n\\\\\\u001b\",\"n\":1,\"none\":null,\"in\":true}\n");
    }
}
