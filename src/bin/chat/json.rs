//! What a program reads of the chat (`--json`): one object in each line. No I/O, no clock.

use crate::server_line::{LineKind, ServerLine};
use chatd::core::wire::sanitize::replace_controls;
use serde_json::{Value, json};

/// A line of the server's, which came at this time. Fields that say nothing are left out.
pub(crate) fn line(line: &ServerLine, at: jiff::Timestamp) -> String {
    let kind = match line.kind {
        LineKind::Sentence => "server",
        LineKind::Say => "say",
        LineKind::Act => "act",
        LineKind::PrivateFrom => "from",
        LineKind::PrivateTo => "to",
        LineKind::Plain => "plain",
    };
    let mut object = json!({
        "line": line.text,
        "kind": kind,
        "text": line.body(),
        "at": at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    });
    if !line.name().is_empty() {
        object["name"] = line.name().into();
    }
    if !line.time().is_empty() {
        object["time"] = line.time().trim_matches(['(', '[', ')', ']', ' ']).into();
    }
    if line.is_past {
        object["past"] = true.into();
    }
    object.to_string()
}

/// A note, as the server wrote it; without the token by which its owner may come back, since what a
/// program reads is often kept.
pub(crate) fn note(text: &str) -> String {
    let text = replace_controls(text);
    let mut note = harmless(serde_json::from_str(&text).unwrap_or_default());
    if let Some(note) = note.as_object_mut() {
        note.remove("resume");
    }
    json!({ "note": note }).to_string()
}

/// JSON can hide in a text what a terminal would obey: "\u001b", "\u202e".
fn harmless(value: Value) -> Value {
    let text = |text: String| replace_controls(&text).into_owned();
    match value {
        Value::String(it) => Value::String(text(it)),
        Value::Array(all) => all.into_iter().map(harmless).collect(),
        Value::Object(all) => {
            all.into_iter().map(|(key, value)| (text(key), harmless(value))).collect()
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_notes_are_objects() {
        let told = |text: &str| {
            let at = jiff::Timestamp::from_second(1_795_843_800).unwrap();
            serde_json::from_str::<Value>(&line(&ServerLine::new(text.as_bytes()), at)).unwrap()
        };
        let at = "2026-11-28T05:30:00Z";
        assert_eq!(
            told("<@bob> say \"hi\"\t\x1b[2J"),
            json!({"line": "<@bob> say \"hi\"\t\u{fffd}[2J", "kind": "say", "name": "bob", "text": "say \"hi\"\t\u{fffd}[2J", "at": at})
        );
        assert_eq!(
            told("(12:10) [from bob] psst"),
            json!({"line": "(12:10) [from bob] psst", "kind": "from", "name": "bob", "text": "psst", "time": "12:10", "past": true, "at": at})
        );
        for (text, kind) in
            [("*** hi", "server"), ("* bob waves", "act"), ("[to bob] x", "to"), ("", "plain")]
        {
            assert_eq!(told(text)["kind"], kind);
        }
        for name in ["bob\u{9b}", "bob\\u009b", "bob\\u202e", "bob\\u001b", "bob\\n"] {
            let told = note(&format!("{{\"{name}\":[{{\"+\":\"{name}\"}},7]}}"));
            let harmless = "{\"note\":{\"bob\u{fffd}\":[{\"+\":\"bob\u{fffd}\"},7]}}";
            assert_eq!(told, harmless, "{name}");
        }
    }
}
