//! The few commands that the client answers itself. Everything else that is typed goes to the server. No I/O.

use crate::options::Address;

/// A command, and what it does.
pub struct Help {
    /// With its slash.
    pub name: &'static str,
    /// As it is typed, and what it does.
    pub text: &'static str,
}

/// The table that /help shows and Tab completes from.
pub const TABLE: [Help; 6] = [
    Help {
        name: "/bell",
        text: "/bell [on|off]: rings when somebody writes to you or mentions your name",
    },
    Help { name: "/clear", text: "/clear: clears the screen" },
    Help {
        name: "/connect",
        text: "/connect [HOST[:PORT]]: goes to another server, or tries this one again now",
    },
    Help {
        name: "/help",
        text: "/help [COMMAND]: lists these commands and the server's, or explains one",
    },
    Help { name: "/log", text: "/log [FILE]: adds what is shown to FILE; without FILE, ends that" },
    Help { name: "/quit", text: "/quit [WHY]: leaves; so do Ctrl-D and Ctrl-C" },
];

/// The commands' names.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|help| help.name)
}

/// What a typed line asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Typed<'a> {
    /// Text or a command for the server.
    Send(&'a str),
    /// `/bell`: on, off or the other.
    Bell(Option<bool>),
    /// `/clear`
    Clear,
    /// `/connect`: there, or here again.
    Connect(Option<Address>),
    /// `/help`: all, or this command.
    Help(Option<&'a str>),
    /// `/log`: into this file, or no longer.
    Log(Option<&'a str>),
    /// `/quit`: the whole line is for the server too.
    Quit(&'a str),
    /// A command of ours, used wrongly: this is how.
    Wrong(String),
    /// `/panic`, in debug builds: shows that the terminal survives one. A test uses it.
    #[cfg(debug_assertions)]
    Panic,
}

/// Tells our own commands from what is the server's.
pub fn parse(line: &str) -> Typed<'_> {
    let (command, argument) =
        line.split_once(' ').map_or((line, ""), |(command, rest)| (command, rest.trim()));
    let argument_or_none = (!argument.is_empty()).then_some(argument);
    match command {
        "/bell" => match argument {
            "" => Typed::Bell(None),
            "on" => Typed::Bell(Some(true)),
            "off" => Typed::Bell(Some(false)),
            _ => wrong("/bell"),
        },
        "/clear" => Typed::Clear,
        "/connect" => match argument_or_none.map(Address::parse) {
            None => Typed::Connect(None),
            Some(Ok(address)) => Typed::Connect(Some(address)),
            Some(Err(why)) => Typed::Wrong(format!("{why:#}.")),
        },
        "/help" => Typed::Help(argument_or_none),
        "/log" => Typed::Log(argument_or_none),
        "/quit" => Typed::Quit(line),
        #[cfg(debug_assertions)]
        "/panic" => Typed::Panic,
        _ => Typed::Send(line),
    }
}

fn wrong(name: &str) -> Typed<'static> {
    Typed::Wrong(format!("like this: {}", explain(name).unwrap_or_default()))
}

/// What one of our commands does; with or without its slash.
pub fn explain(command: &str) -> Option<&'static str> {
    let command = command.trim_start_matches('/');
    TABLE.iter().find(|help| &help.name[1..] == command).map(|help| help.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_commands_are_kept_from_the_server() {
        for line in ["hi", "/nick bob", "//help", " /help", "/bellow", "", "/"] {
            assert_eq!(parse(line), Typed::Send(line));
        }
        assert_eq!(parse("/bell"), Typed::Bell(None));
        assert_eq!(parse("/bell off"), Typed::Bell(Some(false)));
        assert!(matches!(parse("/bell loud"), Typed::Wrong(_)));
        assert_eq!(parse("/help nick"), Typed::Help(Some("nick")));
        assert_eq!(parse("/log a file"), Typed::Log(Some("a file")));
        assert_eq!(parse("/quit gone fishing"), Typed::Quit("/quit gone fishing"));
        assert!(matches!(parse("/connect host:0"), Typed::Wrong(_)));
        assert_eq!(parse("/connect"), Typed::Connect(None));
        assert!(
            explain("bell").is_some() && explain("/bell").is_some() && explain("nick").is_none()
        );
    }
}
