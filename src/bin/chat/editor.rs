//! The line editor: rustyline, and what it is told about this chat. It keeps the half-typed line
//! whole while `screen` prints, remembers what was typed, and completes. Everything here runs on
//! `main`, also rustyline's callbacks.

use crate::{complete::Cycle, note::Question, paint, shared::Shared, terminal};
use anyhow::{Context as _, Result};
use etcetera::BaseStrategy as _;
use parking_lot::Mutex;
use rustyline::{
    Cmd, ColorMode, CompletionType, ConditionalEventHandler, Config, Context, Event, EventContext,
    EventHandler, ExternalPrinter, Helper, KeyCode, KeyEvent, Modifiers, RepeatCount,
    completion::Completer,
    config::BellStyle,
    error::ReadlineError,
    highlight::{CmdKind, Highlighter},
    hint::Hinter,
    history::FileHistory,
    validate::{ValidationContext, ValidationResult, Validator},
};
use std::{
    borrow::Cow,
    fs,
    io::ErrorKind,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Typed lines that are remembered across runs.
const HISTORY_MAX: usize = 1000;

/// Commands behind which a password or a code stands, in whatever case they are typed: such lines are
/// never remembered.
const NEVER_REMEMBERED: [&str; 5] = ["/login", "/password", "/passwd", "/register", "/instructor"];

/// What reading a line came to.
pub(crate) enum Input {
    /// A line, without its end; pasted text may be several.
    Line(String),
    /// The answer to a question for a password.
    Password(String),
    /// Ctrl-D on an empty line, or Ctrl-C.
    End,
}

pub(crate) struct LineEditor {
    editor: rustyline::Editor<Hooks, FileHistory>,
    history: Option<PathBuf>,
    shared: Arc<Shared>,
    has_colours: bool,
}

impl LineEditor {
    /// Takes the terminal.
    pub(crate) fn new(shared: Arc<Shared>, has_colours: bool) -> Result<LineEditor> {
        terminal::edit();
        let config = Config::builder()
            .color_mode(ColorMode::Forced) // else we are not asked what to show of a password
            .bell_style(BellStyle::None)
            .completion_type(CompletionType::List) // one candidate is taken at once
            .max_history_size(HISTORY_MAX)?
            .history_ignore_dups(true)?
            .build();
        let mut editor = rustyline::Editor::with_config(config)
            .context("the terminal cannot be used for editing")?;
        let goes_back = Arc::new(AtomicBool::new(false));
        bind_keys(&mut editor, &shared, &goes_back);
        editor.set_helper(Some(Hooks {
            shared: Arc::clone(&shared),
            prompt: String::new(),
            cycle: Mutex::default(),
            goes_back,
            was_hidden: AtomicBool::new(false),
        }));
        let history = history_file();
        if let Some(file) = &history {
            let _ = editor.load_history(file); // the first run has none
        }
        Ok(LineEditor { editor, history, shared, has_colours })
    }

    /// The way for `screen` to print above the line being typed.
    pub(crate) fn printer(&mut self) -> Result<Box<dyn ExternalPrinter + Send>> {
        let printer = self.editor.create_external_printer();
        Ok(Box::new(printer.context("the terminal cannot be printed to")?))
    }

    /// Waits for a line to be typed.
    pub(crate) fn read(&mut self) -> Result<Input> {
        if self.shared.known().question != Some(Question::Password) {
            self.shared.end_typing();
        }
        let prompt = self.prompt();
        let screen = &self.shared.screen;
        screen.window.begin();
        if let Some(hooks) = self.editor.helper_mut() {
            hooks.prompt.clone_from(&prompt.0);
        }
        screen.lock.begin_reading();
        let result = self.editor.readline(&prompt);
        screen.lock.end_reading();
        terminal::prompt_shown(false);
        let hooks = self.editor.helper();
        let was_hidden = hooks.is_some_and(|hooks| hooks.was_hidden.swap(false, Ordering::Relaxed));
        match result {
            Ok(line) if was_hidden => Ok(Input::Password(line)),
            Ok(line) => Ok(Input::Line(line)),
            Err(ReadlineError::Eof | ReadlineError::Interrupted) => Ok(Input::End),
            Err(ReadlineError::Io(e)) if e.kind() == ErrorKind::InvalidData => {
                Ok(Input::Line(String::new()))
            }
            Err(e) => Err(e).context("the terminal cannot be read"),
        }
    }

    /// Remembers a line for this run and those to come.
    pub(crate) fn remember(&mut self, line: &str) {
        if line.trim().is_empty() || carries_password(line) {
            return;
        }
        let is_new = self.editor.add_history_entry(line).unwrap_or(false);
        if let (true, Some(file)) = (is_new, &self.history) {
            let _ = self.editor.append_history(file); // a full disk costs the history, not the chat
        }
    }

    pub(crate) fn clear_screen(&mut self) {
        let _ = self.editor.clear_screen();
    }

    /// Who and where we are, plain and coloured; in a narrow window less of it, so that there is
    /// room to type.
    fn prompt(&mut self) -> (String, String) {
        if self.shared.is_leaving() {
            return (String::new(), String::new());
        }
        let columns = self.editor.dimensions().map_or(80, |(columns, _)| usize::from(columns));
        let (name, place) = {
            let known = self.shared.known();
            let place = known.room.as_deref().map(|room| format!("@{room}")).unwrap_or_default();
            match known.question {
                Some(Question::Name) => ("name".to_owned(), String::new()),
                Some(Question::Password) => ("password".to_owned(), String::new()),
                None => (known.me.clone().unwrap_or_default(), place),
            }
        };
        let forms = [(&*name, format!("{place}> ")), (&*name, "> ".to_owned())];
        let fits = |(name, rest): &(&str, String)| 3 * (name.width() + rest.width()) <= 2 * columns;
        let (name, rest) = forms.into_iter().find(fits).unwrap_or(("", "> ".to_owned()));
        let plain = format!("{name}{rest}");
        let has_colours = self.has_colours && !name.is_empty();
        let styled = if has_colours { paint::prompt(name, &rest) } else { plain.clone() };
        (plain, styled)
    }
}

/// In the platform's folder for data, readable by its owner alone (rustyline sees to that).
fn history_file() -> Option<PathBuf> {
    let folder = etcetera::base_strategy::choose_native_strategy().ok()?.data_dir().join("chatd");
    fs::create_dir_all(&folder).ok()?;
    Some(folder.join("chat-history"))
}

/// Whether a line is a command with a password behind it. What stands there need not be one: better
/// forgotten than remembered.
fn carries_password(line: &str) -> bool {
    line.split_once(char::is_whitespace).is_some_and(|(command, _)| {
        NEVER_REMEMBERED.iter().any(|never| command.eq_ignore_ascii_case(never))
    })
}

/// What rustyline asks and tells us while it reads a line.
#[derive(Helper)]
struct Hooks {
    shared: Arc<Shared>,
    /// The prompt, as it is shown now.
    prompt: String,
    cycle: Mutex<Cycle>,
    /// The next completion goes backward.
    goes_back: Arc<AtomicBool>,
    /// The line just returned was not shown.
    was_hidden: AtomicBool,
}

impl Hooks {
    /// What is typed must not be seen: a password, or keys pressed while we leave.
    fn is_hidden(&self) -> bool {
        if self.shared.known().question == Some(Question::Password) {
            self.shared.hides_typing(); // to the end of the line, also if the connection is lost
        }
        self.shared.is_typing_hidden() || self.shared.is_leaving()
    }
}

impl Highlighter for Hooks {
    fn highlight<'l>(&self, line: &'l str, _pos: usize) -> Cow<'l, str> {
        if !self.is_hidden() {
            return Cow::Borrowed(line);
        }
        // Blanks of the same width: rustyline places the cursor by what it believes is shown.
        let blank =
            |c: char| if c == '\n' { "\n".to_owned() } else { " ".repeat(c.width().unwrap_or(0)) };
        Cow::Owned(line.chars().map(blank).collect())
    }

    /// Called whenever the prompt has been drawn: after every print, too. That is how we know that
    /// it was printed.
    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(
        &'s self,
        prompt: &'p str,
        _default: bool,
    ) -> Cow<'b, str> {
        terminal::prompt_shown(!prompt.is_empty());
        self.shared.screen.lock.prompt_drawn();
        Cow::Borrowed(prompt)
    }

    /// Whether a key needs the whole line drawn anew; otherwise rustyline writes a typed letter as
    /// it is.
    fn highlight_char(&self, _line: &str, _pos: usize, _kind: CmdKind) -> bool {
        self.is_hidden()
    }
}

impl Hinter for Hooks {
    type Hint = String;

    /// We have no hints to give; but this is called before the line is drawn anew, and so when the
    /// window has changed.
    fn hint(&self, line: &str, pos: usize, _: &Context<'_>) -> Option<String> {
        let before = format!("{}{}", self.prompt, &line[..pos]);
        if let Some(first) = self.shared.screen.window.drawing(&before, &line[pos..]) {
            terminal::write(first.as_bytes());
        }
        None
    }
}

impl Validator for Hooks {
    /// Called when Enter is pressed, before the line is returned: the last moment at which the
    /// editor prints for us.
    fn validate(&self, _line: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let is_hidden = self.is_hidden();
        self.was_hidden.store(is_hidden, Ordering::Relaxed);
        self.shared.screen.lock.end_reading();
        Ok(ValidationResult::Valid(None))
    }
}

/// Tab goes through the completions, and each press makes one of them. Not rustyline's own going
/// round: that waits for the next key before it prints anything, so one Tab would stop the chat.
impl Completer for Hooks {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        pos: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let is_backward = self.goes_back.swap(false, Ordering::Relaxed);
        let known = self.shared.known();
        if known.question.is_some() {
            return Ok((0, Vec::new()));
        }
        let made = self.cycle.lock().press(&line[..pos], is_backward, &known);
        Ok((0, made.into_iter().collect()))
    }
}

/// A key's handler: of the line as it is typed so far it makes a command for the editor, or `None`,
/// and then the key does what it always does.
struct OnKey<F>(F);

impl<F: Fn(&str) -> Option<Cmd> + Send + Sync> ConditionalEventHandler for OnKey<F> {
    fn handle(
        &self,
        _: &Event,
        _: RepeatCount,
        _: bool,
        context: &EventContext<'_>,
    ) -> Option<Cmd> {
        (self.0)(context.line())
    }
}

fn bind_keys(
    editor: &mut rustyline::Editor<Hooks, FileHistory>,
    shared: &Arc<Shared>,
    goes_back: &Arc<AtomicBool>,
) {
    let mut bind = |key, handler: Box<dyn ConditionalEventHandler>| {
        editor.bind_sequence(key, EventHandler::Conditional(handler));
    };
    let goes_back = Arc::clone(goes_back);
    let shift_tab = move |_: &str| {
        goes_back.store(true, Ordering::Relaxed);
        Some(Cmd::Complete)
    };
    bind(KeyEvent(KeyCode::BackTab, Modifiers::NONE), Box::new(OnKey(shift_tab)));
    // These end a reading without a line, so the editor prints for us no longer.
    let end = |command: Cmd| {
        let shared = Arc::clone(shared);
        move |line: &str| {
            let is_end = command == Cmd::Interrupt || line.is_empty();
            is_end.then(|| {
                shared.screen.lock.end_reading();
                command.clone()
            })
        }
    };
    bind(KeyEvent::ctrl('C'), Box::new(OnKey(end(Cmd::Interrupt))));
    bind(KeyEvent::ctrl('D'), Box::new(OnKey(end(Cmd::EndOfFile))));
    #[cfg(unix)]
    bind(
        KeyEvent::ctrl('Z'),
        Box::new(OnKey(|_: &str| {
            terminal::stop();
            Some(Cmd::Repaint)
        })),
    );
}

#[cfg(test)]
mod tests {
    use super::carries_password;

    #[test]
    fn a_command_with_a_password_is_known_however_it_is_written() {
        for line in [
            "/register hunter22",
            "/Register hunter22",
            "/LOGIN alice hunter22",
            "/login\thunter22",
            "/instructor K7MQ-2R4T",
        ] {
            assert!(carries_password(line), "{line:?}");
        }
        for line in ["/register", "/registers x", "hi", "//login x", ""] {
            assert!(!carries_password(line), "{line:?}");
        }
    }
}
