//! Step 9, reactor: log server. Lines of all clients go into one file. Port 8007. `log-server [ADDR:PORT] [FILE]`.

use anyhow::Context as _;
use chatd::{
    core::wire::{line::LineBuffer, sanitize::sanitize},
    socketserver::program,
};
use reactor::{Factory, Protocol, Transport};
use std::{
    cell::RefCell,
    fs::{File, OpenOptions},
    io::{self, Write as _},
    net::SocketAddr,
    rc::Rc,
};

mod client;
mod reactor;

/// Bytes of the file; a client must not fill the disk.
const FILE_MAX: u64 = 16 << 20;

/// The file, shared by all connections.
struct Log(Rc<RefCell<File>>);

struct Lines {
    log: Rc<RefCell<File>>,
    peer: SocketAddr,
    unread: LineBuffer,
}

impl Factory for Log {
    type Protocol = Lines;

    fn build_protocol(&self, peer: SocketAddr) -> Lines {
        Lines { log: Rc::clone(&self.0), peer, unread: LineBuffer::default() }
    }
}

impl Protocol for Lines {
    fn data_received(&mut self, transport: &mut Transport<'_>, data: &[u8]) {
        reactor::lines(&mut self.unread, data, |line| {
            let written = line
                .map_err(anyhow::Error::msg)
                .and_then(|line| append(&self.log, self.peer, line));
            transport.write(match written {
                Ok(()) => "It is written.\r\n".to_owned(),
                Err(why) => format!("It is not written: {why:#}\r\n"),
            });
        });
    }
}

fn append(log: &RefCell<File>, peer: SocketAddr, line: &str) -> anyhow::Result<()> {
    let mut file = log.borrow_mut();
    anyhow::ensure!(file.metadata()?.len() < FILE_MAX, "the file is full");
    file.write_all(format!("{peer} === {}\n", sanitize(line)).as_bytes())?; // a `File` has no buffer of its own to flush
    Ok(file.flush()?)
}

fn main() -> anyhow::Result<()> {
    let path = match std::env::args().nth(2) {
        Some(path) => path.into(),
        None => program::temporary_folder()?.join("lines.log"),
    };
    let file = OpenOptions::new().append(true).create(true).open(&path);
    let file = file.with_context(|| path.display().to_string())?;
    reactor::run("127.0.0.1:8007", &Log(Rc::new(RefCell::new(file))))?;
    io::copy(&mut File::open(path)?, &mut io::stdout())?;
    Ok(())
}
