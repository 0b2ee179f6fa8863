//! `chat`, the terminal client: `chat HOST` and talk.
//!
//! Two things are waited for, the keyboard and the socket, and each has its thread: `main` (`keyboard.rs`, or `plain.rs`
//! in a pipe) and `socket` (`socket.rs`). A third, `screen` (`screen.rs`), is the only one that prints. No `select`: so
//! it runs on Windows. A line editor keeps what is half typed: so a message wipes out nothing. docs/client.md tells more.
//!
//! This file puts them together. It is no protocol (`classify.rs`, `known.rs`) and no terminal (`editor.rs`).

#![forbid(unsafe_code)]

mod backlog;
mod classify;
mod commands;
mod complete;
mod connection;
mod editor;
mod ending;
mod exit;
mod gate;
mod keyboard;
mod known;
mod lines;
mod options;
mod paint;
mod plain;
mod screen;
mod shared;
mod socket;
mod terminal;
mod window;

use std::io::{IsTerminal, stdin};
use std::net::TcpStream;
use std::process::exit;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use crossbeam_channel::unbounded;

use connection::{Link, connect};
use editor::LineEditor;
use exit::Exit;
use gate::Gate;
use keyboard::Keyboard;
use options::{Asked, Options};
use screen::{Output, Screen};
use shared::Shared;
use socket::{Order, Socket};
use window::Window;

fn main() {
    let options = match options::read(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Asked::Chat(options) if options.version => {
            told(concat!("chat ", env!("CARGO_PKG_VERSION"), "\n"), 0)
        }
        Asked::Chat(options) => options,
        Asked::Told(text, code) => told(&text, code),
    };
    terminal::remember();
    terminal::restore_on_panic();
    let result = chat(&options);
    terminal::restore();
    if let Err(error) = result {
        told(&format!("chat: {error:#}\n"), 1);
    }
}

fn told(text: &str, code: i32) -> ! {
    if code == 0 {
        print!("{text}")
    } else {
        eprint!("{text}")
    }
    exit(code)
}

/// The chat, from the first connection on. It ends by `Exit`, and returns only if it cannot go on.
fn chat(options: &Options) -> Result<()> {
    let address = options.address()?;
    let stream = match connect(&address) {
        Ok(stream) => stream,
        Err(ending) => told(&format!("chat: {ending}\n"), ending.code()),
    };
    terminal::end_on_signals().context("signals cannot be waited for")?;
    let shared = Arc::new(Shared::default());
    shared.bell.store(options.bell, Ordering::Relaxed);
    if terminal::can_edit() { edit(options, stream, shared) } else { pipe(options, stream, shared) }
}

/// With a person at a terminal.
fn edit(options: &Options, stream: TcpStream, shared: Arc<Shared>) -> Result<()> {
    let colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let gate = Arc::new(Gate::default());
    terminal::edit();
    let window = Arc::new(Window::new(window::flow(|name| std::env::var(name).ok())));
    let mut editor =
        LineEditor::new(Arc::clone(&shared), Arc::clone(&gate), Arc::clone(&window), colours)?;
    let output = Output::Editor { printer: editor.printer()?, gate, window, colours };
    let screen = screen::start(output, Arc::clone(&shared)).context("no thread can be started")?;
    let socket = socket(options, &shared, &screen)?;
    let (orders, link, exit) = (socket.0, Arc::clone(&socket.1.link), socket.1.exit.clone());
    start(Socket { has_editor: true, comes_back: !options.no_reconnect, ..socket.1 }, stream)?;
    Keyboard { editor, shared, screen, link, orders, exit }.run()
}

/// In a pipe, or on a terminal that cannot be edited on.
fn pipe(options: &Options, stream: TcpStream, shared: Arc<Shared>) -> Result<()> {
    let screen =
        screen::start(Output::Plain, Arc::clone(&shared)).context("no thread can be started")?;
    let (_, socket) = socket(options, &shared, &screen)?;
    let has_person = stdin().is_terminal();
    let link = Arc::clone(&socket.link);
    let name = if has_person { socket.name } else { Some(socket.name.unwrap_or_else(login_name)) };
    start(
        Socket { name, has_person, comes_back: has_person && !options.no_reconnect, ..socket },
        stream,
    )?;
    plain::run(&shared, &link, &screen, Duration::from_secs(options.wait))
}

fn socket(
    options: &Options,
    shared: &Arc<Shared>,
    screen: &Screen,
) -> Result<(crossbeam_channel::Sender<Order>, Socket)> {
    let (orders, given) = unbounded();
    let socket = Socket {
        shared: Arc::clone(shared),
        screen: screen.clone(),
        link: Arc::new(Link::default()),
        orders: given,
        exit: Exit::new(screen.clone()),
        address: options.address()?,
        name: options.name.clone(),
        room: options.room.clone(),
        has_person: true,
        has_editor: false,
        comes_back: false,
    };
    Ok((orders, socket))
}

fn start(socket: Socket, stream: TcpStream) -> Result<()> {
    let run = move || socket.run(stream);
    thread::Builder::new()
        .name("socket".to_owned())
        .spawn(run)
        .map(drop)
        .context("no thread can be started")
}

/// A pipe cannot be asked for a name: the name of its login will do, if a server would take it.
fn login_name() -> String {
    let login = ["USER", "LOGNAME", "USERNAME"]
        .iter()
        .find_map(|variable| std::env::var(variable).ok())
        .unwrap_or_default();
    let kept = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name: String =
        login.chars().skip_while(|c| !c.is_ascii_alphabetic()).filter(kept).take(20).collect();
    if name.is_empty() { "guest".to_owned() } else { name }
}
