//! What a small server program needs around its [`Server`]: an address from the command line, and
//! an end by Ctrl-C. The programs of the course use it; chatd has code of its own, because its
//! shutdown does more. Runs on thread `main`.

use super::{Connection, Handler, MixIn, Refusal, Server};
use crate::origin::Origin;
use anyhow::Context as _;
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    fs,
    io::{self, Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

/// Listens on the address that is the program's first argument (`ADDR:PORT`, or a port of
/// loopback), or else on `default`, and prints it. Port 0 is one that is free.
pub fn listen(default: &str) -> anyhow::Result<TcpListener> {
    let address = match std::env::args().nth(1) {
        Some(port) if !port.contains(':') => format!("127.0.0.1:{port}"),
        address => address.unwrap_or_else(|| default.to_owned()),
    };
    let listener = TcpListener::bind(&address)
        .with_context(|| format!("cannot listen on {address} (127.0.0.1:0 is a free port)"))?;
    say(&format!("listening on {}", listener.local_addr()?));
    Ok(listener)
}

/// What was typed behind the program's name. Ends the process with a message if that is wrong or asks
/// for help. (`argh::from_env` would panic if nobody reads the help to its end, as in `--help | head`.)
pub fn options<T: argh::TopLevelCommand>() -> T {
    let words: Vec<String> = std::env::args().collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let path = words.first().copied().unwrap_or_default();
    let name = Path::new(path).file_name().and_then(|name| name.to_str()).unwrap_or(path);
    let early_exit = match T::from_args(&[name], words.get(1..).unwrap_or_default()) {
        Ok(options) => return options,
        Err(early_exit) => early_exit,
    };
    if early_exit.status.is_ok() {
        say(&early_exit.output);
        std::process::exit(0);
    }
    // A command of its own has a help of its own: `chatd history --help`.
    let mut command = name.to_owned();
    if let Some(first) = words.get(1)
        && let Err(help) = T::from_args(&[name], &[first, "--help"])
        && help.output.starts_with(&format!("Usage: {name} {first}"))
    {
        command = format!("{name} {first}");
    }
    let help = format!("Run {command} --help for more information.");
    let _ = writeln!(io::stderr(), "{}\n{help}", early_exit.output.trim_end());
    std::process::exit(1);
}

/// A new folder among the system's temporary files, for what a program of the course saves; prints
/// it.
pub fn temporary_folder() -> anyhow::Result<PathBuf> {
    let folder = std::env::temp_dir().join(format!("course-{}", std::process::id()));
    fs::create_dir(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    say(&format!("saving in {}", folder.display()));
    Ok(folder)
}

/// Prints a line. If standard output is closed, the line is lost and the server goes on.
pub fn say(line: &str) {
    let mut out = io::stdout();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Serves until Ctrl-C: then accepts nobody, hangs up on everybody, and waits for every thread of
/// the mix-in.
pub fn run<H: Handler, M: MixIn>(default: &str, handler: H, mixin: M) -> anyhow::Result<()> {
    let ctrl_c = CtrlC::new()?;
    let listener = listen(default)?;
    let handler = Arc::new(HangsUp { handler, open: Mutex::new(Some(HashMap::new())) });
    let server = Server::new(listener, Arc::clone(&handler), Arc::new(mixin));
    thread::scope(|scope| {
        scope.spawn(|| {
            ctrl_c.wait();
            server.shutdown();
            handler.hang_up();
        });
        server.serve_forever();
    });
    server.mixin.close();
    Ok(())
}

/// A handler whose connections can be ended from outside: it keeps a second handle on each.
struct HangsUp<H> {
    handler: H,
    /// `None` once everybody was hung up.
    open: Mutex<Option<HashMap<u64, TcpStream>>>,
}

impl<H> HangsUp<H> {
    /// Ends every connection: a read that waits returns, and a write fails. What has come and nobody
    /// has read is thrown away; a handler would still be given all of it, and that may be megabytes.
    fn hang_up(&self) {
        for mut stream in self.open.lock().take().into_iter().flat_map(HashMap::into_values) {
            let _ = stream.shutdown(Shutdown::Both);
            while matches!(stream.read(&mut [0; 16 << 10]), Ok(1..)) {} // it does not wait any more
        }
    }
}

impl<H: Handler> Handler for HangsUp<H> {
    fn handle(&self, connection: Connection) -> anyhow::Result<()> {
        let number = connection.number;
        let second_handle = connection.stream.try_clone()?;
        match &mut *self.open.lock() {
            Some(open) => open.insert(number, second_handle),
            None => return Ok(()),
        };
        let _closes = Closes { open: &self.open, number };
        self.handler.handle(connection)
    }

    fn verify(&self, connection: Connection) -> Option<Connection> {
        self.handler.verify(connection)
    }

    fn refuse(&self, connection: Connection, refusal: Refusal) {
        self.handler.refuse(connection, refusal);
    }

    fn handle_error(&self, number: u64, peer: Origin, error: &anyhow::Error) {
        self.handler.handle_error(number, peer, error);
    }
}

/// Drops the second handle when the handler ends, also by a panic: until then the peer would see no
/// end of file.
struct Closes<'a> {
    open: &'a Mutex<Option<HashMap<u64, TcpStream>>>,
    number: u64,
}

impl Drop for Closes<'_> {
    fn drop(&mut self) {
        if let Some(open) = &mut *self.open.lock() {
            open.remove(&self.number);
        }
    }
}

/// Ctrl-C (and SIGTERM) as a socket that becomes readable: a thread can wait for it, and so can
/// `select`.
pub struct CtrlC(Inner);

#[cfg(unix)]
type Inner = std::os::unix::net::UnixStream;
#[cfg(windows)]
type Inner = TcpStream;

impl CtrlC {
    /// From now on, Ctrl-C does not end the process any more. To be called once.
    #[cfg(unix)]
    pub fn new() -> anyhow::Result<CtrlC> {
        use signal_hook::{consts, low_level::pipe};
        let (inner, outer) = Inner::pair()?;
        for signal in super::signals::not_ignored(&[consts::SIGINT, consts::SIGTERM]) {
            pipe::register(signal, outer.try_clone()?)?;
        }
        Ok(CtrlC(inner))
    }

    /// From now on, Ctrl-C does not end the process any more. To be called once.
    #[cfg(windows)]
    pub fn new() -> anyhow::Result<CtrlC> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let mut outer = TcpStream::connect(listener.local_addr()?)?;
        let (inner, _) = listener.accept()?;
        ctrlc::set_handler(move || drop(outer.write(&[1])))?;
        Ok(CtrlC(inner))
    }

    /// Waits for a Ctrl-C.
    pub fn wait(&self) {
        let _ = (&self.0).read(&mut [0]);
    }
}

#[cfg(unix)]
impl std::os::fd::AsFd for CtrlC {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(windows)]
impl std::os::windows::io::AsSocket for CtrlC {
    fn as_socket(&self) -> std::os::windows::io::BorrowedSocket<'_> {
        self.0.as_socket()
    }
}
