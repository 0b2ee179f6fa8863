//! A puppet: a client of the server's own, for a demonstration. It comes over loopback like any
//! other, and its lane is like any other. Runs on the thread of its hazard.
//!
//! A puppet has a place, a thread and an outbox as everybody has. It comes from an address of its
//! own (127.100.x.y), so that nothing it does is counted against a student on the same machine: the
//! limits by address see each puppet as a machine. (Where a system has 127.0.0.1 alone, it comes from
//! there.) What it says is shown in a room of its own and neither remembered nor recorded, unless
//! the demonstration is about recording.

use super::stage::{Role, Stage, Stop};
use crate::origin::Origin;
use crate::server::registry::Client;
use socket2::{Domain, Protocol, Socket, Type};
use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream},
    sync::atomic::Ordering::Relaxed,
    time::{Duration, Instant},
};

/// The room where puppets talk, so that no student's client has to read it.
pub(super) const ROOM: &str = "demo";
/// How often a puppet that talks or reads does so.
pub(super) const BEAT: Duration = Duration::from_millis(10);
/// How long a puppet may take to come in. The server may be busy.
const COMING: Duration = Duration::from_secs(8);
/// How long a connection over loopback may take.
const CONNECTING: Duration = Duration::from_secs(1);
/// The receive buffer of a puppet that will not read. Together with the segment size of an
/// Ethernet this keeps the kernel's share below 40 KB; with loopback's usual segments the kernel
/// takes 2 to 4 MB for a client that reads nothing, and the outbox stays empty for half an hour.
const SMALL_BUFFER: usize = 4 * 1024;
#[cfg(unix)]
const SMALL_SEGMENT: u32 = 1460;

/// One client of the server's own.
pub(super) struct Puppet<'a> {
    stage: &'a Stage,
    socket: TcpStream,
    /// Where the server sees it come from.
    local: Origin,
    /// What the socket has not taken yet.
    unsent: Vec<u8>,
    has_ended: bool,
}

impl<'a> Puppet<'a> {
    /// Connects, and gives its name.
    pub(super) fn come(stage: &'a Stage, name: &str, role: Role) -> Result<Puppet<'a>, String> {
        let mut puppet = Puppet::connect(stage, role)?;
        if !stage.is_anonymous {
            puppet.says(name);
        }
        Ok(puppet)
    }

    /// Connects.
    pub(super) fn connect(stage: &'a Stage, role: Role) -> Result<Puppet<'a>, String> {
        let explain = |error: std::io::Error| format!("a puppet cannot connect: {error}");
        let socket = Self::socket(stage, role).map_err(explain)?;
        let local =
            socket.local_addr().map_err(explain)?.as_socket().unwrap_or(stage.listener).into();
        // Before it connects, so that the server knows it when it comes.
        stage.puppets.lock().insert(local, role);
        let connected = socket.connect_timeout(&stage.listener.into(), CONNECTING);
        let socket = TcpStream::from(socket);
        let (unsent, has_ended) = (Vec::new(), connected.is_err());
        let puppet = Puppet { stage, socket, local, unsent, has_ended };
        connected.map_err(explain)?;
        puppet.socket.set_nonblocking(true).map_err(explain)?;
        let _ = puppet.socket.set_nodelay(true);
        Ok(puppet)
    }

    fn socket(stage: &Stage, role: Role) -> std::io::Result<Socket> {
        let domain = Domain::for_address(stage.listener);
        let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
        if role == Role::Frozen {
            socket.set_recv_buffer_size(SMALL_BUFFER)?;
            #[cfg(unix)]
            socket.set_tcp_mss(SMALL_SEGMENT)?;
        }
        if stage.listener.is_ipv4() {
            let [high, low] = stage.next.fetch_add(1, Relaxed).to_be_bytes();
            let own = SocketAddr::from(([127, 100, high, low], 0));
            if socket.bind(&own.into()).is_err() {
                socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
            }
        } else {
            let same: IpAddr = stage.listener.ip();
            socket.bind(&SocketAddr::new(same, 0).into())?;
        }
        Ok(socket)
    }

    /// Says a line, when its socket takes it.
    pub(super) fn says(&mut self, line: &str) {
        self.unsent.extend_from_slice(line.as_bytes());
        self.unsent.push(b'\n');
        self.send();
    }

    /// Sends what its socket takes now. Returns whether that is all.
    pub(super) fn send(&mut self) -> bool {
        while !self.unsent.is_empty() {
            match self.socket.write(&self.unsent) {
                Ok(sent) => drop(self.unsent.drain(..sent)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.has_ended |= error.kind() != ErrorKind::WouldBlock;
                    return false;
                }
            }
        }
        true
    }

    /// Reads what there is, and drops it. Returns whether the connection is still there.
    pub(super) fn reads(&mut self) -> bool {
        let mut dropped = [0; 16 * 1024];
        while !self.has_ended {
            match self.socket.read(&mut dropped) {
                Ok(0) => self.has_ended = true,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.has_ended = error.kind() != ErrorKind::WouldBlock;
                    break;
                }
            }
        }
        !self.has_ended
    }

    /// The server's side of it, once it is in.
    pub(super) fn handle(&self) -> Option<Client> {
        let handle = self.stage.registry.find(self.local)?;
        (self.stage.is_anonymous || handle.status.name().contains(':')).then_some(handle)
    }

    /// Waits until it is in.
    pub(super) fn wait_until_in(&mut self, stop: &Stop) -> Result<Client, String> {
        let end = Instant::now() + COMING;
        loop {
            if let Some(handle) = self.handle() {
                return Ok(handle);
            }
            if !self.reads() || stop.within(Duration::from_millis(5)) || Instant::now() > end {
                return Err("no puppet could come in".to_owned());
            }
        }
    }

    /// Goes to the room of the puppets.
    pub(super) fn goes_to_its_room(&mut self) {
        self.says(&format!("/join {ROOM}"));
    }

    /// Whether what it said last is still on its way to the server.
    pub(super) fn is_behind(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// Cuts the connection: what the server has not read of it is dropped.
    pub(super) fn vanishes(self) {
        let _ = socket2::SockRef::from(&self.socket).set_linger(Some(Duration::ZERO));
    }
}

impl Drop for Puppet<'_> {
    fn drop(&mut self) {
        self.stage.puppets.lock().remove(&self.local);
    }
}

/// Lets all of them say goodbye. They read their last sentences, or have waited long enough.
pub(super) fn all_leave(mut puppets: Vec<Puppet<'_>>, stop: &Stop) {
    for puppet in &mut puppets {
        puppet.says("/quit");
    }
    all_read(&mut puppets, CONNECTING, stop);
    puppets.into_iter().for_each(Puppet::vanishes);
}

/// All of them read, for this time or until nobody is left. Whose connection has ended is taken out.
pub(super) fn all_read(puppets: &mut Vec<Puppet<'_>>, time: Duration, stop: &Stop) {
    let began = Instant::now();
    while !puppets.is_empty() && began.elapsed() < time && !stop.within(BEAT) {
        puppets.retain_mut(|puppet| {
            puppet.send();
            puppet.reads()
        });
    }
}
