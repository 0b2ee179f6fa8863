//! What the line editor asks and tells us while it reads a line: rustyline's callbacks, all on
//! `main`. They see each change of the line, so they know how it began: as talk, or as a password.

use crate::{
    complete::{Cycle, Words},
    note::Question,
    secrets,
    shared::Shared,
    terminal, typed_lines,
};
use parking_lot::Mutex;
use rustyline::{
    Cmd, ConditionalEventHandler, Context, Event, EventContext, EventHandler, Helper, KeyCode,
    KeyEvent, Modifiers, RepeatCount,
    completion::Completer,
    highlight::{CmdKind, Highlighter},
    hint::Hinter,
    history::FileHistory,
    validate::{ValidationContext, ValidationResult, Validator},
};
use std::{
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// A line, and where the cursor stands in it.
pub(crate) type Text = (String, usize);

/// The line that is being typed.
#[derive(Default)]
pub(crate) struct Draft {
    /// As it was drawn last.
    pub(crate) line: Text,
    /// It was begun when a password was asked for.
    is_password: bool,
    /// It was not, and now a password is asked for: as it was then.
    pub(crate) aside: Option<Text>,
    /// Ctrl-C was pressed, in a line that was empty or was not.
    pub(crate) interrupt: Option<bool>,
}

impl Draft {
    /// The line is drawn: it may have changed, or a password may be asked for by now.
    fn drawn(&mut self, line: &str, pos: usize, is_asked: bool) {
        if line.is_empty() || self.line.0.is_empty() {
            (self.is_password, self.aside) = (is_asked, None);
        } else if is_asked && !self.is_password && self.aside.is_none() {
            self.aside = Some(self.line.clone());
        }
        self.line = (line.to_owned(), pos);
    }
}

#[derive(Helper)]
pub(crate) struct Hooks {
    pub(crate) shared: Arc<Shared>,
    /// The prompt, as it is shown now.
    pub(crate) prompt: String,
    pub(crate) draft: Arc<Mutex<Draft>>,
    cycle: Mutex<Cycle>,
    /// The next completion goes backward.
    goes_back: Arc<AtomicBool>,
    /// The line just returned was not shown.
    pub(crate) was_hidden: AtomicBool,
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
        // Blanks of the same width: rustyline places the cursor by what it believes is shown.
        if self.is_hidden() {
            return Cow::Owned(secrets::blanks(line));
        }
        secrets::masked(line).map_or(Cow::Borrowed(line), Cow::Owned)
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
    fn highlight_char(&self, line: &str, _pos: usize, _kind: CmdKind) -> bool {
        self.is_hidden() || secrets::hidden_from(line).is_some()
    }
}

impl Hinter for Hooks {
    type Hint = String;

    /// We have no hints to give; but this is called before the line is drawn anew, and so when it or
    /// the window has changed.
    fn hint(&self, line: &str, pos: usize, _: &Context<'_>) -> Option<String> {
        self.draft.lock().drawn(line, pos, self.is_hidden());
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
    fn validate(&self, line: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let is_hidden = self.is_hidden();
        self.draft.lock().drawn(line.input(), line.input().len(), is_hidden);
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
        let settings = self.shared.settings();
        let words = Words { known: &known, settings: &settings, files: typed_lines::files_like };
        let made = self.cycle.lock().press(&line[..pos], is_backward, words);
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

/// Gives the editor its hooks, and its keys what they do here.
pub(crate) fn install(
    editor: &mut rustyline::Editor<Hooks, FileHistory>,
    shared: &Arc<Shared>,
    draft: &Arc<Mutex<Draft>>,
) {
    let goes_back = Arc::new(AtomicBool::new(false));
    bind_keys(editor, shared, draft, &goes_back);
    editor.set_helper(Some(Hooks {
        shared: Arc::clone(shared),
        prompt: String::new(),
        draft: Arc::clone(draft),
        cycle: Mutex::default(),
        goes_back,
        was_hidden: AtomicBool::new(false),
    }));
}

fn bind_keys(
    editor: &mut rustyline::Editor<Hooks, FileHistory>,
    shared: &Arc<Shared>,
    draft: &Arc<Mutex<Draft>>,
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
    let (ends, draft) = (Arc::clone(shared), Arc::clone(draft));
    let interrupt = move |line: &str| {
        draft.lock().interrupt = Some(line.is_empty());
        ends.screen.lock.end_reading();
        Some(Cmd::Interrupt)
    };
    bind(KeyEvent::ctrl('C'), Box::new(OnKey(interrupt)));
    let ends = Arc::clone(shared);
    let end = move |line: &str| {
        line.is_empty().then(|| {
            ends.screen.lock.end_reading();
            Cmd::EndOfFile
        })
    };
    bind(KeyEvent::ctrl('D'), Box::new(OnKey(end)));
    #[cfg(unix)]
    let stops = Arc::clone(shared);
    #[cfg(unix)]
    bind(
        KeyEvent::ctrl('Z'),
        Box::new(OnKey(move |_: &str| {
            let at = crate::stamp::Stamp::now();
            terminal::stop();
            stops.screen.notice(format!("stopped at {at}; what was said since then follows."));
            Some(Cmd::Repaint)
        })),
    );
}
