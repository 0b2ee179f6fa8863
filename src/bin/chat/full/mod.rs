//! The full screen: the client has the whole terminal, and everything is laid out anew at each size.
//!
//! ```text
//!  terminal ──> keys ──> events ──┐                      ┌──> inputs ──> main (keyboard.rs)
//!                                 ├──> screen (a model) ─┤
//!  socket ────> queue ────────────┘                      └──> terminal
//! ```
//!
//! Thread `screen` alone has the model (`model.rs`) and draws it (`view.rs`); neither knows a terminal or a
//! socket. Thread `keys` waits for keys. What is typed goes to `main`, which obeys it as it does
//! without a full screen.

#[cfg(any(unix, test))]
mod decode;
mod earlier;
mod keys;
mod line;
mod model;
mod reader;
mod rows;
mod scroll;
mod scrollback;
mod style;
mod view;

#[cfg(test)]
mod tests;

use crate::{
    fold::fold,
    input::{Input, Typing},
    known::Known,
    log::Log,
    paint,
    screen::Show,
    settings::Key,
    shared::Shared,
    stamp::Stamp,
    terminal, typed_lines,
};
use anyhow::{Context as _, Result};
use crossbeam_channel::{Receiver, Sender, bounded, select, unbounded};
use model::{Effect, Model};
use ratatui::{
    Terminal,
    backend::CrosstermBackend,
    crossterm::{event::Event, terminal::SetTitle},
    layout::Rect,
};
use rustyline::history::{FileHistory, History as _};
use scrollback::Shown;
use std::{
    io::{self, Stdout, Write as _},
    path::PathBuf,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

/// Keys that may wait to be dealt with.
const KEYS_MAX: usize = 1024;

/// What is taken from the queue before it is drawn: then a key is never behind more than that.
const LINES_AT_ONCE: usize = 2000;

/// Shown at the first start: while no line was kept.
const HINT: &str = "Tab completes, PageUp scrolls, /help lists commands, /quit leaves.";

/// How often what changes by itself is drawn: how long the server has been away.
const TICK: Duration = Duration::from_secs(1);

/// `main`'s end: what was typed.
pub(crate) struct FullTyping {
    inputs: Receiver<Input>,
    shared: Arc<Shared>,
}

impl Typing for FullTyping {
    fn read(&mut self) -> Result<Input> {
        self.shared.screen.show(Show::Ready);
        self.inputs.recv().context("the screen is gone")
    }

    fn clear_screen(&mut self) {
        self.shared.screen.show(Show::Clear);
    }
}

/// The thread `screen`.
pub(crate) struct FullScreen {
    waiting: Receiver<Show>,
    events: Receiver<Event>,
    inputs: Sender<Input>,
    shared: Arc<Shared>,
    terminal: Terminal<CrosstermBackend<Stdout>>,
    model: Model,
    kept: FileHistory,
    file: Option<PathBuf>,
    log: Log,
    /// The number of the first entry that is not in it.
    not_logged: u64,
    title: String,
    has_colours: bool,
}

/// Takes the terminal. Returns what runs on thread `screen`, and `main`'s end.
///
/// # Errors
/// The terminal cannot be used.
pub(crate) fn take_terminal(
    waiting: Receiver<Show>,
    shared: Arc<Shared>,
    has_colours: bool,
) -> Result<(FullScreen, FullTyping)> {
    let terminal = Terminal::new(CrosstermBackend::new(io::stdout()));
    let terminal = terminal.context("the terminal cannot be used")?;
    ratatui::crossterm::terminal::enable_raw_mode().context("the terminal has no raw mode")?;
    terminal::take_screen();
    let (press, events) = bounded(KEYS_MAX);
    let read = move || reader::read(&press);
    thread::Builder::new().name("keys".to_owned()).spawn(read).context("no thread for keys")?;
    let (mut kept, file) = (FileHistory::new(), typed_lines::file());
    let _ = kept.set_max_len(typed_lines::LINES_MAX);
    let is_first = file.as_ref().is_some_and(|file| kept.load(file).is_err());
    let mut model = Model::new(kept.iter().cloned().collect(), has_colours);
    model.files = Some(typed_lines::files_like);
    if is_first {
        model.notice(HINT.to_owned(), Stamp::now());
    }
    let (inputs, typed) = unbounded();
    let typing = FullTyping { inputs: typed, shared: Arc::clone(&shared) };
    let (log, not_logged, title) = (Log::default(), 0, String::new());
    let screen = FullScreen {
        waiting,
        events,
        inputs,
        shared,
        terminal,
        model,
        kept,
        file,
        log,
        not_logged,
        title,
        has_colours,
    };
    Ok((screen, typing))
}

impl FullScreen {
    /// Draws, and takes what comes, until the program ends.
    pub(crate) fn run(mut self) {
        loop {
            self.draw();
            let (events, waiting) = (self.events.clone(), self.waiting.clone());
            select! {
                recv(events) -> event => match event {
                    Ok(event) => self.event(event),
                    Err(_) => return self.input(Input::End), // the terminal is gone
                },
                recv(waiting) -> show => show.into_iter().for_each(|show| self.show(show)),
                default(TICK) => {}
            }
            for _ in 0..LINES_AT_ONCE {
                if let Ok(event) = self.events.try_recv() {
                    self.event(event);
                    break; // and it is seen at once
                }
                let Ok(show) = self.waiting.try_recv() else { break };
                self.show(show);
            }
            self.flush_log();
        }
    }

    fn with_known<T>(&mut self, run: impl FnOnce(&mut Model, &Known, Stamp) -> T) -> T {
        let (at, shared) = (Stamp::now(), Arc::clone(&self.shared));
        self.model.settings = shared.settings();
        run(&mut self.model, &shared.known(), at)
    }

    fn event(&mut self, event: Event) {
        let effects = self.with_known(|model, known, at| match event {
            Event::Key(key) => model.key(key, known, at),
            Event::Paste(text) => {
                model.paste(&text, known, at);
                Vec::new()
            }
            Event::FocusGained | Event::FocusLost => {
                model.focus(matches!(event, Event::FocusGained));
                Vec::new()
            }
            Event::Mouse(mouse) => {
                model.wheel(mouse.kind, known);
                Vec::new()
            }
            Event::Resize(..) => Vec::new(), // it is drawn anew
        });
        effects.into_iter().for_each(|effect| self.obey(effect));
    }

    fn obey(&mut self, effect: Effect) {
        match effect {
            Effect::Input(input) => self.input(input),
            Effect::Keep(line) => {
                let is_new = self.kept.add(&line).unwrap_or(false);
                if let (true, Some(file)) = (is_new, &self.file) {
                    let _ = self.kept.append(file); // a full disk costs the history, not the chat
                }
            }
            Effect::Bell => write(b"\x07"),
            Effect::Suspend => self.suspend(),
            Effect::Bare => self.show_bare(),
            Effect::Redraw => self.redraw(),
        }
    }

    /// Until the person continues it. What the server says meanwhile is read then, behind a sentence,
    /// since its times are those at which it was read.
    fn suspend(&mut self) {
        #[cfg(unix)]
        {
            let at = Stamp::now();
            self.model.focus(false);
            terminal::stop();
            self.model.focus(true);
            self.model.notice(
                format!("stopped at {at}; what was said since then follows."),
                Stamp::now(),
            );
        }
        self.redraw();
    }

    /// Nothing that stands on the screen is relied on. (`Terminal::clear` would do, but it asks the
    /// terminal for the cursor, and the answer would be read as keys.)
    fn redraw(&mut self) {
        if let Ok(size) = self.terminal.size() {
            let _ = self.terminal.resize(Rect::new(0, 0, size.width, size.height));
        }
    }

    fn input(&self, input: Input) {
        let _ = self.inputs.send(input); // `main` ends only with the program
    }

    fn show(&mut self, show: Show) {
        match show {
            Show::Line(line) => {
                let effects = self.with_known(|model, known, at| model.show(line, known, at));
                effects.into_iter().for_each(|effect| self.obey(effect));
            }
            Show::Notice(text) => self.model.notice(text, Stamp::now()),
            Show::Typed(text) => self.model.own(&text, Stamp::now()),
            Show::Own(_) | Show::Note(_) | Show::Changed => {} // what is ours comes back
            Show::Log(file) => {
                self.log_new();
                self.log.begin(file);
            }
            Show::Redraw => self.redraw(),
            Show::Ready => self.model.ready(),
            Show::Clear => self.model.clear(),
            Show::Find(text) => self.model.find(text, Stamp::now()),
            Show::Window(window) => self.model.go_to(window),
            Show::End(done) => {
                self.flush_log();
                self.draw();
                self.leave_last_page(fold);
                let _ = done.send(());
                loop {
                    thread::park(); // the program ends
                }
            }
        }
        self.with_known(Model::sync);
        self.log_new();
    }

    /// What is new on the screen goes into the log.
    fn log_new(&mut self) {
        for entry in self.model.scrollback.on_from(self.not_logged) {
            self.log.add(entry.at, &entry.plain());
        }
        self.not_logged = self.model.scrollback.next();
    }

    fn flush_log(&mut self) {
        self.log_new();
        if let Some(why) = self.log.flush() {
            self.model.notice(why, Stamp::now());
        }
    }

    fn draw(&mut self) {
        self.with_known(Model::sync);
        terminal::take_wheel(self.model.settings.is_on(Key::Wheel));
        let (model, shared) = (&mut self.model, &self.shared);
        let mut title = String::new();
        let drawn = self.terminal.draw(|frame| {
            let known = shared.known();
            let (area, buffer) = (frame.area(), frame.buffer_mut());
            let cursor = view::draw(model, &known, Instant::now(), area, buffer);
            title = view::title(model, &known);
            frame.set_cursor_position(cursor);
        });
        if drawn.is_err() {
            return; // the terminal is gone: then a signal or the end of the keys ends us
        }
        if title != self.title {
            let _ = ratatui::crossterm::execute!(io::stdout(), SetTitle(&title));
            self.title = title;
        }
    }

    /// The last page stays in the terminal, as lines of its own: they can be read and copied there. `fold`
    /// breaks those that are longer than a row; without it the terminal does.
    fn leave_last_page(&mut self, fold: fn(&str, usize) -> String) {
        let (columns, rows) = self.model.size;
        let entries = self.model.scrollback.back_from(u64::MAX - 1);
        let me = self.shared.known().me.clone();
        let painted = |shown: &Shown| fold(&self.painted(shown, me.as_deref()), columns);
        let mut last: Vec<String> = entries.take(rows).map(|entry| painted(&entry.shown)).collect();
        last.reverse();
        terminal::leave_screen();
        write((last.join("\n") + "\n").replace('\n', "\r\n").as_bytes());
    }

    fn painted(&self, shown: &Shown, me: Option<&str>) -> String {
        let mut text = String::new();
        match shown {
            Shown::Line(line) if self.has_colours => {
                paint::paint(line, me, self.model.settings.words(), &mut text);
            }
            Shown::Line(line) => text.push_str(&line.text),
            Shown::Notice(notice) if self.has_colours => text = paint::notice(notice),
            Shown::Notice(notice) => text = format!("chat: {notice}"),
        }
        text
    }

    /// Lines without anything beside them, wrapped by the terminal, so that they are copied whole; until
    /// a key is pressed.
    fn show_bare(&mut self) {
        self.leave_last_page(|line, _| line.to_owned());
        write(b"(any key: back to the chat)");
        while self.events.recv().is_ok_and(|event| !matches!(event, Event::Key(_))) {}
        terminal::take_screen();
        self.redraw();
    }
}

fn write(bytes: &[u8]) {
    let mut out = io::stdout();
    let _ = out.write_all(bytes).and_then(|()| out.flush()); // else the terminal is gone
}
