//! The one thread that prints, `screen`, and the queue into it.
//!
//! Two threads that print would tear each other's lines. So whoever has something to show puts it into the queue, and
//! `screen` takes out what has gathered, makes one text of it and prints that: through the line editor (see `gate.rs`),
//! or as exact lines into a pipe. Ten thousand lines in a second are a few dozen prints. It never reads keys or sockets.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use rustyline::ExternalPrinter;

use crate::classify::{Kind, Line};
use crate::gate::{Gate, Way};
use crate::shared::Shared;
use crate::window::Window;
use crate::{paint, terminal};

/// Lines that may wait to be shown. A person who searches his history holds the screen for a while, and until this many
/// have come the server does not notice; then TCP makes it wait. At most 64 MiB of lines as long as `lines.rs` lets be.
const QUEUE_MAX: usize = 16 * 1024;

/// One print, in bytes: a few screens full. More at once would make keys wait behind it.
const PRINT_MAX: usize = 16 * 1024;

/// How long the end of the program waits until everything is shown.
const FINISH_LIMIT: Duration = Duration::from_secs(3);

/// Up a row and down again: for the editor to print where nothing is to be seen. It ends in a line end, because the
/// editor adds one to what has none.
const NOTHING_SEEN: &str = "\x1b[A\n";

/// What can be shown.
enum Show {
    Line(Line),
    /// A sentence of the client's own.
    Notice(String),
    /// A line of ours as others read it: it stands on the screen already, and goes into the log alone.
    Own(String),
    /// Keep what is shown in this file, or no longer.
    Log(Option<File>),
    /// Nothing follows; say so when everything is on the screen.
    End(Sender<()>),
}

/// The queue into the `screen` thread.
#[derive(Clone)]
pub struct Screen {
    queue: Sender<Show>,
    gate: Option<Arc<Gate>>,
}

impl Screen {
    /// Shows a line from the server. Waits while too many wait already.
    pub fn line(&self, line: Line) {
        self.show(Show::Line(line));
    }

    /// Shows a sentence of the client's own: in a pipe on standard error, as it is not the server's.
    pub fn notice(&self, text: impl Into<String>) {
        self.show(Show::Notice(text.into()));
    }

    /// Writes a line of ours into the log.
    pub fn own(&self, text: String) {
        self.show(Show::Own(text));
    }

    /// Begins or ends a log.
    pub fn log(&self, file: Option<File>) {
        self.show(Show::Log(file));
    }

    fn show(&self, show: Show) {
        let _ = self.queue.send(show); // `screen` ends only with the program
    }

    /// Waits until everything is shown, or for [`FINISH_LIMIT`].
    pub fn finish(&self) {
        if let Some(gate) = &self.gate {
            gate.end();
        }
        let (done, is_done) = bounded(1);
        if self.queue.send_timeout(Show::End(done), FINISH_LIMIT).is_ok() {
            let _ = is_done.recv_timeout(FINISH_LIMIT); // a terminal that takes nothing must not keep us
        }
    }
}

/// Where `screen` prints.
pub enum Output {
    /// Lines as they came, and nothing else, on standard output.
    Plain,
    /// Above the line being typed.
    Editor {
        /// The way through the line editor.
        printer: Box<dyn ExternalPrinter + Send>,
        /// When it is open.
        gate: Arc<Gate>,
        /// Whose width has to be known to the editor.
        window: Arc<Window>,
        /// Whether to paint.
        colours: bool,
    },
}

/// Starts the thread.
///
/// # Errors
/// When the system has no thread left.
pub fn start(output: Output, shared: Arc<Shared>) -> io::Result<Screen> {
    let (queue, waiting) = bounded(QUEUE_MAX);
    let gate = match &output {
        Output::Plain => None,
        Output::Editor { gate, .. } => Some(Arc::clone(gate)),
    };
    let writer = Writer { waiting, output, shared, log: None, me: None };
    std::thread::Builder::new().name("screen".to_owned()).spawn(move || writer.run())?;
    Ok(Screen { queue, gate })
}

/// The thread's own.
struct Writer {
    waiting: Receiver<Show>,
    output: Output,
    shared: Arc<Shared>,
    log: Option<BufWriter<File>>,
    me: Option<String>,
}

/// What one print is made of.
#[derive(Default)]
struct Batch {
    text: String,
    rings: bool,
    end: Option<Sender<()>>,
}

impl Writer {
    fn run(mut self) {
        while let Ok(first) = self.waiting.recv() {
            let mut batch = Batch::default();
            self.me = self.shared.known().me.clone();
            self.take(first, &mut batch);
            if let (Output::Editor { gate, .. }, false) = (&self.output, batch.text.is_empty()) {
                gate.wait(); // what comes meanwhile is printed with it
            }
            while batch.end.is_none() && batch.text.len() < PRINT_MAX {
                let Ok(next) = self.waiting.try_recv() else { break };
                self.take(next, &mut batch);
            }
            self.flush_log();
            if batch.rings {
                batch.text.insert(0, '\x07');
            }
            self.print(batch.text);
            if let Some(done) = batch.end {
                self.settle();
                let _ = done.send(());
            }
        }
    }

    fn take(&mut self, show: Show, batch: &mut Batch) {
        match show {
            Show::Line(line) => {
                self.write_log(&line.text);
                batch.rings |= self.is_alert(&line);
                match &self.output {
                    Output::Editor { colours: true, .. } => {
                        paint::paint(&line, self.me.as_deref(), &mut batch.text)
                    }
                    _ => batch.text.push_str(&line.text),
                }
                batch.text.push('\n');
            }
            Show::Notice(text) => match &self.output {
                Output::Plain => eprintln!("chat: {text}"),
                Output::Editor { colours: true, .. } => {
                    batch.text.push_str(&(paint::notice(&text) + "\n"))
                }
                Output::Editor { .. } => batch.text.push_str(&format!("chat: {text}\n")),
            },
            Show::Own(text) => self.write_log(&text),
            Show::Log(file) => self.log = file.map(BufWriter::new),
            Show::End(done) => batch.end = Some(done),
        }
    }

    fn is_alert(&self, line: &Line) -> bool {
        let is_editor = matches!(self.output, Output::Editor { .. });
        let is_to_us = line.kind == Kind::PrivateFrom
            || self.me.as_deref().and_then(|me| line.mentions(me)).is_some();
        is_editor && is_to_us && !line.is_past && self.shared.bell.load(Ordering::Relaxed)
    }

    fn print(&mut self, text: String) {
        if text.is_empty() {
            return;
        }
        match &mut self.output {
            Output::Plain => print_straight(&text),
            Output::Editor { printer, gate, window, .. } => {
                gate.wait();
                window.wait_until_seen();
                gate.print(|way| match way {
                    Way::Straight => print_straight(&text),
                    Way::Editor => {
                        let _ = printer.print(text); // fails only when the terminal is gone, and then so are we
                    }
                });
            }
        }
    }

    /// Waits until the editor has printed what it was given. Its queue holds one text: it takes the first of these two
    /// when everything before it is printed, and only then is there room for the second.
    fn settle(&mut self) {
        let Output::Editor { printer, gate, .. } = &mut self.output else { return };
        for _ in 0..2 {
            gate.print(|way| {
                if way == Way::Editor {
                    let _ = printer.print(NOTHING_SEEN.to_owned());
                }
            });
        }
    }

    fn write_log(&mut self, text: &str) {
        self.log_or_stop(|log| writeln!(log, "{text}"));
    }

    fn flush_log(&mut self) {
        self.log_or_stop(Write::flush);
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
