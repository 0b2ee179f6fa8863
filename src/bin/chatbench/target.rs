//! What is measured: a command that starts a server, or a server that runs already.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::cli::proc;
use crate::cli::wire::Peer;

/// How long a server may take to start.
const START: Duration = Duration::from_secs(10);

/// A server to be measured.
#[derive(Clone, Debug)]
pub struct Target {
    /// What tables call it.
    pub name: String,
    pub peer: Peer,
    pub way: Way,
}

/// How to come to it.
#[derive(Clone, Debug)]
pub enum Way {
    /// Start this command, anew for each run; its first line with `listening on ADDR:PORT` says where it is. If the
    /// address is known beforehand, as with `ncat -l --chat 127.0.0.1 5000`, connect there.
    Start { command: Vec<String>, address: Option<SocketAddr> },
    /// It runs already and goes on to run.
    Running { address: SocketAddr, pid: u32 },
}

impl Target {
    /// chatd as it is built beside this program.
    pub fn chatd() -> Result<Target> {
        Ok(Target::chat(&std::env::current_exe()?.with_file_name("chatd")))
    }

    /// chatd or one of its versions, with everything off that would slow or bound a load.
    pub fn chat(program: &Path) -> Target {
        let options =
            ["--listen", "127.0.0.1:0", "--flood", "off", "--threads-max", "6000", "--db", "none"];
        let command = std::iter::once(program.display().to_string())
            .chain(options.map(String::from))
            .collect();
        Target {
            name: "chatd".into(),
            peer: Peer::Chatd,
            way: Way::Start { command, address: None },
        }
    }

    /// The yardstick.
    pub fn floor() -> Result<Target> {
        let this = std::env::current_exe()?;
        let command = vec![this.display().to_string(), "floor".into(), "127.0.0.1:0".into()];
        Ok(Target {
            name: "floor".into(),
            peer: Peer::Line,
            way: Way::Start { command, address: None },
        })
    }

    /// A command line, its words parted by spaces.
    pub fn command(line: &str, peer: Peer, address: Option<SocketAddr>) -> Result<Target> {
        let command: Vec<String> = line.split_whitespace().map(String::from).collect();
        let program = command.first().context("a server's command is empty")?;
        let name = program.rsplit('/').next().unwrap_or(program).to_string();
        Ok(Target { name, peer, way: Way::Start { command, address } })
    }
}

/// A server that runs, for as long as this value lives if we started it.
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
    /// Starts or finds it; with `pin`, it gets the first core and we, from now on, the last.
    pub fn start(target: &Target, pin: Option<(usize, usize)>) -> Result<Server> {
        match &target.way {
            Way::Running { address, pid } => {
                if let Some((core, own)) = pin {
                    proc::pin_process(*pid, core)?;
                    proc::pin_self(own)?;
                }
                Ok(Server { address: *address, pid: *pid, child: None })
            }
            Way::Start { command, address } => {
                // A child has the cores of the thread that starts it.
                pin.map_or(Ok(()), |(core, _)| proc::pin_self(core))?;
                let server = Server::spawn(command, *address);
                pin.map_or(Ok(()), |(_, own)| proc::pin_self(own))?;
                server
                    .with_context(|| format!("cannot start {}: {}", target.name, command.join(" ")))
            }
        }
    }

    fn spawn(command: &[String], address: Option<SocketAddr>) -> Result<Server> {
        let mut child = Command::new(&command[0])
            .args(&command[1..])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let stdout = child.stdout.take().context("no stdout")?;
        let mut server =
            Server { address: ([127, 0, 0, 1], 0).into(), pid: child.id(), child: Some(child) };
        let announced = read_on(stdout)?;
        server.address = match address {
            Some(address) => await_listener(address)?,
            None => announced
                .recv_timeout(START)
                .context("it did not say \"listening on ADDR:PORT\"")?,
        };
        Ok(server)
    }
}

/// Reads all the server writes, so that it never waits for us, and hands on the address it says first.
fn read_on(stdout: ChildStdout) -> Result<mpsc::Receiver<SocketAddr>> {
    let (found, address) = mpsc::channel();
    let reading = move || {
        for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
            if let Some(address) = listening_on(&String::from_utf8_lossy(&line)) {
                // Nobody waits for a second one.
                let _ = found.send(address);
            }
        }
    };
    std::thread::Builder::new().name("server-stdout".into()).spawn(reading)?;
    Ok(address)
}

/// The address in `… listening on 127.0.0.1:5000 …`.
fn listening_on(line: &str) -> Option<SocketAddr> {
    let (_, address) = line.split_once("listening on ")?;
    let end =
        address.find(|c: char| c.is_whitespace() || c == ',' || c == ';').unwrap_or(address.len());
    address[..end].trim_end_matches('.').parse().ok()
}

/// Waits until somebody listens at `address`. Costs the server one connection that comes and goes.
fn await_listener(address: SocketAddr) -> Result<SocketAddr> {
    let begin = Instant::now();
    while TcpStream::connect_timeout(&address, START).is_err() {
        if begin.elapsed() > START {
            bail!("nobody listens at {address}");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_in_what_servers_say() {
        let expected = Some("127.0.0.1:5000".parse().unwrap());
        assert_eq!(listening_on("listening on 127.0.0.1:5000"), expected);
        assert_eq!(
            listening_on("chatd 0.1.0 listening on 127.0.0.1:5000, up to 512 clients"),
            expected
        );
        assert_eq!(listening_on("I am listening on 127.0.0.1:5000."), expected);
        assert_eq!(listening_on("listening on port 5000"), None);
        assert_eq!(listening_on("listening"), None);
    }
}
