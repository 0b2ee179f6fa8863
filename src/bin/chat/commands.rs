//! The few commands that the client answers itself. Everything else that is typed goes to the
//! server. No I/O.

use crate::options::Address;

/// Each command as it is typed, and what it does.
pub(crate) const HELP: [&str; 6] = [
    "/bell [on|off]: rings when somebody writes to you or mentions your name",
    "/clear: clears the screen",
    "/connect [HOST[:PORT]]: goes to another server, or tries this one again now",
    "/help [COMMAND]: lists these commands and the server's, or explains one",
    "/log [FILE]: adds what is shown to FILE; without FILE, ends that",
    "/quit [WHY]: leaves; so do Ctrl-D and Ctrl-C",
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
    /// On, off, or the other of the two.
    Bell(Option<bool>),
    Clear,
    /// On, off, or the other of the two.
    Echo(Option<bool>),
    /// To that address, or here again.
    Connect(Option<Address>),
    /// All commands, or this one.
    Help(Option<&'a str>),
    /// Into this file, or no longer.
    Log(Option<&'a str>),
    /// The whole line is for the server too.
    Quit(&'a str),
    /// A command of ours, used wrongly: this is how.
    Wrong(String),
    /// `/panic`: a test shows that the terminal survives one.
    #[cfg(debug_assertions)]
    Panic,
}

/// Tells our own commands from what is the server's.
pub(crate) fn parse(line: &str) -> Typed<'_> {
    let (command, argument) = line.split_once(' ').unwrap_or((line, ""));
    let argument = Some(argument.trim()).filter(|argument| !argument.is_empty());
    match command {
        "/bell" => match argument {
            None | Some("on" | "off") => Typed::Bell(argument.map(|wish| wish == "on")),
            Some(_) => Typed::Wrong(format!("like this: {}", HELP[0])),
        },
        // Our own lines always come: so it is known which of them were said.
        "/echo" if matches!(argument, None | Some("on" | "off")) => {
            Typed::Echo(argument.map(|wish| wish == "on"))
        }
        "/clear" => Typed::Clear,
        "/connect" => match argument.map(Address::parse).transpose() {
            Ok(address) => Typed::Connect(address),
            Err(why) => Typed::Wrong(format!("{why:#}.")),
        },
        "/help" => Typed::Help(argument),
        "/log" => Typed::Log(argument),
        "/quit" => Typed::Quit(line),
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
        for line in ["hi", "/nick bob", "//help", " /help", "/bellow", "", "/"] {
            assert_eq!(parse(line), Typed::Send(line));
        }
        assert_eq!(parse("/bell"), Typed::Bell(None));
        assert_eq!(parse("/bell off"), Typed::Bell(Some(false)));
        assert!(matches!(parse("/bell loud"), Typed::Wrong(why) if why.contains("/bell [on|off]")));
        assert_eq!(parse("/help nick"), Typed::Help(Some("nick")));
        assert_eq!(parse("/log a file"), Typed::Log(Some("a file")));
        assert_eq!(parse("/quit gone fishing"), Typed::Quit("/quit gone fishing"));
        assert!(matches!(parse("/connect host:0"), Typed::Wrong(_)));
        assert_eq!(parse("/connect"), Typed::Connect(None));
        assert!(explain("bell").is_some() && explain("/bell").is_some());
        assert_eq!(explain("nick"), None);
    }
}
