//! What is measured: a command that starts a server, or a server that runs already.

use super::{child, proc, socket::Other, tls::Certificate, wire::Peer};
use anyhow::{Context, Result, bail, ensure};
use std::{
    env,
    io::{BufRead, BufReader},
    iter,
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

/// The name of a server that is read by browsers, too.
const BROWSERS: &str = "browsers";
/// What the name of a server begins with of whose clients half speak TLS.
const TLS: &str = "tls";
/// What a server says in front of its addresses: that of the chat, of browsers, of TLS.
const LISTENING: [&str; 3] =
    ["listening on ", "listening for browsers on ", "listening for TLS on "];
/// How long a server may take to say where it listens.
const START: Duration = Duration::from_secs(10);

/// A server to be measured.
pub struct Target {
    /// The head of its column in tables.
    pub name: String,
    pub peer: Peer,
    /// The most clients it can take.
    pub clients_max: usize,
    /// Every second client that only reads does so by WebSocket.
    pub has_browsers: bool,
    /// Every second client speaks TLS.
    pub has_tls: bool,
    /// The command that starts it, anew for each run: it says `listening on ADDR:PORT` on its
    /// standard output. Or the one word `ADDR:PORT@PID`: it runs already.
    words: Vec<String>,
}

impl Target {
    /// What `--server` and `--against` take: `[NAME=]` and a command, whose words are separated by
    /// spaces, or `baseline`, or `ADDR:PORT@PID`. A chatd without options gets those of
    /// [`Target::chatd`]; one with options of its own runs without limits by address all the same,
    /// unless these say otherwise: every client here has one address. Of one that is named
    /// `browsers`, every second client that only reads does so by WebSocket; of one whose name
    /// begins with `tls`, every second client speaks TLS.
    pub fn parse(text: &str, peer: Peer) -> Result<Target> {
        let is_name = |name: &str| name.chars().all(|c| c.is_alphanumeric() || c == '-');
        let named = text.split_once('=').filter(|(name, _)| is_name(name));
        let (name, command) = named.unwrap_or((text, text));
        match command.split_whitespace().collect::<Vec<_>>()[..] {
            [] => bail!("a server's command is empty"),
            ["baseline"] => Target::baseline(name),
            [program] if peer == Peer::Chatd && running(program).is_none() => {
                Ok(Target::chatd(name, Path::new(program), "none"))
            }
            ref words => {
                let mut target = Target::new(name, peer, words);
                if peer == Peer::Chatd && running(words[0]).is_none() {
                    lift_limits(&mut target.words);
                    set_web(&mut target.words, target.has_browsers);
                }
                Ok(target)
            }
        }
    }

    fn new(name: &str, peer: Peer, words: &[&str]) -> Target {
        let words = words.iter().map(ToString::to_string).collect();
        let has_browsers = name == BROWSERS;
        let has_tls = name.starts_with(TLS);
        Target { name: name.into(), peer, clients_max: usize::MAX, has_browsers, has_tls, words }
    }

    /// A build of chatd or of one of its versions, with nothing on that slows or bounds a load.
    pub fn chatd(name: &str, program: &Path, db: &str) -> Target {
        let options = "--listen 127.0.0.1:0 --flood off --threads-max 6000 --db";
        let program = program.display().to_string();
        let words = iter::once(&program[..]).chain(options.split(' ')).chain([db]);
        let words: Vec<&str> = words.collect();
        let mut target = Target::new(name, Peer::Chatd, &words);
        lift_limits(&mut target.words);
        set_web(&mut target.words, target.has_browsers);
        target
    }

    /// It is not started here.
    pub fn runs_already(&self) -> bool {
        running(&self.words[0]).is_some()
    }

    /// A chatd as people run it, with limits, browsers and TLS.
    pub fn whole(program: &Path, options: &str) -> Target {
        let program = program.display().to_string();
        let usual = "--listen 127.0.0.1:0 --web 127.0.0.1:0".split(' ');
        let words: Vec<&str> =
            iter::once(&program[..]).chain(usual).chain(options.split(' ')).collect();
        let target = Target::new("chatd", Peer::Chatd, &words);
        Target { has_browsers: true, has_tls: true, ..target }
    }

    /// The same server, with these words before its command, and with its history in this file.
    pub fn with_history(&self, before: &[String], file: &str) -> Target {
        let mut words = [before, &self.words].concat();
        match words.iter().position(|word| word == "--db") {
            Some(at) => file.clone_into(&mut words[at + 1]),
            None => words.extend(["--db", file].map(str::to_owned)),
        }
        words.extend(["--durability", "full"].map(str::to_owned));
        Target { name: self.name.clone(), words, ..*self }
    }

    /// The server that does nothing but fan-out.
    pub fn baseline(name: &str) -> Result<Target> {
        let this = env::current_exe()?.display().to_string();
        Ok(Target::new(name, Peer::Line, &[&this, "baseline"]))
    }
}

/// Adds the option that turns limits by address off.
fn lift_limits(words: &mut Vec<String>) {
    add(words, ["--source-limits", "off"]);
}

/// Adds the option that says where browsers are served: nowhere, or on a free port.
fn set_web(words: &mut Vec<String>, has_browsers: bool) {
    add(words, ["--web", if has_browsers { "127.0.0.1:0" } else { "none" }]);
}

/// Adds an option, if the command has it not, and the program knows it: an older build, to compare
/// with, may not.
fn add(words: &mut Vec<String>, option: [&str; 2]) {
    let is_there = words.iter().any(|word| word.split('=').next() == Some(option[0]));
    let help = || Command::new(&words[0]).arg("--help").output();
    let knows = |help: &str| help.split_whitespace().any(|word| word == option[0]);
    if !is_there && help().is_ok_and(|it| knows(&String::from_utf8_lossy(&it.stdout))) {
        words.extend(option.map(str::to_owned));
    }
}

/// The address and the process in `ADDR:PORT@PID`.
fn running(word: &str) -> Option<(SocketAddr, u32)> {
    let (address, pid) = word.split_once('@')?;
    Some((address.parse().ok()?, pid.parse().ok()?))
}

/// A running server. One that was started ends when this value is dropped.
pub struct Server {
    pub address: SocketAddr,
    /// Where every second client goes, in turn.
    pub others: Vec<Other>,
    pub pid: u32,
    child: Option<Child>,
    _certificate: Option<Certificate>,
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // An error here means that it has ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Server {
    /// Starts or finds it. With `pin`, one that is started gets the first core, and this thread the
    /// last.
    pub fn start(target: &Target, pin: Option<(usize, usize)>) -> Result<Server> {
        let words = &target.words;
        if let Some((address, pid)) = running(&words[0]) {
            let others = Vec::new();
            return Ok(Server { address, others, pid, child: None, _certificate: None });
        }
        let pin_self = |core: Option<usize>| core.map_or(Ok(()), |core| proc::pin_self([core]));
        // A process starts on the cores of the thread that starts it.
        pin_self(pin.map(|(first, _)| first))?;
        let server = Server::spawn(target);
        pin_self(pin.map(|(_, last)| last))?;
        server.with_context(|| format!("cannot start {}: {}", target.name, words.join(" ")))
    }

    fn spawn(target: &Target) -> Result<Server> {
        let words = &target.words;
        let certificate = target.has_tls.then(|| Certificate::new(&words[0])).transpose()?;
        let mut command = child::command(&words[0]);
        command.args(&words[1..]).args(certificate.iter().flat_map(Certificate::options));
        command.stdin(Stdio::null()).stderr(Stdio::null());
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let stdout = BufReader::new(child.stdout.take().context("no stdout")?);
        let (address, pid) = (([127, 0, 0, 1], 0).into(), child.id());
        let clients = certificate.as_ref().map(Certificate::clients).transpose()?;
        let (child, others) = (Some(child), Vec::new());
        let mut server = Server { address, others, pid, child, _certificate: certificate };
        let (found, addresses) = mpsc::channel();
        // It reads on to the end, so that the server never waits for a reader.
        thread::Builder::new().name("server-stdout".into()).spawn(move || {
            for line in stdout.split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line);
                for (kind, words) in LISTENING.iter().enumerate() {
                    // Nobody waits for a second address of a kind.
                    address_behind(&line, words).map(|address| found.send((kind, address)));
                }
            }
        })?;
        let is_due = [true, target.has_browsers, target.has_tls];
        let mut known = [None; LISTENING.len()];
        while (0..known.len()).any(|kind| is_due[kind] && known[kind].is_none()) {
            let Ok((kind, address)) = addresses.recv_timeout(START) else {
                let ended = server.child.as_mut().map(Child::try_wait).transpose()?.flatten();
                let code = ended.and_then(|status| status.code());
                ensure!(code != Some(child::NO_PROGRAM.into()), "it cannot be run");
                bail!("it did not say \"listening on ADDR:PORT\"");
            };
            known[kind].get_or_insert(address);
        }
        server.address = known[0].unwrap_or(address);
        let browsers = known[1].filter(|_| target.has_browsers).map(Other::Browsers);
        let tls = known[2].zip(clients).map(|(address, clients)| Other::Tls(address, clients));
        server.others = browsers.into_iter().chain(tls).collect();
        Ok(server)
    }
}

/// The address in `… listening on 127.0.0.1:5000 …`.
fn address_behind(line: &str, words: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once(words)?;
    rest.split([' ', ',', ';']).next()?.trim_end_matches('.').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt as _};

    /// A program whose help has this line.
    fn program(name: &str, help: &str) -> String {
        let path = env::temp_dir().join(format!("chatbench-{}-{name}", std::process::id()));
        fs::write(&path, format!("#!/bin/sh\necho '{help}'\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path.display().to_string()
    }

    #[test]
    fn limits_by_address_are_off_whoever_gives_the_options() {
        let new = program("new", "  --source-limits on|off");
        let old = program("old", "  --flood LINES");
        for (command, peer, ends) in [
            (new.clone(), Peer::Chatd, "--db none --source-limits off"),
            (format!("{new} --flood 8"), Peer::Chatd, "--flood 8 --source-limits off"),
            (format!("x={new} --db a.db"), Peer::Chatd, "--db a.db --source-limits off"),
            (format!("{new} --source-limits on"), Peer::Chatd, "--source-limits on"),
            (format!("{new} --source-limits=on --flood 8"), Peer::Chatd, "=on --flood 8"),
            (format!("{new} --flood 8"), Peer::Line, "--flood 8"),
            (format!("{old} --flood 8"), Peer::Chatd, "--flood 8"),
            (old.clone(), Peer::Chatd, "--db none"),
            ("127.0.0.1:5000@1".to_owned(), Peer::Chatd, "127.0.0.1:5000@1"),
        ] {
            let words = Target::parse(&command, peer).unwrap().words.join(" ");
            assert!(words.ends_with(ends), "{command}: {words}");
        }
        [new, old].iter().for_each(|path| fs::remove_file(path).unwrap());
    }
}
