//! Completion: what a half-typed word could become. No I/O, no editor; asked by the Tab key's handler on `main`.

use crate::commands;
use crate::known::Known;

/// Commands of chatd (docs/protocol.md), offered once the server says that it is one. Others are learnt from its /help.
const CHATD_COMMANDS: [&str; 42] = [
    "/announce",
    "/ask",
    "/away",
    "/back",
    "/ban",
    "/bans",
    "/echo",
    "/hand",
    "/hands",
    "/help",
    "/history",
    "/ignore",
    "/join",
    "/kick",
    "/leave",
    "/login",
    "/mail",
    "/me",
    "/msg",
    "/mute",
    "/names",
    "/nick",
    "/password",
    "/pause",
    "/quiet",
    "/quit",
    "/register",
    "/reply",
    "/resume",
    "/rooms",
    "/search",
    "/shutdown",
    "/threads",
    "/timestamps",
    "/topic",
    "/unban",
    "/unignore",
    "/unmute",
    "/unregister",
    "/who",
    "/whoami",
    "/whois",
];

/// What the word before the cursor could become, best first; and where that word begins.
pub fn complete(before: &str, known: &Known) -> (usize, Vec<String>) {
    let start = before
        .rfind(char::is_whitespace)
        .map_or(0, |at| at + before[at..].chars().next().map_or(0, char::len_utf8));
    let word = &before[start..];
    let found = match before[..start].split_whitespace().next() {
        None if word.starts_with('/') => commands_like(word, known),
        Some("/join") => like(word, known.rooms()),
        Some("/help") => {
            let slashed = format!("/{}", word.trim_start_matches('/'));
            commands_like(&slashed, known).iter().map(|command| command[1..].to_owned()).collect()
        }
        Some("/bell" | "/quiet" | "/timestamps" | "/echo") => like(word, ["on", "off"].into_iter()),
        _ if word.is_empty() => Vec::new(),
        _ => like(word, known.people()),
    };
    (start, found)
}

fn commands_like(word: &str, known: &Known) -> Vec<String> {
    let mut found = like(word, commands::names());
    found.extend(like(word, known.commands()));
    if known.is_chatd {
        found.extend(like(word, CHATD_COMMANDS.into_iter()));
    }
    found.sort();
    found.dedup();
    found
}

/// Those that begin with `word`, in any case of letters, in their order.
fn like<'a>(word: &str, all: impl Iterator<Item = &'a str>) -> Vec<String> {
    let begins = |candidate: &&str| {
        candidate.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    all.filter(begins).map(str::to_owned).collect()
}

/// Goes through the candidates as Tab is pressed again and again.
#[derive(Default)]
pub struct Cycle {
    candidates: Vec<String>,
    at: usize,
    /// The text before the completed word.
    head: String,
    /// What the last press made of the text before the cursor; if it is no longer that, a new cycle begins.
    made: String,
}

impl Cycle {
    /// One press: what stands before the cursor afterwards, or nothing if nothing fits.
    pub fn press(&mut self, before: &str, is_backward: bool, known: &Known) -> Option<String> {
        if self.candidates.is_empty() || before != self.made {
            let (start, candidates) = complete(before, known);
            let at = if is_backward { candidates.len().saturating_sub(1) } else { 0 };
            *self = Cycle { candidates, at, head: before[..start].to_owned(), made: String::new() };
        } else {
            let step = if is_backward { self.candidates.len() - 1 } else { 1 };
            self.at = (self.at + step) % self.candidates.len();
        }
        let candidate = self.candidates.get(self.at)?;
        self.made = format!("{}{candidate} ", self.head);
        Some(self.made.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::Line;

    fn known() -> Known {
        let mut known = Known::default();
        for line in [
            "*** Welcome to chatd: one thread per connection, and yours is c1.",
            "*** Hello alice. Type to talk.",
            "*** You are in lobby with Bob, bella and carol.",
            "<bella> hi",
            "*** dave left lobby (went to math)",
        ] {
            known.learn(&Line::new(line.to_owned()));
        }
        known
    }

    #[test]
    fn names_rooms_and_commands() {
        let known = known();
        let found = |before: &str| complete(before, &known).1;
        assert_eq!(found("b"), ["bella", "Bob"], "who spoke last first");
        assert_eq!(found("hi B"), ["bella", "Bob"]);
        assert_eq!(found("/msg c"), ["carol"]);
        assert_eq!(found("/join "), ["lobby", "math"]);
        assert_eq!(found("/jo"), ["/join"]);
        assert_eq!(found("/be"), ["/bell"]);
        assert_eq!(found("/help t"), ["threads", "timestamps", "topic"]);
        assert_eq!(found("hi "), [""; 0], "an empty word is no name");
        assert_eq!(found("日本"), [""; 0]);
    }

    #[test]
    fn a_plain_server_is_offered_our_commands_alone() {
        assert_eq!(
            complete("/", &Known::default()).1,
            ["/bell", "/clear", "/connect", "/help", "/log", "/quit"]
        );
    }

    #[test]
    fn tab_goes_round() {
        let (known, mut cycle) = (known(), Cycle::default());
        assert_eq!(cycle.press("hi b", false, &known).unwrap(), "hi bella ");
        assert_eq!(cycle.press("hi bella ", false, &known).unwrap(), "hi Bob ");
        assert_eq!(cycle.press("hi Bob ", false, &known).unwrap(), "hi bella ");
        assert_eq!(cycle.press("hi bella ", true, &known).unwrap(), "hi Bob ");
        assert_eq!(cycle.press("/j", false, &known).unwrap(), "/join ");
        assert_eq!(cycle.press("xyz", false, &known), None);
    }
}
