//! What is measured: a command that starts a server, or a server that runs already.

use super::{proc, wire::Peer};
use anyhow::{Context, Result, bail};
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

/// How long a server may take to say where it listens.
const START: Duration = Duration::from_secs(10);

/// A server to be measured.
pub struct Target {
    /// The head of its column in tables.
    pub name: String,
    pub peer: Peer,
    /// The most clients it can take.
    pub clients_max: usize,
    /// The command that starts it, anew for each run: it says `listening on ADDR:PORT` on its
    /// standard output. Or the one word `ADDR:PORT@PID`: it runs already.
    words: Vec<String>,
}

impl Target {
    /// What `--server` and `--against` take: `[NAME=]` and a command, whose words are separated by
    /// spaces, or `baseline`, or `ADDR:PORT@PID`. A chatd without options gets those of
    /// [`Target::chatd`].
    pub fn parse(text: &str, peer: Peer) -> Result<Target> {
        let is_name = |name: &str| name.chars().all(|c| c.is_alphanumeric() || c == '-');
        let named = text.split_once('=').filter(|(name, _)| is_name(name));
        let (name, command) = named.unwrap_or((text, text));
        match command.split_whitespace().collect::<Vec<_>>()[..] {
            [] => bail!("a server's command is empty"),
            ["baseline"] => Target::baseline(name),
            [program] if peer == Peer::Chatd && running(program).is_none() => {
                Ok(Target::chatd(name, Path::new(program)))
            }
            ref words => Ok(Target::new(name, peer, words)),
        }
    }

    fn new(name: &str, peer: Peer, words: &[&str]) -> Target {
        let words = words.iter().map(ToString::to_string).collect();
        Target { name: name.into(), peer, clients_max: usize::MAX, words }
    }

    /// A build of chatd or of one of its versions, with nothing on that slows or bounds a load.
    pub fn chatd(name: &str, program: &Path) -> Target {
        const LIMITS: &str = "--source-limits";
        let options = "--listen 127.0.0.1:0 --web none --flood off --threads-max 6000 --db none";
        let program = program.display().to_string();
        let mut words: Vec<&str> = iter::once(&program[..]).chain(options.split(' ')).collect();
        // An older build, to compare with, has no such limits.
        let help = Command::new(&program).arg("--help").output();
        if help.is_ok_and(|help| String::from_utf8_lossy(&help.stdout).contains(LIMITS)) {
            words.extend([LIMITS, "off"]);
        }
        Target::new(name, Peer::Chatd, &words)
    }

    /// The server that does nothing but fan-out.
    pub fn baseline(name: &str) -> Result<Target> {
        let this = env::current_exe()?.display().to_string();
        Ok(Target::new(name, Peer::Line, &[&this, "baseline"]))
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
    pub pid: u32,
    child: Option<Child>,
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
            return Ok(Server { address, pid, child: None });
        }
        let pin_self = |core: Option<usize>| core.map_or(Ok(()), |core| proc::pin_self([core]));
        // A process starts on the cores of the thread that starts it.
        pin_self(pin.map(|(first, _)| first))?;
        let server = Server::spawn(words);
        pin_self(pin.map(|(_, last)| last))?;
        server.with_context(|| format!("cannot start {}: {}", target.name, words.join(" ")))
    }

    fn spawn(words: &[String]) -> Result<Server> {
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).stdin(Stdio::null()).stderr(Stdio::null());
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let stdout = BufReader::new(child.stdout.take().context("no stdout")?);
        let mut server =
            Server { address: ([127, 0, 0, 1], 0).into(), pid: child.id(), child: Some(child) };
        let (found, address) = mpsc::channel();
        // It reads on to the end, so that the server never waits for a reader.
        thread::Builder::new().name("server-stdout".into()).spawn(move || {
            for line in stdout.split(b'\n').map_while(Result::ok) {
                if let Some(address) = listening_on(&String::from_utf8_lossy(&line)) {
                    // Nobody waits for a second address.
                    let _ = found.send(address);
                }
            }
        })?;
        let address = address.recv_timeout(START);
        server.address = address.context("it did not say \"listening on ADDR:PORT\"")?;
        Ok(server)
    }
}

/// The address in `… listening on 127.0.0.1:5000 …`.
fn listening_on(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("listening on ")?;
    rest.split([' ', ',', ';']).next()?.trim_end_matches('.').parse().ok()
}
