//! Completion: what a half-typed word could become. No I/O, no editor; asked by the Tab key's
//! handler on `main`.

use crate::{
    commands,
    known::Known,
    settings::{Key, Settings},
};
use chatd::core::commands::Table;

/// What words are completed from.
#[derive(Clone, Copy)]
pub(crate) struct Words<'a> {
    pub(crate) known: &'a Known,
    pub(crate) settings: &'a Settings,
    /// Paths that begin so.
    pub(crate) files: fn(&str) -> Vec<String>,
}

/// What the word before the cursor could become, best first; and where that word begins.
fn complete(before: &str, words: Words<'_>) -> (usize, Vec<String>) {
    let (known, settings) = (words.known, words.settings);
    let is_blank = |(_, c): &(usize, char)| c.is_whitespace();
    let start =
        before.char_indices().rfind(is_blank).map_or(0, |(at, blank)| at + blank.len_utf8());
    let word = &before[start..];
    let command = before[..start].split_whitespace().next().unwrap_or_default();
    let found = match &*settings.expand(command) {
        "" if word.starts_with('/') => commands_like(word, known, settings),
        "/log" => {
            let path = before[command.len()..].trim_start();
            return (before.len() - path.len(), (words.files)(path));
        }
        "/set" if before[..start].trim() == command => like(word, Key::names()),
        "/join" => like(word, known.rooms()),
        "/help" => {
            let with_slash = format!("/{}", word.trim_start_matches('/'));
            commands_like(&with_slash, known, settings)
                .iter()
                .map(|name| name[1..].to_owned())
                .collect()
        }
        "/bell" | "/quiet" | "/timestamps" | "/echo" | "/set" => {
            like(word, ["on", "off"].into_iter())
        }
        // What stands in front of a name is no part of it.
        _ => {
            let mark = word.len() - word.trim_start_matches(['@', '(', '"', '\'']).len();
            let (mark, name) = word.split_at(mark);
            let found = if name.is_empty() { Vec::new() } else { like(name, known.people()) };
            found.into_iter().map(|name| format!("{mark}{name}")).collect()
        }
    };
    (start, found)
}

fn commands_like(word: &str, known: &Known, settings: &Settings) -> Vec<String> {
    // Offered once the server says that it is a chatd.
    let table = known.is_chatd.then(Table::default).into_iter().flat_map(Table::rows);
    let of_chatd: Vec<String> = table.map(|row| format!("/{}", row.name)).collect();
    let aliases: Vec<String> = settings.aliases().map(|(name, _)| name).collect();
    let others = of_chatd.iter().chain(&aliases).map(String::as_str);
    let mut found = like(word, commands::names().chain(others));
    found.sort();
    found.dedup();
    found
}

/// Those that begin with `word`, in any case of letters, in their order.
fn like<'a>(word: &str, all: impl Iterator<Item = &'a str>) -> Vec<String> {
    let begins = |candidate: &&str| {
        let (mut letters, mut wanted) = (candidate.chars(), word.chars());
        wanted.all(|c| letters.next().is_some_and(|l| l.to_lowercase().eq(c.to_lowercase())))
    };
    all.filter(begins).map(str::to_owned).collect()
}

/// Goes through the candidates as Tab is pressed again and again.
#[derive(Default)]
pub(crate) struct Cycle {
    candidates: Vec<String>,
    at: usize,
    /// The text before the completed word.
    head: String,
    /// What the last press made of the text before the cursor; if it is no longer that, a new cycle
    /// begins.
    made: String,
}

impl Cycle {
    /// One press: what stands before the cursor afterwards, or nothing if nothing fits.
    pub(crate) fn press(
        &mut self,
        before: &str,
        is_backward: bool,
        words: Words<'_>,
    ) -> Option<String> {
        let is_folder = self.candidates.len() == 1 && self.made.ends_with('/'); // what is in it?
        if self.candidates.is_empty() || is_folder || before != self.made {
            let (start, candidates) = complete(before, words);
            let at = if is_backward { candidates.len().saturating_sub(1) } else { 0 };
            *self = Cycle { candidates, at, head: before[..start].to_owned(), made: String::new() };
        } else {
            let step = if is_backward { self.candidates.len() - 1 } else { 1 };
            self.at = (self.at + step) % self.candidates.len();
        }
        let candidate = self.candidates.get(self.at)?;
        let is_name = self.head.is_empty() && !candidate.starts_with(['/', '@', '(', '"', '\'']);
        let end = match is_name {
            true => ": ", // a line that begins with a name speaks to it
            false if candidate.ends_with('/') => "",
            false => " ",
        };
        self.made = format!("{}{candidate}{end}", self.head);
        Some(self.made.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::known::tests::taught;

    fn known() -> Known {
        taught(&[
            "*** Welcome to chatd: one thread per connection, and yours is c1.",
            r#"{"in":"alice"}"#,
            r#"{"room":"lobby","here":["alice","Bob","bella","carol"]}"#,
            "<bella> hi",
            "***   math                    1 here",
        ])
    }

    fn files(path: &str) -> Vec<String> {
        like(path, ["a b.txt", "notes/", "notes/today"].into_iter())
    }

    #[test]
    fn names_rooms_and_commands() {
        let (known, mut settings) = (known(), Settings::default());
        settings.add_alias("jj", "/join").unwrap();
        let words = Words { known: &known, settings: &settings, files };
        let found = |before: &str| complete(before, words).1;
        assert_eq!(found("/jj m"), ["math"]);
        assert_eq!(found("/set be"), ["bell"]);
        assert_eq!(found("/set bell o"), ["on", "off"]);
        assert_eq!(found("/log  a b"), ["a b.txt"]);
        assert_eq!(found("b"), ["bella", "Bob"], "whoever spoke last first");
        assert_eq!(found("hi B"), ["bella", "Bob"]);
        assert_eq!(found("hi @BE"), ["@bella"]);
        assert_eq!(found("(b"), ["(bella", "(Bob"]);
        assert_eq!(found("/msg c"), ["carol"]);
        assert_eq!(found("/join "), ["lobby", "math"]);
        assert_eq!(found("/j"), ["/jj", "/join"]);
        assert_eq!(found("/be"), ["/bell"]);
        assert_eq!(found("/help t"), ["threads", "timestamps", "topic"]);
        assert_eq!(found("hi "), [""; 0], "an empty word is no name");
        assert_eq!(found("日本"), [""; 0]);
    }

    #[test]
    fn a_plain_server_is_offered_our_commands_alone() {
        let (known, settings) = (Known::default(), Settings::default());
        let words = Words { known: &known, settings: &settings, files };
        assert_eq!(
            complete("/", words).1,
            [
                "/again", "/bell", "/clear", "/connect", "/find", "/help", "/log", "/query",
                "/quit", "/save", "/set"
            ]
        );
    }

    #[test]
    fn tab_goes_round() {
        let (known, settings, mut cycle) = (known(), Settings::default(), Cycle::default());
        let words = Words { known: &known, settings: &settings, files };
        let mut press = |before, is_backward| cycle.press(before, is_backward, words);
        assert_eq!(press("hi b", false).as_deref(), Some("hi bella "));
        assert_eq!(press("hi bella ", false).as_deref(), Some("hi Bob "));
        assert_eq!(press("hi Bob ", false).as_deref(), Some("hi bella "));
        assert_eq!(press("hi bella ", true).as_deref(), Some("hi Bob "));
        assert_eq!(press("/j", false).as_deref(), Some("/join "));
        assert_eq!(press("ca", false).as_deref(), Some("carol: "));
        assert_eq!(press("xyz", false), None);
        assert_eq!(press("/log notes/t", false).as_deref(), Some("/log notes/today "));
    }
}
