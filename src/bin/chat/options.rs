//! The command line: options and their help. No I/O; runs on `main`, once.

use crate::address::{Address, DEFAULT_HOST, Target};
use anyhow::{Result, bail};
use argh::FromArgs;
use chatd::server::number::whole_number;

/// The longest `--wait`, in seconds.
const WAIT_MAX: u64 = 24 * 60 * 60;

/// Behind every complaint about the command line.
const HINT: &str = "Like this: chat HOST PORT, or chat HOST:PORT --name NAME. \
                    chat --help has all options.";

/// Talk on a chat server, from the terminal or through a pipe.
#[derive(FromArgs, Debug)]
#[argh(help_triggers("-h", "--help"))]
pub(crate) struct Options {
    /// the server: HOST, HOST PORT, HOST:PORT, NAME@HOST or chat://NAME@HOST:PORT/ROOM (default
    /// localhost 5000)
    #[argh(positional)]
    pub(crate) server: Vec<String>,

    /// the name to enter under; asked for if left out
    #[argh(option)]
    pub(crate) name: Option<String>,

    /// the room to go to
    #[argh(option)]
    pub(crate) room: Option<String>,

    /// leave the screen to the terminal: lines are printed one below the other, as by nc
    #[argh(switch)]
    pub(crate) inline: bool,

    /// stop when the server goes away, instead of trying again
    #[argh(switch)]
    pub(crate) no_reconnect: bool,

    /// ring the terminal's bell when somebody writes to you or mentions your name
    #[argh(switch)]
    pub(crate) bell: bool,

    /// after the end of piped input, seconds of silence to wait for the server's last words
    /// (default 10)
    #[argh(option, default = "10", from_str_fn(whole_number))]
    pub(crate) wait: u64,

    /// print the version and stop
    #[argh(switch, short = 'V')]
    pub(crate) version: bool,
}

/// Reads the command line. Not `argh::from_env`: its exit code for a wrong option is 1, and ours is
/// 2.
///
/// # Errors
/// A text to print in place of a chat, and the exit code that goes with it: help or the version
/// (0), or what was wrong (2).
pub(crate) fn read(arguments: &[String]) -> Result<Options, (String, i32)> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let wrong = |what: String| (format!("chat: {what}\n{HINT}\n"), 2);
    let options =
        Options::from_args(&["chat"], &arguments).map_err(|early| match early.status {
            Ok(()) => (early.output, 0),
            Err(()) => wrong(early.output.lines().next().unwrap_or_default().to_owned()),
        })?;
    let options = options.check().map_err(|error| wrong(format!("{error:#}.")))?;
    if options.version {
        return Err((concat!("chat ", env!("CARGO_PKG_VERSION"), "\n").to_owned(), 0));
    }
    Ok(options)
}

impl Options {
    /// Refuses what would be more than one word on the wire, and takes name and room from the
    /// server's address if no option gives them.
    fn check(mut self) -> Result<Options> {
        let target = self.target()?;
        self.name = self.name.or(target.name);
        self.room = self.room.or(target.room);
        for (option, value) in [("--name", &self.name), ("--room", &self.room)] {
            if let Some(value) = value
                && (value.is_empty() || value.chars().any(|c| c.is_control() || c.is_whitespace()))
            {
                bail!("{option} wants one word, not {value:?}");
            }
        }
        if self.wait > WAIT_MAX {
            bail!("--wait {}: give 0 to {WAIT_MAX} seconds (a day)", self.wait);
        }
        Ok(self)
    }

    fn target(&self) -> Result<Target> {
        let (host, port) = match &self.server[..] {
            [] => (DEFAULT_HOST, None),
            [host] => (host.as_str(), None),
            [host, port] => (host.as_str(), Some(port)),
            [_, _, other, ..] => bail!("{other:?} is one word too many"),
        };
        let mut target = Target::parse(host)?;
        if let Some(port) = port {
            target.address.port = Address::port(port)?;
        }
        Ok(target)
    }

    /// The server's address.
    ///
    /// # Errors
    /// When the port is not a number from 1 to 65535.
    pub(crate) fn address(&self) -> Result<Address> {
        Ok(self.target()?.address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &str) -> Result<Options, (String, i32)> {
        let words: Vec<String> = arguments.split_whitespace().map(str::to_owned).collect();
        super::read(&words)
    }

    #[test]
    fn seconds_to_wait_are_a_number_that_can_be_waited_for() {
        for wait in ["0", "1", "10", "86400"] {
            assert_eq!(read(&format!("--wait {wait}")).unwrap().wait.to_string(), wait);
        }
        for (wait, says) in [
            ("86401", "give 0 to 86400 seconds"),
            ("18446744073709551615", "give 0 to 86400 seconds"),
            ("18446744073709551616", "is too large a number"),
            ("-1", "is not a whole number"),
            ("1e3", "is not a whole number"),
        ] {
            let (said, code) = read(&format!("--wait {wait}")).unwrap_err();
            assert!(said.contains(says) && code == 2, "{wait}: {said}");
        }
    }

    #[test]
    fn host_and_port_are_given_in_every_way_that_people_know() {
        for arguments in ["h 6000", "h:6000", "telnet://h:6000", "telnet://h 6000"] {
            assert_eq!(read(arguments).unwrap().address().unwrap().to_string(), "h:6000");
        }
        let given = |options: Options| (options.name, options.room);
        let (bob, math) = (Some("bob".to_owned()), Some("math".to_owned()));
        assert_eq!(given(read("bob@h").unwrap()), (bob.clone(), None));
        assert_eq!(given(read("chat://eve@h/x --name bob --room math").unwrap()), (bob, math));
    }

    #[test]
    fn what_is_wrong_is_said_with_an_example() {
        for (arguments, says) in [
            ("h five", "\"five\" is no port: that is a number from 1 to 65535."),
            ("h:0", "\"0\" is no port"),
            ("h 1 2", "2"),
            ("--nmae bob", "--nmae"),
            ("--name", "--name"),
        ] {
            let (said, code) = read(arguments).unwrap_err();
            assert!(said.starts_with("chat: ") && said.contains(says), "{said}");
            assert!(said.contains("Like this: chat HOST PORT") && code == 2, "{said}");
        }
        for arguments in ["-h", "--help", "-V", "--version"] {
            assert_eq!(read(arguments).unwrap_err().1, 0, "{arguments}");
        }
    }
}
