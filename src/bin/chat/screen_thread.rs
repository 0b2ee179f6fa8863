//! The one thread that prints, `screen`.
//!
//! Two threads that print would tear each other's lines. So whoever has something to show puts it
//! into the queue, and `screen` takes out what has gathered, makes one text of it and prints that:
//! through the line editor (see `screen_lock.rs`), or as exact lines into a pipe. Ten thousand
//! lines in a second are a few dozen prints. It never reads keys or sockets.

use crate::{
    fold::fold,
    json,
    log::Log,
    paint,
    screen::{Screen, Show},
    screen_lock::Way,
    server_line::{LineKind, ServerLine},
    settings::{Key, Settings},
    shared::Shared,
    stamp::Stamp,
    terminal,
};
use crossbeam_channel::{Receiver, Sender};
use jiff::Timestamp;
use rustyline::ExternalPrinter;
use std::{
    io::{self, Write as _},
    sync::Arc,
};

/// One print, in bytes: a few screens full. More at once would make keys wait behind it.
const PRINT_MAX: usize = 16 * 1024;

/// Up a row and down again: for the editor to print where nothing is to be seen. It ends in a line
/// end, because the editor adds one to what has none.
const NOTHING_SEEN: &str = "\x1b[A\n";

/// Where `screen` prints.
pub(crate) enum Output {
    /// Lines as they came, and nothing else, on standard output.
    Plain,
    /// Lines and notes, each as a JSON object, on standard output.
    Json,
    /// Above the line being typed, through the line editor.
    Editor { printer: Box<dyn ExternalPrinter + Send>, has_colours: bool },
}

pub(crate) struct ScreenThread {
    waiting: Receiver<Show>,
    output: Output,
    shared: Arc<Shared>,
    log: Log,
    me: Option<String>,
    settings: Arc<Settings>,
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
        let settings = shared.settings();
        ScreenThread { waiting, output, shared, log: Log::default(), me: None, settings }
    }

    pub(crate) fn run(mut self) {
        while let Ok(first) = self.waiting.recv() {
            let mut print = Print::default();
            self.me = self.shared.known().me.clone();
            self.settings = self.shared.settings();
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
            if let Some(why) = self.log.flush() {
                self.notice(&why, &mut print);
            }
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
        match show {
            Show::Line(line) => {
                self.log.add(Stamp::now(), &line.text);
                print.rings |= self.rings_for(&line);
                match &self.output {
                    Output::Json => print.text.push_str(&json::line(&line, Timestamp::now())),
                    Output::Editor { has_colours: true, .. } => {
                        let words = self.settings.words();
                        paint::paint(&line, self.me.as_deref(), words, &mut print.text);
                    }
                    Output::Editor { .. } | Output::Plain => print.text.push_str(&line.text),
                }
                print.text.push('\n');
            }
            Show::Note(text) => print.text.push_str(&(json::note(&text) + "\n")),
            Show::Notice(text) => self.notice(&text, print),
            Show::Own(text) => self.log.add(Stamp::now(), &text),
            Show::Redraw => print.text.push_str(NOTHING_SEEN),
            Show::Typed(_) | Show::Changed | Show::Ready | Show::Clear => {}
            Show::Find(_) | Show::Window(_) => {
                self.take(Show::Notice("that is for the full screen only.".to_owned()), print);
            }
            Show::Log(file) => self.log.begin(file),
            Show::End(done) => print.end = Some(done),
        }
    }

    fn notice(&mut self, text: &str, print: &mut Print) {
        self.log.add(Stamp::now(), &format!("chat: {text}"));
        match &self.output {
            Output::Plain | Output::Json => {
                self.print_straight(&std::mem::take(&mut print.text)); // which came before
                eprintln!("chat: {text}");
            }
            Output::Editor { has_colours: true, .. } => {
                print.text.push_str(&(paint::notice(text) + "\n"));
            }
            Output::Editor { .. } => print.text.push_str(&format!("chat: {text}\n")),
        }
    }

    fn rings_for(&self, line: &ServerLine) -> bool {
        let is_to_us = line.kind == LineKind::PrivateFrom
            || !line.mentions(self.me.as_deref(), self.settings.words()).is_empty();
        let is_editor = matches!(self.output, Output::Editor { .. });
        is_to_us && is_editor && !line.is_past && self.settings.is_on(Key::Bell)
    }

    fn print(&mut self, text: String) {
        if text.is_empty() {
            return;
        }
        let Screen { lock, window, .. } = &self.shared.screen;
        match &mut self.output {
            Output::Plain | Output::Json => self.print_straight(&text),
            Output::Editor { printer, .. } => {
                lock.wait();
                window.wait_until_seen();
                let text = match terminal::columns() {
                    Some(columns) => fold(&text, columns.into()),
                    None => text,
                };
                lock.print(|way| match way {
                    Way::Straight => print_straight(&text, false),
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

    fn print_straight(&self, text: &str) {
        print_straight(text, matches!(self.output, Output::Json));
    }
}

/// Whoever reads our output may go (`chat HOST | head`): then there is nothing left to do, unless it
/// is a program, which `needs_all`. A disk that is full is an error.
fn print_straight(text: &str, needs_all: bool) {
    let mut out = io::stdout().lock();
    if let Err(e) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        terminal::restore();
        if e.kind() == io::ErrorKind::BrokenPipe && !needs_all {
            std::process::exit(0);
        }
        eprintln!("chat: what comes cannot be written: {e}");
        std::process::exit(1);
    }
}
