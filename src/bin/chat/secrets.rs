//! Passwords in what is typed: where one begins, and which lines are never remembered. No I/O.

use unicode_width::UnicodeWidthChar as _;

/// Commands behind which a password or a code stands, and how many words stand in between.
const COMMANDS: [(&str, usize); 5] =
    [("/login", 1), ("/password", 0), ("/passwd", 0), ("/register", 0), ("/instructor", 0)];

/// Commands behind which the server asks for a password. What is typed before it has is one already.
pub(crate) const ASKED_AFTER: [&str; 4] = ["/login", "/register", "/password", "/unregister"];

/// Whether what is typed behind these words would have to be hidden, or answers a question for a
/// password.
pub(crate) fn leads_to_secret(words: &str) -> bool {
    let command = words.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
    ASKED_AFTER.contains(&&*command) || hidden_from(&format!("{words} x y")).is_some()
}

/// From which byte on a typed line is not to be seen: behind `/login NAME `, say. Also if blanks
/// stand in front, where the server would take it for talk.
pub(crate) fn hidden_from(line: &str) -> Option<usize> {
    let start = line.len() - line.trim_start().len();
    let mut words = line[start..].split(char::is_whitespace);
    let command = words.next()?;
    let between = COMMANDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(command))?.1;
    let mut at = start + command.len();
    for _ in 0..between {
        at = behind_blanks(line, at)?;
        at += line[at..].find(char::is_whitespace)?;
    }
    behind_blanks(line, at)
}

/// Where the next word begins, or nothing, if no blank follows.
fn behind_blanks(line: &str, at: usize) -> Option<usize> {
    let rest = &line[at..];
    let blanks = rest.len() - rest.trim_start().len();
    (blanks > 0).then_some(at + blanks)
}

/// Whether a line may have a password in it. Not every such line has; better forgotten than
/// remembered.
pub(crate) fn carries_secret(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let Some(command) = words
        .next()
        .map(str::to_lowercase)
        .filter(|word| word.starts_with('/') && !word.starts_with("//"))
    else {
        return false;
    };
    let Some(first) = words.next() else { return false };
    let looks_like = |(name, _): &(&str, usize)| strsim::osa_distance(name, &command) <= 1;
    match &*command {
        "/nick" => words.next().is_some(),
        "/msg" | "/quote" if first.to_lowercase().ends_with("serv") => true,
        "/nickserv" | "/ns" | "/identify" | "/auth" | "/pass" | "/pw" => true,
        _ => COMMANDS.iter().any(looks_like),
    }
}

/// A line as it may be shown while it is typed: blanks of the same width stand for a password.
pub(crate) fn masked(line: &str) -> Option<String> {
    let at = hidden_from(line)?;
    Some(line[..at].to_owned() + &blanks(&line[at..]))
}

/// A line as it may be shown when it was typed: without what may be a password.
pub(crate) fn without(line: &str) -> String {
    match hidden_from(line) {
        Some(at) => line[..at].to_owned() + "…",
        None if carries_secret(line) => {
            line.split_whitespace().next().unwrap_or_default().to_owned() + " …"
        }
        None => line.to_owned(),
    }
}

/// Blanks that are as wide as a text.
pub(crate) fn blanks(text: &str) -> String {
    let blank =
        |c: char| if c == '\n' { "\n".to_owned() } else { " ".repeat(c.width().unwrap_or(0)) };
    text.chars().map(blank).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_hidden_from_its_first_letter_on() {
        for (line, seen) in [
            ("/login alice hunter22", "/login alice "),
            ("/login alice ", "/login alice "),
            ("  /LOGIN\talice  hunter22", "  /LOGIN\talice  "),
            ("/register hunter22 again", "/register "),
            ("/passwd x", "/passwd "),
            ("/instructor K7MQ-2R4T", "/instructor "),
        ] {
            assert_eq!(hidden_from(line).map(|at| &line[..at]), Some(seen), "{line:?}");
        }
        for line in ["", "hi", "/login", "/login alice", "/logins a b", "login a b", "/nick a b"] {
            assert_eq!(hidden_from(line), None, "{line:?}");
        }
        assert_eq!(masked("/register 日x").as_deref(), Some("/register    "));
        assert_eq!(without("/login alice hunter22"), "/login alice …");
        assert_eq!(without("/lgoin alice hunter22"), "/lgoin …");
        assert_eq!(without("I like hunters"), "I like hunters");
    }

    #[test]
    fn a_command_with_a_password_is_known_however_it_is_written() {
        for line in [
            "/register hunter22",
            "/Register hunter22",
            "/LOGIN alice hunter22",
            "/login\thunter22",
            "  /login alice hunter22",
            "/instructor K7MQ-2R4T",
            "/passwrd hunter22",
            "/lgoin alice hunter22",
            "/nick alice hunter22",
            "/msg NickServ identify hunter22",
        ] {
            assert!(carries_secret(line), "{line:?}");
        }
        for line in [
            "/register",
            "hi",
            "//login x",
            "",
            "/nick bob",
            "/msg bob hi",
            "/join math",
            "login x",
        ] {
            assert!(!carries_secret(line), "{line:?}");
        }
    }
}
