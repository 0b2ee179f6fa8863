//! The one thread that prints, `screen`, and the queue into it.
//!
//! Two threads that print would tear each other's lines. So whoever has something to show puts it
//! into the queue, and `screen` takes out what has gathered, makes one text of it and prints that:
//! through the line editor (see `screen_lock.rs`), or as exact lines into a pipe. Ten thousand
//! lines in a second are a few dozen prints. It never reads keys or sockets.

use crate::{
    paint,
    screen_lock::{ScreenLock, Way},
    server_line::{LineKind, ServerLine},
    shared::Shared,
    terminal,
    window::Window,
};
use crossbeam_channel::{Receiver, Sender, bounded};
use rustyline::ExternalPrinter;
use std::{
    fs::File,
    io::{self, BufWriter, Write},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

/// Lines that may wait to be shown. A person who searches the typed lines holds the screen for a
/// while, and until this many have come the server does not notice; then TCP makes it wait. At most
/// 64 MiB of lines as long as `socket.rs` lets them be.
const QUEUE_MAX: usize = 16 * 1024;

/// One print, in bytes: a few screens full. More at once would make keys wait behind it.
const PRINT_MAX: usize = 16 * 1024;

/// How long the end of the program waits until everything is shown.
const FINISH_LIMIT: Duration = Duration::from_secs(3);

/// Up a row and down again: for the editor to print where nothing is to be seen. It ends in a line
/// end, because the editor adds one to what has none.
const NOTHING_SEEN: &str = "\x1b[A\n";

/// What can be shown.
pub(crate) enum Show {
    Line(ServerLine),
    /// A sentence of the client's own.
    Notice(String),
    /// A line of ours as others read it: it stands on the screen already, and goes into the log.
    Own(String),
    /// Add what is shown to this file, or no longer.
    Log(Option<File>),
    /// Nothing follows; say so when everything is on the screen.
    End(Sender<()>),
}

/// The screen as the other threads see it: the queue, and what the line editor says of itself.
pub(crate) struct Screen {
    queue: Sender<Show>,
    pub(crate) lock: ScreenLock,
    pub(crate) window: Window,
}

impl Screen {
    /// A screen, and the end of its queue that [`ScreenThread`] reads.
    pub(crate) fn new() -> (Screen, Receiver<Show>) {
        let (queue, waiting) = bounded(QUEUE_MAX);
        (Screen { queue, lock: ScreenLock::default(), window: Window::new() }, waiting)
    }

    /// Shows a line from the server. Waits while too many wait already.
    pub(crate) fn line(&self, line: ServerLine) {
        self.show(Show::Line(line));
    }

    /// Shows a sentence of the client's own: in a pipe on standard error, as it is not the
    /// server's.
    pub(crate) fn notice(&self, text: impl Into<String>) {
        self.show(Show::Notice(text.into()));
    }

    pub(crate) fn show(&self, show: Show) {
        let _ = self.queue.send(show); // `screen` ends only with the program
    }

    /// Waits until everything is shown, or for [`FINISH_LIMIT`].
    pub(crate) fn finish(&self) {
        self.lock.end_program();
        let (done, is_done) = bounded(1);
        if self.queue.send_timeout(Show::End(done), FINISH_LIMIT).is_ok() {
            let _ = is_done.recv_timeout(FINISH_LIMIT); // a terminal may take nothing any more
        }
    }
}

/// Where `screen` prints.
pub(crate) enum Output {
    /// Lines as they came, and nothing else, on standard output.
    Plain,
    /// Above the line being typed, through the line editor.
    Editor { printer: Box<dyn ExternalPrinter + Send>, has_colours: bool },
}

pub(crate) struct ScreenThread {
    waiting: Receiver<Show>,
    output: Output,
    shared: Arc<Shared>,
    log: Option<BufWriter<File>>,
    me: Option<String>,
}

/// What is printed at once.
#[derive(Default)]
struct Print {
    text: String,
    rings: bool,
    end: Option<Sender<()>>,
}

impl ScreenThread {
    pub(crate) fn new(
        waiting: Receiver<Show>,
        output: Output,
        shared: Arc<Shared>,
    ) -> ScreenThread {
        ScreenThread { waiting, output, shared, log: None, me: None }
    }

    pub(crate) fn run(mut self) {
        while let Ok(first) = self.waiting.recv() {
            let mut print = Print::default();
            self.me = self.shared.known().me.clone();
            self.take(first, &mut print);
            if !print.text.is_empty() {
                self.shared.screen.lock.wait(); // what comes meanwhile is printed with it
            }
            while print.end.is_none()
                && print.text.len() < PRINT_MAX
                && let Ok(next) = self.waiting.try_recv()
            {
                self.take(next, &mut print);
            }
            self.log_or_stop(Write::flush);
            if print.rings {
                print.text.insert(0, '\x07');
            }
            self.print(print.text);
            if let Some(done) = print.end {
                self.settle();
                let _ = done.send(());
            }
        }
    }

    fn take(&mut self, show: Show, print: &mut Print) {
        let has_colours = matches!(self.output, Output::Editor { has_colours: true, .. });
        match show {
            Show::Line(line) => {
                self.log_or_stop(|log| writeln!(log, "{}", line.text));
                print.rings |= self.rings_for(&line);
                match has_colours {
                    true => paint::paint(&line, self.me.as_deref(), &mut print.text),
                    false => print.text.push_str(&line.text),
                }
                print.text.push('\n');
            }
            Show::Notice(text) => match &self.output {
                Output::Plain => eprintln!("chat: {text}"),
                Output::Editor { .. } if has_colours => {
                    print.text.push_str(&(paint::notice(&text) + "\n"))
                }
                Output::Editor { .. } => print.text.push_str(&format!("chat: {text}\n")),
            },
            Show::Own(text) => self.log_or_stop(|log| writeln!(log, "{text}")),
            Show::Log(file) => self.log = file.map(BufWriter::new),
            Show::End(done) => print.end = Some(done),
        }
    }

    fn rings_for(&self, line: &ServerLine) -> bool {
        let is_to_us = line.kind == LineKind::PrivateFrom
            || self.me.as_deref().and_then(|me| line.mention_of(me)).is_some();
        let is_editor = matches!(self.output, Output::Editor { .. });
        is_to_us && is_editor && !line.is_past && self.shared.has_bell.load(Ordering::Relaxed)
    }

    fn print(&mut self, text: String) {
        if text.is_empty() {
            return;
        }
        let Screen { lock, window, .. } = &self.shared.screen;
        match &mut self.output {
            Output::Plain => print_straight(&text),
            Output::Editor { printer, .. } => {
                lock.wait();
                window.wait_until_seen();
                lock.print(|way| match way {
                    Way::Straight => print_straight(&text),
                    Way::Editor => {
                        let _ = printer.print(text); // fails only when the terminal is gone
                    }
                });
            }
        }
    }

    /// Waits until the editor has printed what it was given. Its queue holds one text: it takes the
    /// first of these two when everything before it is printed, and only then the second finds
    /// room.
    fn settle(&mut self) {
        let Output::Editor { printer, .. } = &mut self.output else { return };
        for _ in 0..2 {
            self.shared.screen.lock.print(|way| {
                if way == Way::Editor {
                    let _ = printer.print(NOTHING_SEEN.to_owned());
                }
            });
        }
    }

    fn log_or_stop(&mut self, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) {
        if let Some(log) = &mut self.log
            && let Err(e) = write(log)
        {
            self.log = None;
            self.print(format!("chat: the log cannot be written, and is ended: {e}\n"));
        }
    }
}

/// Whoever reads our output may go (`chat HOST | head`): then there is nothing left to do.
fn print_straight(text: &str) {
    let mut out = io::stdout().lock();
    if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
        terminal::restore();
        std::process::exit(0);
    }
}
