//! From level to edge. The task is in 14-edge.md. Linux only.

use std::{
    collections::HashMap,
    io::{ErrorKind, Read, Write},
    net::{TcpListener, TcpStream},
    os::fd::AsRawFd,
};

/// Bytes of one read. Few on purpose: a line takes several.
const READ_MAX: usize = 4;
/// Bytes of answers that may wait for one client. With more, nothing is read from it.
const ANSWERS_MAX: usize = 64 * 1024;

/// A client, its line so far, and answers that are not sent yet.
struct Client {
    stream: TcpStream,
    line: Vec<u8>,
    answers: Vec<u8>,
    is_over: bool,
}

impl Client {
    /// Reads once. Returns whether something came. If nothing did, it would have had to wait, or the client is over.
    fn read_once(&mut self) -> bool {
        let mut bytes = [0; READ_MAX];
        let count = match self.stream.read(&mut bytes) {
            Ok(count) => count,
            Err(e) if e.kind() == ErrorKind::WouldBlock => return false,
            Err(_) => 0,
        };
        self.is_over |= count == 0;
        for &byte in &bytes[..count] {
            self.line.push(byte);
            if byte == b'\n' && self.line.len() > 1 {
                self.answers.extend(self.line.to_ascii_uppercase());
            }
            if byte == b'\n' || self.line.len() > ANSWERS_MAX {
                self.line.clear();
            }
        }
        count > 0
    }

    /// Sends as much as goes.
    fn send(&mut self) {
        while !self.answers.is_empty() {
            match self.stream.write(&self.answers) {
                Ok(count) => drop(self.answers.drain(..count)),
                Err(e) if e.kind() == ErrorKind::WouldBlock => return,
                Err(_) => {
                    self.is_over = true;
                    return;
                }
            }
        }
    }

    /// Whether there is room for more answers.
    fn may_receive(&self) -> bool {
        self.answers.len() < ANSWERS_MAX
    }
}

// --- yours ---
/// The kernel has told that something new has come, or that there is room to send again. It says so once. Returns
/// whether there is more to do: then this is called again, after the other clients had their turn.
fn serve(client: &mut Client) -> bool {
    client.send();
    if client.may_receive() {
        client.read_once();
    }
    client.send();
    false
}
// --- end ---

fn main() -> std::io::Result<()> {
    let listener = listen()?;
    listener.set_nonblocking(true)?;
    let epoll = Epoll::new()?;
    epoll.add(listener.as_raw_fd(), IN)?;
    let mut clients: HashMap<i32, Client> = HashMap::new();
    let mut unfinished: Vec<i32> = Vec::new();
    loop {
        let mut told = epoll.wait(unfinished.is_empty())?;
        told.append(&mut unfinished);
        for number in told {
            if number == listener.as_raw_fd() {
                let Ok((stream, _)) = listener.accept() else { continue };
                stream.set_nonblocking(true)?;
                epoll.add(stream.as_raw_fd(), IN | OUT | EDGE)?;
                let (line, answers) = (Vec::new(), Vec::new());
                clients.insert(stream.as_raw_fd(), Client { stream, line, answers, is_over: false });
            }
            let Some(client) = clients.get_mut(&number) else { continue };
            let has_more = serve(client);
            if client.is_over {
                clients.remove(&number); // closed, and so out of the epoll
            } else if has_more && !unfinished.contains(&number) {
                unfinished.push(number);
            }
        }
    }
}

fn listen() -> std::io::Result<TcpListener> {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:5000".into());
    let listener = TcpListener::bind(address)?;
    println!("listening on {}", listener.local_addr()?);
    Ok(listener)
}

// --- The kernel's three functions. (Step 8 has them from a crate; here is only the standard library.) ---

const IN: u32 = 1;
const OUT: u32 = 4;
const EDGE: u32 = 1 << 31;

#[derive(Clone, Copy, Default)]
#[cfg_attr(target_arch = "x86_64", repr(C, packed))]
#[cfg_attr(not(target_arch = "x86_64"), repr(C))]
struct Event {
    events: u32,
    data: u64,
}

unsafe extern "C" {
    fn epoll_create1(flags: i32) -> i32;
    fn epoll_ctl(epoll: i32, what: i32, fd: i32, event: *const Event) -> i32;
    fn epoll_wait(epoll: i32, events: *mut Event, most: i32, millis: i32) -> i32;
}

struct Epoll(i32);

impl Epoll {
    fn new() -> std::io::Result<Epoll> {
        checked(unsafe { epoll_create1(0) }).map(Epoll) // unsafe: a call into C, which takes a number
    }

    fn add(&self, fd: i32, events: u32) -> std::io::Result<()> {
        let event = Event { events, data: fd as u64 };
        // unsafe: a call into C, which reads `event` and keeps no pointer to it
        checked(unsafe { epoll_ctl(self.0, 1, fd, &event) }).map(drop)
    }

    /// The descriptors of which there is something to tell.
    fn wait(&self, may_wait: bool) -> std::io::Result<Vec<i32>> {
        let mut events = [Event::default(); 64];
        let millis = if may_wait { -1 } else { 0 };
        // unsafe: a call into C, which writes at most 64 events to where there is room for 64
        let count = checked(unsafe { epoll_wait(self.0, events.as_mut_ptr(), 64, millis) })?;
        Ok(events[..count as usize].iter().map(|event| event.data as i32).collect())
    }
}

fn checked(result: i32) -> std::io::Result<i32> {
    if result < 0 { Err(std::io::Error::last_os_error()) } else { Ok(result) }
}
