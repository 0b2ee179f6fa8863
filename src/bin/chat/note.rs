//! Notes: what a chatd tells programs beside the lines that people read, as JSON (docs/protocol.md,
//! "For programs"). No I/O, no state. What a note does not say, or says otherwise than expected, is
//! left out: a server may be newer than we are.

use chatd::core::wire::sanitize::replace_controls;
use serde_json::Value;

/// The longest note, in bytes: a room of a thousand names has 90 KiB.
const NOTE_MAX: usize = 256 * 1024;

/// What the server waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    Name,
    /// To be typed unseen.
    Password,
}

/// One note.
#[derive(Debug)]
pub(crate) struct Note(Value);

/// What a text is that begins with `{`.
pub(crate) enum Read {
    Note(Note),
    /// The beginning of one.
    Begun,
    /// No note.
    Text,
}

pub(crate) fn read(text: &str) -> Read {
    match serde_json::from_str(text) {
        Ok(value @ Value::Object(_)) => Read::Note(Note(value)),
        Err(e) if e.is_eof() && text.starts_with('{') && text.len() < NOTE_MAX => Read::Begun,
        Ok(_) | Err(_) => Read::Text,
    }
}

impl Note {
    pub(crate) fn has(&self, key: &str) -> bool {
        self.0.get(key).is_some()
    }

    pub(crate) fn text(&self, key: &str) -> Option<String> {
        self.0.get(key).and_then(harmless)
    }

    pub(crate) fn texts(&self, key: &str) -> impl Iterator<Item = String> {
        self.0[key].as_array().into_iter().flatten().filter_map(harmless)
    }

    pub(crate) fn number(&self, key: &str) -> Option<u64> {
        self.0.get(key).and_then(Value::as_u64)
    }

    pub(crate) fn pair(&self, key: &str) -> Option<(u64, u64)> {
        let pair = self.0.get(key)?;
        pair.get(0)?.as_u64().zip(pair.get(1)?.as_u64())
    }

    pub(crate) fn is_true(&self, key: &str) -> bool {
        self.0[key] == true
    }

    /// What the next line will be taken for.
    pub(crate) fn question(&self) -> Option<Question> {
        match self.0["ask"].as_str()? {
            "name" => Some(Question::Name),
            "password" => Some(Question::Password),
            _ => None,
        }
    }
}

/// A text of the server's, made harmless: JSON can hide in it what a terminal would obey.
fn harmless(value: &Value) -> Option<String> {
    value.as_str().map(|text| replace_controls(text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_note_says() {
        let Read::Note(note) = read(
            r#"{"room":"math","topic":null,"here":["a",7,"b"],"last":9,"ask":"password","new":true,"flood":[32,8],"x":"\u001b[2J\u202e"}"#,
        ) else {
            panic!("it is a note")
        };
        assert_eq!((note.text("room").as_deref(), note.text("topic")), (Some("math"), None));
        assert_eq!(note.texts("here").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!((note.number("last"), note.number("room")), (Some(9), None));
        assert_eq!((note.pair("flood"), note.pair("last")), (Some((32, 8)), None));
        assert_eq!(note.question(), Some(Question::Password));
        assert!(note.has("topic") && !note.has("by") && note.is_true("new") && !note.is_true("x"));
        assert_eq!(note.text("x").as_deref(), Some("\u{fffd}[2J\u{fffd}"));
    }

    #[test]
    fn half_a_note_and_no_note() {
        assert!(matches!(read(r#"{"room":"math","here":["a"#), Read::Begun));
        for text in ["{x}", "{\"a\":1} and more", "hello", "", "7"] {
            assert!(matches!(read(text), Read::Text), "{text}");
        }
    }
}
