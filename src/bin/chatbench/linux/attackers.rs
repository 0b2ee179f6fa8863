//! Attackers: connections that do what no well-behaved client does, again and again, on a thread of
//! their own. They come from another address of loopback, so that limits by address meet them and
//! not the crowd.

use super::proc;
use anyhow::{Context as _, Result};
use socket2::{Domain, Socket, Type};
use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Where they connect from.
const FROM: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// Between two rounds over all of them: they share a core with the server.
const TICK: Duration = Duration::from_millis(1);
/// A connection that takes longer waits in a full accept queue: the next round tries again.
const CONNECTING: Duration = Duration::from_millis(100);
/// A message as long as one read of the server takes.
const MUCH: usize = 16 * 1024;

/// What the attackers of one kind do. Their names begin with `x-`, by which the
/// crowd knows whose lines are not measured.
pub struct Attack {
    pub name: &'static str,
    /// Connections at once.
    connections: usize,
    /// Sent on entering; `#` stands for a number of its own.
    first: &'static str,
    /// Sent again and again.
    again: &'static [u8],
    /// How many times the text at once.
    times: usize,
    every: Duration,
    /// After this time the connection is reset, and another one made.
    lives: Duration,
    /// Whether it reads what it is sent.
    reads: bool,
    /// How long they are at it before the others are measured.
    pub ahead: Duration,
}

const fn attack(name: &'static str, connections: usize, first: &'static str) -> Attack {
    let (every, lives) = (Duration::from_millis(50), Duration::MAX);
    let ahead = Duration::ZERO;
    Attack { name, connections, first, again: b"", times: 1, every, lives, reads: true, ahead }
}

const MS: Duration = Duration::from_millis(1);
const TLS_HELLO: &str = "\x16\x03\x01\x00\x64\x01\x00\x00\x60\x03\x03 hello \n of TLS\n";

/// Every attack, by its name.
pub const ATTACKS: [Attack; 16] = [
    // A hundred who only come in: what their presence costs, without an attack.
    attack("idle", 100, "x-#\n"),
    Attack { again: b"x", every: Duration::from_secs(1), ..attack("loris", 600, "") },
    Attack { again: b"y", times: MUCH, every: MS, ..attack("endless-line", 10, "") },
    Attack {
        again: b"\xff\xfa\x18y",
        times: MUCH / 4,
        every: MS,
        ..attack("subnegotiation", 10, "")
    },
    Attack { again: b"flood\n", times: MUCH / 6, every: MS, ..attack("flood", 10, "x-#\n") },
    // A thousand connections a second.
    Attack { lives: MS.saturating_mul(10), ..attack("reset-storm", 10, "x-#\nhalf a li") },
    Attack { lives: MS.saturating_mul(20), ..attack("hello-storm", 10, TLS_HELLO) },
    Attack { again: b"/login alice wrong horse\n", ..attack("login-storm", 100, "x-#\n") },
    // The same by those who have not come in, so that the room has no more members.
    Attack { again: b"/login alice wrong horse\n", ..attack("door-storm", 100, "") },
    Attack { again: b"/search line\n", ..attack("search", 50, "x-#\n/quiet on\n") },
    Attack { again: b"/history 1000\n", ..attack("history", 50, "x-#\n/quiet on\n") },
    Attack { again: b"/threads\n", ..attack("threads", 50, "x-#\n/quiet on\n") },
    Attack {
        again: b"/nick x-a#\n/nick x-b#\n",
        times: 500,
        every: MS,
        ..attack("names", 10, "x-#\n")
    },
    Attack {
        lives: MS.saturating_mul(30),
        ..attack("reset-in-answer", 20, "x-#\n/history 1000\n/history 1000\n")
    },
    // Within the limit of lines it takes them so long to be sent more than the kernel keeps.
    Attack {
        again: b"/history 1000\n",
        reads: false,
        ahead: Duration::from_secs(20),
        ..attack("stuck", 64, "x-#\n")
    },
    Attack {
        again: b"paste of several lines\n",
        times: 20,
        every: MS.saturating_mul(500),
        ..attack("pastes", 40, "x-#\n")
    },
];

/// One of its connections.
struct Attacker {
    socket: Option<TcpStream>,
    began: Instant,
    /// When it sends again.
    next: Instant,
}

/// Attackers at work; dropped, they stop.
pub struct Attackers {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Attackers {
    /// Begins all of these attacks at once. With `core`, they work there.
    pub fn start(
        attacks: Vec<&'static Attack>,
        address: SocketAddr,
        core: Option<usize>,
    ) -> Result<Attackers> {
        let is_over = Arc::new(AtomicBool::new(false));
        let over = is_over.clone();
        let thread = thread::Builder::new().name("attackers".into()).spawn(move || {
            if let Some(core) = core {
                let _ = proc::pin_self([core]); // else they share all cores
            }
            let now = Instant::now();
            let silent = || Attacker { socket: None, began: now, next: now };
            let mut crowds: Vec<(&Attack, Vec<Attacker>)> = attacks
                .into_iter()
                .map(|attack| (attack, (0..attack.connections).map(|_| silent()).collect()))
                .collect();
            let (mut number, mut bytes) = (0, vec![0; 4 * MUCH]);
            while !over.load(Relaxed) {
                for (attack, attackers) in &mut crowds {
                    for attacker in attackers {
                        number += 1;
                        attacker.act(attack, address, number, &mut bytes);
                    }
                }
                thread::sleep(TICK);
            }
        });
        Ok(Attackers { is_over, thread: Some(thread.context("no thread for attackers")?) })
    }
}

impl Drop for Attackers {
    fn drop(&mut self) {
        self.is_over.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Attacker {
    /// One round. Whatever fails ends the connection; the next round has another one.
    fn act(&mut self, attack: &Attack, address: SocketAddr, number: usize, bytes: &mut [u8]) {
        if self.socket.is_none() {
            self.socket = connect(address).ok();
            self.began = Instant::now();
            self.next = self.began + attack.every;
            let first = attack.first.replace('#', &number.to_string());
            self.send(first.as_bytes());
        } else if self.began.elapsed() > attack.lives {
            self.socket = None; // with a reset
        } else if Instant::now() >= self.next {
            self.next += attack.every;
            let number = number.to_string();
            let text = String::from_utf8_lossy(attack.again);
            match text.contains('#') {
                true => self.send(text.replace('#', &number).repeat(attack.times).as_bytes()),
                false => self.send(&attack.again.repeat(attack.times)),
            }
        }
        while attack.reads
            && let Some(socket) = &mut self.socket
        {
            match socket.read(bytes) {
                Ok(1..) => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Ok(0) | Err(_) => self.socket = None,
            }
        }
    }

    /// What the socket does not take is not sent.
    fn send(&mut self, text: &[u8]) {
        let Some(socket) = &mut self.socket else { return };
        if let Err(e) = socket.write(text)
            && e.kind() != ErrorKind::WouldBlock
        {
            self.socket = None;
        }
    }
}

fn connect(address: SocketAddr) -> Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if address.is_ipv4() {
        socket.bind(&SocketAddr::from((FROM, 0)).into())?;
    }
    socket.set_linger(Some(Duration::ZERO))?;
    socket.connect_timeout(&address.into(), CONNECTING)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}
