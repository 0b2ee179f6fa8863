//! The line editor of `--inline`: rustyline, and what it is told about this chat. It keeps the
//! half-typed line whole while `screen` prints, remembers what was typed, and completes. Everything
//! here runs on `main`.

use crate::{
    hooks::{self, Draft, Hooks, Text},
    input::{Input, Typing},
    note::Question,
    paint, secrets,
    shared::Shared,
    terminal, typed_lines,
};
use anyhow::{Context as _, Result};
use parking_lot::Mutex;
use rustyline::{
    ColorMode, CompletionType, Config, ExternalPrinter, config::BellStyle, error::ReadlineError,
    history::FileHistory,
};
use std::{
    io::ErrorKind,
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
};
use unicode_width::UnicodeWidthStr as _;

pub(crate) struct LineEditor {
    editor: rustyline::Editor<Hooks, FileHistory>,
    history: Option<PathBuf>,
    shared: Arc<Shared>,
    draft: Arc<Mutex<Draft>>,
    /// Talk that comes back when no password is asked for any more.
    aside: Option<Text>,
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
            .max_history_size(typed_lines::LINES_MAX)?
            .history_ignore_dups(true)?
            .build();
        let mut editor = rustyline::Editor::with_config(config)
            .context("the terminal cannot be used for editing")?;
        let draft = Arc::default();
        hooks::install(&mut editor, &shared, &draft);
        let history = typed_lines::file();
        if let Some(file) = &history {
            let _ = editor.load_history(file); // the first run has none
        }
        Ok(LineEditor { editor, history, shared, draft, aside: None, has_colours })
    }

    /// The way for `screen` to print above the line being typed.
    pub(crate) fn printer(&mut self) -> Result<Box<dyn ExternalPrinter + Send>> {
        let printer = self.editor.create_external_printer();
        Ok(Box::new(printer.context("the terminal cannot be printed to")?))
    }

    /// One reading, which begins with this in the line.
    fn read_line(&mut self, (line, pos): &Text) -> Result<String, ReadlineError> {
        let prompt = self.prompt();
        let screen = &self.shared.screen;
        screen.window.begin();
        if let Some(hooks) = self.editor.helper_mut() {
            hooks.prompt.clone_from(&prompt.0);
        }
        screen.lock.begin_reading();
        let result = self.editor.readline_with_initial(&prompt, line.split_at(*pos));
        screen.lock.end_reading();
        terminal::prompt_shown(false);
        result
    }

    /// Remembers a line for this run and those to come.
    fn remember(&mut self, line: &str) {
        let has_secret = secrets::carries_secret(&self.shared.settings().expand(line));
        if has_secret || !typed_lines::is_worth_it(line) {
            return;
        }
        let is_new = self.editor.add_history_entry(line).unwrap_or(false);
        if let (true, Some(file)) = (is_new, &self.history) {
            let _ = self.editor.append_history(file); // a full disk costs the history, not the chat
        }
    }

    /// What a line came to.
    fn line(&mut self, text: String, was_hidden: bool) -> Input {
        let aside = self.draft.lock().aside.take();
        match (was_hidden, aside) {
            (true, Some(aside)) => {
                self.aside = Some(aside);
                Input::PutAside
            }
            (true, None) => Input::Password(text),
            (false, _) => {
                if !self.shared.known().is_name(&text) {
                    self.remember(text.trim_end_matches(['\r', '\n']));
                }
                Input::Line { text, to: None }
            }
        }
    }

    /// Who and where we are, plain and coloured; in a narrow window less of it, so that there is
    /// room to type.
    fn prompt(&mut self) -> (String, String) {
        if self.shared.is_leaving() {
            return (String::new(), String::new());
        }
        let columns = self.editor.dimensions().map_or(80, |(columns, _)| usize::from(columns));
        let (name, place) = self.shared.known().prompt();
        let forms = [(&*name, format!("{place}> ")), (&*name, "> ".to_owned())];
        let fits = |(name, rest): &(&str, String)| 3 * (name.width() + rest.width()) <= 2 * columns;
        let (name, rest) = forms.into_iter().find(fits).unwrap_or(("", "> ".to_owned()));
        let plain = format!("{name}{rest}");
        let has_colours = self.has_colours && !name.is_empty();
        let styled = if has_colours { paint::prompt(name, &rest) } else { plain.clone() };
        (plain, styled)
    }
}

impl Typing for LineEditor {
    fn read(&mut self) -> Result<Input> {
        let is_asked = self.shared.known().question == Some(Question::Password);
        if !is_asked {
            self.shared.end_typing();
        }
        *self.draft.lock() = Draft::default();
        let mut begin = self.aside.take_if(|_| !is_asked).unwrap_or_default();
        loop {
            let result = self.read_line(&begin);
            let hooks = self.editor.helper();
            let was_hidden =
                hooks.is_some_and(|hooks| hooks.was_hidden.swap(false, Ordering::Relaxed));
            return match result {
                Ok(line) => Ok(self.line(line, was_hidden)),
                Err(ReadlineError::Interrupted) => {
                    Ok(match self.draft.lock().interrupt.take() {
                        Some(was_empty) => Input::Interrupt { was_empty },
                        None => Input::End, // from outside
                    })
                }
                Err(ReadlineError::Eof) => Ok(Input::End),
                Err(ReadlineError::Io(e)) if e.kind() == ErrorKind::InvalidData => {
                    begin = self.draft.lock().line.clone(); // a byte that is no letter changes nothing
                    continue;
                }
                Err(e) => Err(e).context("the terminal cannot be read"),
            };
        }
    }

    fn clear_screen(&mut self) {
        let _ = self.editor.clear_screen();
    }
}
