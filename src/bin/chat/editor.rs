//! The line editor: rustyline, and what it is told about this chat. It keeps the half-typed line whole while `screen`
//! prints, remembers what was typed, and completes. Everything here runs on `main`, also rustyline's callbacks.

use std::borrow::Cow;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use etcetera::BaseStrategy;
use parking_lot::Mutex;
use rustyline::completion::Completer;
use rustyline::config::BellStyle;
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{
    Cmd, ColorMode, CompletionType, ConditionalEventHandler, Config, Context as ReadContext, Event,
    EventContext, EventHandler, ExternalPrinter, Helper, KeyCode, KeyEvent, Modifiers, RepeatCount,
};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::complete::Cycle;
use crate::gate::Gate;
use crate::known::Question;
use crate::shared::Shared;
use crate::window::Window;
use crate::{paint, terminal};

/// Typed lines that are remembered across runs.
const HISTORY_MAX: usize = 1000;

/// Commands behind which a password stands, in whatever case they are typed: such lines are never remembered.
const NEVER_REMEMBERED: [&str; 4] = ["/login", "/password", "/passwd", "/register"];

/// What reading a line came to.
pub enum Typed {
    /// A line, without its end; pasted text may be several.
    Line(String),
    /// The answer to a question for a password.
    Secret(String),
    /// Ctrl-D on an empty line, or Ctrl-C.
    End,
}

/// See the module's text.
pub struct LineEditor {
    editor: rustyline::Editor<Hooks, FileHistory>,
    history: Option<PathBuf>,
    shared: Arc<Shared>,
    gate: Arc<Gate>,
    window: Arc<Window>,
    colours: bool,
}

impl LineEditor {
    /// Takes the terminal, in this window.
    ///
    /// # Errors
    /// When the terminal refuses.
    pub fn new(
        shared: Arc<Shared>,
        gate: Arc<Gate>,
        window: Arc<Window>,
        colours: bool,
    ) -> Result<LineEditor> {
        let config = Config::builder()
            .color_mode(ColorMode::Forced) // or rustyline would not ask us what to show of a password
            .bell_style(BellStyle::None)
            .completion_type(CompletionType::List) // one candidate is taken at once
            .max_history_size(HISTORY_MAX)?
            .history_ignore_dups(true)?
            .build();
        let mut editor = rustyline::Editor::with_config(config)
            .context("the terminal cannot be used for editing")?;
        let goes_back = Arc::new(AtomicBool::new(false));
        bind_keys(&mut editor, &goes_back, &gate);
        editor.set_helper(Some(Hooks {
            shared: Arc::clone(&shared),
            gate: Arc::clone(&gate),
            window: Arc::clone(&window),
            prompt: String::new(),
            cycle: Mutex::default(),
            goes_back,
            was_secret: AtomicBool::new(false),
        }));
        let history = history_file();
        if let Some(file) = &history {
            let _ = editor.load_history(file); // the first run has none
        }
        Ok(LineEditor { editor, history, shared, gate, window, colours })
    }

    /// The way for `screen` to print above the line being typed.
    ///
    /// # Errors
    /// When the terminal refuses.
    pub fn printer(&mut self) -> Result<Box<dyn ExternalPrinter + Send>> {
        Ok(Box::new(
            self.editor.create_external_printer().context("the terminal cannot be printed to")?,
        ))
    }

    /// Waits for a line to be typed.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn read(&mut self) -> Result<Typed> {
        let prompt = self.prompt();
        self.window.begin();
        if let Some(hooks) = self.editor.helper_mut() {
            hooks.prompt.clone_from(&prompt.0);
        }
        self.gate.begin();
        let result = self.editor.readline(&prompt);
        self.gate.close();
        terminal::prompt_shown(false);
        let was_secret = self
            .editor
            .helper()
            .is_some_and(|hooks| hooks.was_secret.swap(false, Ordering::Relaxed));
        match result {
            Ok(line) if was_secret => Ok(Typed::Secret(line)),
            Ok(line) => Ok(Typed::Line(line)),
            Err(ReadlineError::Eof | ReadlineError::Interrupted) => Ok(Typed::End),
            Err(ReadlineError::Io(e)) if e.kind() == std::io::ErrorKind::InvalidData => {
                Ok(Typed::Line(String::new()))
            }
            Err(e) => Err(e).context("the terminal cannot be read"),
        }
    }

    /// Remembers a line for this run and those to come.
    pub fn remember(&mut self, line: &str) {
        if line.trim().is_empty() || carries_password(line) {
            return;
        }
        let is_new = self.editor.add_history_entry(line).unwrap_or(false);
        if let (true, Some(file)) = (is_new, &self.history) {
            let _ = self.editor.append_history(file); // a full disk costs the history, not the chat
        }
    }

    /// Clears the screen.
    pub fn clear_screen(&mut self) {
        let _ = self.editor.clear_screen();
    }

    /// Who and where we are, plain and coloured; in a narrow window less of it, so that there is room to type.
    fn prompt(&mut self) -> (String, String) {
        let columns = self.editor.dimensions().map_or(80, |(columns, _)| usize::from(columns));
        if self.shared.leaving.load(Ordering::Relaxed) {
            return (String::new(), String::new());
        }
        let (name, rest) = {
            let known = self.shared.known();
            match (known.question, known.me.as_deref(), known.room.as_deref()) {
                (Some(Question::Name), ..) => ("name".to_owned(), String::new()),
                (Some(Question::Password), ..) => ("password".to_owned(), String::new()),
                (None, me, Some(room)) => (me.unwrap_or_default().to_owned(), format!("@{room}")),
                (None, me, None) => (me.unwrap_or_default().to_owned(), String::new()),
            }
        };
        let forms = [(name.clone(), format!("{rest}> ")), (name, "> ".to_owned())];
        let fits =
            |(name, rest): &(String, String)| 3 * (name.width() + rest.width()) <= 2 * columns;
        let (name, rest) =
            forms.into_iter().find(fits).unwrap_or_else(|| (String::new(), "> ".to_owned()));
        let plain = format!("{name}{rest}");
        let styled = if self.colours && !name.is_empty() {
            paint::prompt(&name, &rest)
        } else {
            plain.clone()
        };
        (plain, styled)
    }
}

/// In the platform's folder for data, readable by its owner alone (rustyline sees to that).
fn history_file() -> Option<PathBuf> {
    let folder = etcetera::base_strategy::choose_native_strategy().ok()?.data_dir().join("chatd");
    fs::create_dir_all(&folder).ok()?;
    Some(folder.join("chat-history"))
}

/// What rustyline asks and tells us while it reads a line.
#[derive(Helper)]
struct Hooks {
    shared: Arc<Shared>,
    gate: Arc<Gate>,
    window: Arc<Window>,
    /// The prompt, as it is shown now.
    prompt: String,
    cycle: Mutex<Cycle>,
    /// The next completion goes backward.
    goes_back: Arc<AtomicBool>,
    /// The line just returned was an unseen one.
    was_secret: AtomicBool,
}

impl Hooks {
    /// What is typed must not be seen: a password, or keys pressed while we leave.
    fn is_secret(&self) -> bool {
        self.shared.known().question == Some(Question::Password)
            || self.shared.leaving.load(Ordering::Relaxed)
    }
}

impl Highlighter for Hooks {
    fn highlight<'l>(&self, line: &'l str, _pos: usize) -> Cow<'l, str> {
        if !self.is_secret() {
            return Cow::Borrowed(line);
        }
        // Blanks of the same width: rustyline places the cursor by the width of what it believes is shown.
        let blank =
            |c: char| if c == '\n' { "\n".to_owned() } else { " ".repeat(c.width().unwrap_or(0)) };
        Cow::Owned(line.chars().map(blank).collect())
    }

    /// Called whenever the prompt has been drawn: after every print, too. That is how we know that it was printed.
    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(
        &'s self,
        prompt: &'p str,
        _default: bool,
    ) -> Cow<'b, str> {
        terminal::prompt_shown(!prompt.is_empty());
        self.gate.painted();
        Cow::Borrowed(prompt)
    }

    /// Whether a key needs the whole line drawn anew; otherwise rustyline writes a typed letter as it is.
    fn highlight_char(&self, _line: &str, _pos: usize, _kind: CmdKind) -> bool {
        self.is_secret()
    }
}

impl Hinter for Hooks {
    type Hint = String;

    /// We have no hints to give; but this is called before the line is drawn anew, and so when the window has changed.
    fn hint(&self, line: &str, pos: usize, _: &ReadContext<'_>) -> Option<String> {
        let first = self.window.drawing(&format!("{}{}", self.prompt, &line[..pos]), &line[pos..]);
        if let Some(first) = first {
            terminal::write(first.as_bytes());
        }
        None
    }
}

impl Validator for Hooks {
    /// Called when Enter is pressed, before the line is returned: the last moment at which the editor prints for us.
    fn validate(&self, _line: &mut ValidationContext) -> rustyline::Result<ValidationResult> {
        self.was_secret.store(self.is_secret(), Ordering::Relaxed);
        self.gate.close();
        Ok(ValidationResult::Valid(None))
    }
}

/// Whether a line is a command with a password behind it. What stands there need not be one: better forgotten than kept.
fn carries_password(line: &str) -> bool {
    line.split_once(char::is_whitespace).is_some_and(|(command, _)| {
        NEVER_REMEMBERED.iter().any(|never| command.eq_ignore_ascii_case(never))
    })
}

/// Tab goes through the completions, and each press makes one of them. Not rustyline's own going round: that waits for
/// the next key before it prints anything, so one Tab would stop the chat.
impl Completer for Hooks {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        pos: usize,
        _: &ReadContext<'_>,
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

fn bind_keys(
    editor: &mut rustyline::Editor<Hooks, FileHistory>,
    goes_back: &Arc<AtomicBool>,
    gate: &Arc<Gate>,
) {
    bind(
        editor,
        KeyEvent(KeyCode::BackTab, Modifiers::NONE),
        BackTabKey { goes_back: Arc::clone(goes_back) },
    );
    bind(editor, KeyEvent::ctrl('C'), EndKey { gate: Arc::clone(gate), command: Cmd::Interrupt });
    bind(editor, KeyEvent::ctrl('D'), EndKey { gate: Arc::clone(gate), command: Cmd::EndOfFile });
    #[cfg(unix)]
    bind(editor, KeyEvent::ctrl('Z'), StopKey);
}

fn bind(
    editor: &mut rustyline::Editor<Hooks, FileHistory>,
    key: KeyEvent,
    handler: impl ConditionalEventHandler + 'static,
) {
    editor.bind_sequence(key, EventHandler::Conditional(Box::new(handler)));
}

/// Shift-Tab is Tab the other way round.
struct BackTabKey {
    goes_back: Arc<AtomicBool>,
}

impl ConditionalEventHandler for BackTabKey {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, _: &EventContext) -> Option<Cmd> {
        self.goes_back.store(true, Ordering::Relaxed);
        Some(Cmd::Complete)
    }
}

/// The keys that end a reading without a line; Ctrl-D does so on an empty line only.
struct EndKey {
    gate: Arc<Gate>,
    command: Cmd,
}

impl ConditionalEventHandler for EndKey {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, line: &EventContext) -> Option<Cmd> {
        if self.command == Cmd::EndOfFile && !line.line().is_empty() {
            return None;
        }
        self.gate.close();
        Some(self.command.clone())
    }
}

/// Ctrl-Z stops the program as anywhere else, but hands the terminal back as it was found.
#[cfg(unix)]
struct StopKey;

#[cfg(unix)]
impl ConditionalEventHandler for StopKey {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, _: &EventContext) -> Option<Cmd> {
        terminal::stop();
        Some(Cmd::Repaint)
    }
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
        ] {
            assert!(carries_password(line), "{line:?}");
        }
        for line in ["/register", "/registers x", "hi", "//login x", ""] {
            assert!(!carries_password(line), "{line:?}");
        }
    }
}
