//! `chat`, the terminal client: `chat HOST` and talk.
//!
//! Two things are waited for, the keyboard and the socket, and each has its thread: `main`
//! (`keyboard.rs`, or `plain.rs` in a pipe) and `socket` (`socket.rs`). A third, `screen`
//! (`screen.rs`), is the only one that prints. No `select`: so it runs on Windows. A line editor
//! has what is half typed: so a message wipes out nothing. docs/client.md tells more.
//!
//! This file puts them together. What lines mean is in `server_line.rs` and `known.rs`.

#![forbid(unsafe_code)]
#![warn(unreachable_pub)]

mod address;
mod arrivals;
mod commands;
mod complete;
mod config;
mod connection;
mod editor;
mod elsewhere;
mod ending;
mod fold;
mod full;
mod hearing;
mod hooks;
mod input;
mod json;
mod keyboard;
mod known;
mod left;
mod log;
mod note;
mod options;
mod own;
mod pace;
mod paint;
mod paste;
mod plain;
mod screen;
mod screen_lock;
mod screen_thread;
mod secrets;
mod server_line;
mod setting;
mod settings;
mod shared;
mod socket;
mod stamp;
mod terminal;
mod tls;
mod typed_lines;
mod visit;
mod window;

use address::Address;
use anyhow::{Context as _, Result};
use connection::{Stream, connect};
use crossbeam_channel::unbounded;
use editor::LineEditor;
use ending::Ending;
use keyboard::Keyboard;
use options::Options;
use screen::Screen;
use screen_thread::{Output, ScreenThread};
use settings::{Key, Settings};
use shared::Shared;
use socket::Socket;
use std::{
    env,
    io::{IsTerminal as _, Write as _, stderr, stdin, stdout},
    process::exit,
    sync::Arc,
    thread,
    time::Duration,
};
use tls::Trust;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let options = options::read(&arguments).unwrap_or_else(|(text, code)| end_with(&text, code));
    let settings = settings(&options).unwrap_or_else(|why| end_with(&format!("chat: {why}.\n"), 2));
    terminal::remember();
    terminal::restore_on_panic();
    let result = chat(&options, settings);
    terminal::restore();
    if let Err(error) = result {
        end_with(&format!("chat: {error:#}\n"), 1);
    }
}

fn end_with(text: &str, code: i32) -> ! {
    // Who does not read it to its end (`--help | head`) has read enough.
    let _ = match code {
        0 => stdout().write_all(text.as_bytes()),
        _ => stderr().write_all(text.as_bytes()),
    };
    exit(code)
}

fn end(ending: Ending) -> Stream {
    end_with(&format!("chat: {ending}\n"), ending.code())
}

/// What the file and the command line say.
fn settings(options: &Options) -> Result<Settings, String> {
    let file = options.config.clone().or_else(config::path);
    let settings = config::load(file.as_deref(), options.config.is_some())?;
    options.settings(settings).map_err(|why| format!("{why:#}"))
}

/// What has failed if signals cannot be waited for.
const SIGNALS: &str = "signals cannot be waited for";

/// The chat, from the first connection on. It ends by [`Shared::leave`], and returns only if it
/// cannot go on.
fn chat(options: &Options, settings: Settings) -> Result<()> {
    let address = settings.address()?;
    let file = options.config.clone().or_else(config::path);
    let trust = Trust::new(settings.pin()?, typed_lines::folder());
    let stream = first_connection(&address, &trust, options.json).unwrap_or_else(end);
    let has_editor = terminal::can_edit() && !options.json;
    let has_person = has_editor || stdin().is_terminal();
    let has_colours = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let (screen, waiting) = Screen::new();
    let (commands, received) = unbounded();
    let text = |key| settings.text(key).map(str::to_owned);
    let is_full = has_editor && !settings.is_on(Key::Inline);
    let (name, room) =
        (text(Key::Name).or_else(|| (!has_person).then(login_name)), text(Key::Room));
    let comes_back = has_person && settings.is_on(Key::Reconnect) && !options.json;
    let shared = Arc::new(Shared::new(screen, settings, trust));
    let socket = Socket {
        shared: Arc::clone(&shared),
        commands: received,
        connects: 0,
        address,
        name,
        room,
        has_person,
        has_editor,
        shows_own: is_full || options.json,
        tells_notes: options.json,
        comes_back,
        tries: 0,
        refusals: 0,
        told: None,
        was_cut: false,
    };
    let starts_socket = move || start("socket", move || socket.run(stream));
    let obeys = Arc::clone(&shared);
    let obey_signals = move || terminal::obey_signals(has_editor, move || obeys.screen.redraw());
    if is_full {
        let (screen, typing) = full::take_terminal(waiting, Arc::clone(&shared), has_colours)?;
        obey_signals().context(SIGNALS)?;
        start("screen", move || screen.run())?;
        starts_socket()?;
        return Keyboard::new(typing, shared, commands, file).run();
    }
    let mut editor =
        has_editor.then(|| LineEditor::new(Arc::clone(&shared), has_colours)).transpose()?;
    let output = match &mut editor {
        Some(editor) => Output::Editor { printer: editor.printer()?, has_colours },
        None if options.json => Output::Json,
        None => Output::Plain,
    };
    obey_signals().context(SIGNALS)?;
    let screen = ScreenThread::new(waiting, output, Arc::clone(&shared));
    start("screen", move || screen.run())?;
    starts_socket()?;
    match editor {
        Some(editor) => Keyboard::new(editor, shared, commands, file).run(),
        None => plain::run(&shared, Duration::from_secs(options.wait)),
    }
}

/// The first connection, for which a person may be asked whether they trust the server.
fn first_connection(to: &Address, trust: &Trust, is_program: bool) -> Result<Stream, Ending> {
    let (why, presented) = match connect(to, trust) {
        Err(Ending::Unknown { why, presented, .. }) if !is_program && tls::may_ask() => {
            (why, presented)
        }
        result => return result,
    };
    match tls::ask(trust, to, &why, &presented) {
        Ok(true) => connect(to, trust),
        Ok(false) => Err(Ending::Distrusted("not connected.".to_owned())),
        Err(why) => Err(Ending::Distrusted(format!("{why}. Not connected."))),
    }
}

fn start(name: &str, run: impl FnOnce() + Send + 'static) -> Result<()> {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(run);
    thread.map(drop).context("no thread can be started")
}

/// A pipe cannot be asked for a name: the name of its login will do, if a server would take it.
fn login_name() -> String {
    let login = ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| env::var(name).ok());
    let login = login.unwrap_or_default();
    let is_allowed = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let letters = login.chars().skip_while(|c| !c.is_ascii_alphabetic());
    let name: String = letters.filter(is_allowed).take(20).collect();
    if name.is_empty() { "guest".to_owned() } else { name }
}
