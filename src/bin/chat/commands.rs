//! The few commands that the client answers itself. Everything else that is typed goes to the
//! server. No I/O.

use crate::{address::Target, secrets};

/// Each command as it is typed, and what it does.
pub(crate) const HELP: [&str; 11] = [
    "/again: sends what was typed and did not arrive",
    "/bell [on|off]: rings when somebody writes to you or mentions your name",
    "/clear: clears the screen",
    "/connect [HOST[:PORT]]: goes to another server, or tries this one again now",
    "/find [TEXT]: shows the latest line that has it; without TEXT, the one before",
    "/help [COMMAND]: lists these commands and the server's, or explains one",
    "/log [FILE]: adds what is shown to FILE; without FILE, ends that",
    "/query [NAME]: what you type goes to NAME alone; without NAME, to the room again",
    "/quit [WHY]: leaves; so does Ctrl-D",
    "/save: keeps in your file what /set has changed",
    "/set [KEY [VALUE]]: shows the settings, explains one, or changes it until you leave",
];

/// What people type to leave other programs.
const LEAVING_WORDS: [&str; 8] = ["exit", "quit", "bye", "logout", ":q", ":q!", ":wq", ":x"];

/// What other chat programs obey themselves, and what does it here.
const OF_OTHERS: [(&str, &str); 12] = [
    ("/buffer", "Alt-1 to Alt-9 and Ctrl-N go to windows; /query NAME opens one"),
    ("/disconnect", "/quit [WHY] leaves"),
    ("/last", "/find TEXT looks in what was shown, and /search WORDS in all that was said"),
    ("/lastlog", "/find TEXT looks in what was shown, and /search WORDS in all that was said"),
    ("/q", "/query NAME opens the window of a talk; /quit [WHY] leaves"),
    ("/reconnect", "/connect tries this server again now"),
    ("/scrollback", "PageUp scrolls, and /clear clears the screen"),
    ("/server", "/connect HOST [PORT] goes to another server"),
    ("/wc", "Alt-1 to Alt-9 and Ctrl-N go to windows; /query NAME opens one"),
    ("/win", "Alt-1 to Alt-9 and Ctrl-N go to windows; /query NAME opens one"),
    ("/window", "Alt-1 to Alt-9 and Ctrl-N go to windows; /query NAME opens one"),
    ("/exec", "nothing that is typed here is given to a shell"),
];

/// The commands' names, with their slash.
pub(crate) fn names<'a>() -> impl Iterator<Item = &'a str> {
    HELP.iter().filter_map(|help| help.split([' ', ':']).next())
}

/// What one of our commands does; with or without its slash.
pub(crate) fn explain(command: &str) -> Option<&'static str> {
    let command = command.trim_start_matches('/');
    names().zip(HELP).find(|(name, _)| &name[1..] == command).map(|(_, help)| help)
}

/// What a typed line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Typed<'a> {
    /// Text or a command for the server.
    Send(&'a str),
    /// What did not arrive.
    Again,
    /// On, off, or the other of the two.
    Bell(Option<bool>),
    Clear,
    /// On, off, or the other of the two.
    Echo(Option<bool>),
    /// To that address, or here again.
    Connect(Option<Target>),
    Find(Option<&'a str>),
    Query(Option<&'a str>),
    /// All commands, or this one.
    Help(Option<&'a str>),
    /// Into this file, or no longer.
    Log(Option<&'a str>),
    /// Keep what was set.
    Save,
    /// All settings, this one, or a value for it.
    Set(Option<(&'a str, Option<&'a str>)>),
    /// The whole line is for the server too.
    Quit(&'a str),
    /// A command of ours, used wrongly: this is how. Or a line that nobody can have meant to say.
    Wrong(String),
    /// A word that leaves other programs: what leaves this one. Typed again, it is said.
    Word(String),
    /// `/panic`: a test shows that the terminal survives one.
    #[cfg(debug_assertions)]
    Panic,
}

/// Whether a line is for the server to obey, and not to be said.
pub(crate) fn is_command(line: &str) -> bool {
    line.starts_with('/') && !line.starts_with("//")
}

/// Tells our own commands, in any case of letters, from what is the server's.
pub(crate) fn parse(line: &str) -> Typed<'_> {
    let (command, argument) = line.split_once(' ').unwrap_or((line, ""));
    let argument = Some(argument.trim()).filter(|argument| !argument.is_empty());
    if LEAVING_WORDS.iter().any(|word| line.trim().eq_ignore_ascii_case(word)) {
        let why = format!("not sent: /quit leaves. To say {:?}, type it again.", line.trim());
        return Typed::Word(why);
    }
    if let Some(room) = line.trim().strip_prefix('#')
        && room.starts_with(char::is_alphabetic)
        && !room.contains(char::is_whitespace)
    {
        let why = format!(
            "not sent: /join {room} goes to that room. To say {:?}, type it again.",
            line.trim()
        );
        return Typed::Word(why);
    }
    if let Some((_, here)) = OF_OTHERS.iter().find(|(name, _)| name.eq_ignore_ascii_case(command)) {
        return Typed::Wrong(format!("there is no {command} here: {here}."));
    }
    if line.starts_with(char::is_whitespace) && secrets::carries_secret(line) {
        let why = "not sent: a blank stands in front of it, so everybody would read it.";
        return Typed::Wrong(why.to_owned());
    }
    match &*command.to_ascii_lowercase() {
        "/again" => Typed::Again,
        "/bell" => match argument {
            None | Some("on" | "off") => Typed::Bell(argument.map(|wish| wish == "on")),
            Some(_) => Typed::Wrong(format!("like this: {}", HELP[1])),
        },
        // Our own lines always come: so it is known which of them were said.
        "/echo" if matches!(argument, None | Some("on" | "off")) => {
            Typed::Echo(argument.map(|wish| wish == "on"))
        }
        "/clear" => Typed::Clear,
        "/connect" => match argument.map(|to| Target::parse(&to.replace(' ', ":"))).transpose() {
            Ok(target) => Typed::Connect(target),
            Err(why) => Typed::Wrong(format!("{why:#}.")),
        },
        "/find" => Typed::Find(argument),
        "/query" if argument.is_none_or(|name| !name.contains(' ')) => Typed::Query(argument),
        "/help" => Typed::Help(argument),
        "/log" => Typed::Log(argument),
        "/quit" => Typed::Quit(line),
        "/save" => Typed::Save,
        "/set" => Typed::Set(argument.map(|set| match set.split_once([' ', '=']) {
            Some((key, value)) => (key, Some(value.trim_start_matches(['=', ' ']))),
            None => (set, None),
        })),
        #[cfg(debug_assertions)]
        "/panic" => Typed::Panic,
        _ => Typed::Send(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_commands_do_not_go_to_the_server() {
        for line in ["hi", "/nick bob", "//help", " /help", "/bellow", "", "/", "exit now"] {
            assert_eq!(parse(line), Typed::Send(line));
        }
        assert_eq!(parse("/bell"), Typed::Bell(None));
        assert_eq!(parse("/bell off"), Typed::Bell(Some(false)));
        assert!(matches!(parse("/bell loud"), Typed::Wrong(why) if why.contains("/bell [on|off]")));
        assert_eq!(parse("/help nick"), Typed::Help(Some("nick")));
        assert_eq!(parse("/log a file"), Typed::Log(Some("a file")));
        assert_eq!(parse("/set"), Typed::Set(None));
        assert_eq!(parse("/set bell"), Typed::Set(Some(("bell", None))));
        for line in ["/set bell on", "/set bell = on", "/SET bell=on"] {
            assert_eq!(parse(line), Typed::Set(Some(("bell", Some("on")))));
        }
        assert_eq!(parse("/quit gone fishing"), Typed::Quit("/quit gone fishing"));
        assert!(matches!(parse("/connect host:0"), Typed::Wrong(_)));
        assert_eq!(parse("/connect"), Typed::Connect(None));
        for line in ["/BELL", "/Bell"] {
            assert_eq!(parse(line), Typed::Bell(None));
        }
        let Typed::Connect(Some(to)) = parse("/connect telnet://h 6000") else { panic!() };
        assert_eq!(to.address(false).to_string(), "h:6000");
        assert!(explain("bell").is_some() && explain("/bell").is_some());
        assert_eq!(explain("nick"), None);
    }

    #[test]
    fn what_nobody_means_to_say_is_not_said() {
        for word in ["exit", "QUIT", ":q", " :wq "] {
            assert!(matches!(parse(word), Typed::Word(why) if why.contains("/quit leaves")));
        }
        assert!(matches!(parse("#math"), Typed::Word(why) if why.contains("/join math")));
        for line in ["#1", "#", "#math is hard", "##"] {
            assert_eq!(parse(line), Typed::Send(line));
        }
        assert!(matches!(parse("/WIN 2"), Typed::Wrong(why) if why.contains("Alt-1")));
        for line in [" /login alice hunter22", "\t/register hunter22"] {
            assert!(matches!(parse(line), Typed::Wrong(why) if why.contains("everybody")));
        }
    }
}
