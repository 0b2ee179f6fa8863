//! The command line: options and their help. No I/O; runs on `main`, once.

use crate::{
    address::{Address, DEFAULT_HOST, Target},
    settings::{Key, Settings, Source, Value},
};
use anyhow::{Result, anyhow, bail};
use argh::FromArgs;
use chatd::server::number::whole_number;
use std::path::PathBuf;

/// The longest `--wait`, in seconds.
const WAIT_MAX: u64 = 24 * 60 * 60;

/// Behind every complaint about the command line.
const HINT: &str = "Like this: chat HOST PORT, or chat HOST:PORT --name NAME. \
                    chat --help has all options.";

/// Talk on a chat server, from the terminal or through a pipe.
#[derive(FromArgs, Debug)]
#[argh(help_triggers("-h", "--help"))]
pub(crate) struct Options {
    /// the server: HOST, HOST PORT, HOST:PORT, NAME@HOST, chat://NAME@HOST:PORT/ROOM or unix:PATH
    /// (default localhost 5000)
    #[argh(positional)]
    pub(crate) server: Vec<String>,

    /// speak TLS (port 5001 if none is given); so do chats://HOST, telnets://HOST and tls://HOST
    #[argh(switch)]
    pub(crate) tls: bool,

    /// with TLS: the certificate that the server must have, as `openssl x509 -fingerprint -sha256`
    /// prints it, whoever has signed it
    #[argh(option)]
    pub(crate) fingerprint: Option<String>,

    /// the name to enter under; asked for if left out
    #[argh(option, arg_name = "NAME")]
    pub(crate) name: Option<String>,

    /// the room to go to
    #[argh(option, arg_name = "ROOM")]
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

    /// for programs: print each line and note as a JSON object, and send what comes on standard
    /// input
    #[argh(switch)]
    pub(crate) json: bool,

    /// the file of your own settings (default ~/.config/chatd/chat.toml)
    #[argh(option, arg_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// after the end of piped input, seconds of silence to wait for the server's last words
    /// (default 10)
    #[argh(option, arg_name = "SECONDS", default = "10", from_str_fn(whole_number))]
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
    options.check().map_err(|error| wrong(format!("{error:#}.")))?;
    if options.version {
        return Err((concat!("chat ", env!("CARGO_PKG_VERSION"), "\n").to_owned(), 0));
    }
    Ok(options)
}

impl Options {
    /// Refuses what no settings could mend.
    fn check(&self) -> Result<()> {
        self.settings(Settings::default())?;
        for (option, value) in [("--name", &self.name), ("--room", &self.room)] {
            if value.as_deref() == Some("") {
                bail!("{option} wants one word, not \"\"");
            }
        }
        if self.wait > WAIT_MAX {
            bail!("--wait {}: give 0 to {WAIT_MAX} seconds (a day)", self.wait);
        }
        Ok(())
    }

    /// The settings of the file, where no option says otherwise.
    ///
    /// # Errors
    /// When an option wants what cannot be.
    pub(crate) fn settings(&self, mut settings: Settings) -> Result<Settings> {
        let usual = settings.address().map(|address| address.place());
        let target = self.target(settings.text(Key::Server).unwrap_or(DEFAULT_HOST))?;
        let wants_tls = self.tls || self.fingerprint.is_some();
        if wants_tls && (target.is_file() || target.has_tls == Some(false)) {
            bail!("TLS is wanted, and what is given as the server has none; write chats://HOST");
        }
        let address = target.address(wants_tls || settings.wants_tls());
        let text = |text: &Option<String>| text.clone().map(Value::Text);
        let switch = |is_given: bool, value| is_given.then_some(Value::Switch(value));
        let server = Some(Value::Text(address.to_string()));
        let (name, room) = (text(&self.name), text(&self.room));
        let is_given = !self.server.is_empty();
        let is_elsewhere = usual.ok() != Some(address.place());
        for (key, value) in [
            (Key::Server, server.filter(|_| is_given)),
            (Key::Tls, switch(wants_tls || is_given, address.has_tls)),
            // A certificate in the file is that of the server in the file.
            (Key::Fingerprint, is_elsewhere.then(|| Value::Text(String::new()))),
            (Key::Fingerprint, text(&self.fingerprint)),
            (Key::Name, name.or(text(&target.name).filter(|_| is_given))),
            (Key::Room, room.or(text(&target.room).filter(|_| is_given))),
            (Key::Inline, switch(self.inline, true)),
            (Key::Reconnect, switch(self.no_reconnect, false)),
            (Key::Bell, switch(self.bell, true)),
        ] {
            let Some(value) = value.filter(|value| value != settings.get(key)) else { continue };
            settings.set(key, value, Source::CommandLine).map_err(|why| anyhow!("--{why}"))?;
        }
        // An address in the file may have a name and a room in it.
        for (key, value) in [(Key::Name, text(&target.name)), (Key::Room, text(&target.room))] {
            if let (None, Some(value)) = (settings.text(key), value) {
                let source = settings.source(Key::Server).clone();
                settings.set(key, value, source).map_err(|why| anyhow!(why))?;
            }
        }
        settings.pin()?;
        Ok(settings)
    }

    /// Where to go; `usual` if no server is given.
    fn target(&self, usual: &str) -> Result<Target> {
        let (host, port) = match &self.server[..] {
            [] => (usual, None),
            [host] => (host.as_str(), None),
            [host, port] => (host.as_str(), Some(port)),
            [_, _, other, ..] => bail!("{other:?} is one word too many"),
        };
        let mut target = Target::parse(host)?;
        if let Some(port) = port {
            if target.is_file() {
                bail!("{port:?} is one word too many: a socket has no port");
            }
            target.port = Some(Address::port(port)?);
        }
        Ok(target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &str) -> Result<Options, (String, i32)> {
        let words: Vec<String> = arguments.split_whitespace().map(str::to_owned).collect();
        super::read(&words)
    }

    fn set(arguments: &str) -> Settings {
        read(arguments).unwrap().settings(Settings::default()).unwrap()
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
            assert_eq!(set(arguments).text(Key::Server), Some("h:6000"));
        }
        let settings = set("bob@h");
        assert_eq!((settings.text(Key::Name), settings.text(Key::Room)), (Some("bob"), None));
        let settings = set("chat://eve@h/x --name bob --room math");
        assert_eq!(
            (settings.text(Key::Name), settings.text(Key::Room)),
            (Some("bob"), Some("math"))
        );
    }

    #[test]
    fn options_override_the_file() {
        let mut file = Settings::default();
        for (key, value) in [(Key::Server, "chat://alice@h:6000/math"), (Key::Name, "eve")] {
            file.set(key, Value::Text(value.to_owned()), Source::File(1)).unwrap();
        }
        file.set(Key::Bell, Value::Switch(true), Source::File(2)).unwrap();
        let with = |arguments: &str| read(arguments).unwrap().settings(file.clone()).unwrap();
        let settings = with("");
        assert_eq!(settings.address().unwrap().to_string(), "h:6000");
        assert_eq!(
            (settings.text(Key::Name), settings.text(Key::Room)),
            (Some("eve"), Some("math"))
        );
        let settings = with("g --name bob --no-reconnect");
        assert_eq!(settings.address().unwrap().to_string(), "g:5000");
        assert_eq!((settings.text(Key::Name), settings.text(Key::Room)), (Some("bob"), None));
        assert_eq!(settings.source(Key::Name), &Source::CommandLine);
        assert!(settings.is_on(Key::Bell) && !settings.is_on(Key::Reconnect));
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
