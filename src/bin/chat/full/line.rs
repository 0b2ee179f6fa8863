//! The typed line: rustyline's line buffer with readline's keys, a place for what was cut, and undo.
//! No I/O and no terminal.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use rustyline::{
    At, Movement, Word,
    line_buffer::{ChangeListener, DeleteListener, Direction, LineBuffer, WordAction},
};

/// The longest typed text, in bytes: a long paste, and a bound against a file dropped into the window.
const BYTES_MAX: usize = 256 * 1024;

/// Steps that can be undone.
const UNDO_MAX: usize = 100;

/// A line, and where the cursor stands in it.
pub(crate) type Text = (String, usize);

pub(crate) struct TypedLine {
    buffer: LineBuffer,
    cut: Cut,
    before: Vec<Text>,
}

/// What was cut last, to be put back by Ctrl-Y.
#[derive(Default)]
struct Cut {
    text: String,
    is_cutting: bool,
}

impl DeleteListener for Cut {
    fn start_killing(&mut self) {
        self.text.clear();
        self.is_cutting = true;
    }

    fn delete(&mut self, _: usize, text: &str, direction: Direction) {
        if self.is_cutting {
            let at = if direction == Direction::Forward { self.text.len() } else { 0 };
            self.text.insert_str(at, text);
        }
    }

    fn stop_killing(&mut self) {
        self.is_cutting = false;
    }
}

impl ChangeListener for Cut {
    fn insert_char(&mut self, _: usize, _: char) {}
    fn insert_str(&mut self, _: usize, _: &str) {}
    fn replace(&mut self, _: usize, _: &str, _: &str) {}
}

impl Default for TypedLine {
    fn default() -> TypedLine {
        let buffer = LineBuffer::with_capacity(BYTES_MAX);
        TypedLine { buffer, cut: Cut::default(), before: Vec::new() }
    }
}

impl TypedLine {
    pub(crate) fn text(&self) -> &str {
        self.buffer.as_str()
    }

    /// Where the cursor is, in bytes.
    pub(crate) fn pos(&self) -> usize {
        self.buffer.pos()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    pub(crate) fn set(&mut self, (text, pos): &Text) {
        self.buffer.update(text, *pos, &mut self.cut);
    }

    /// Empties the line; returns what it was.
    pub(crate) fn take(&mut self) -> Text {
        let was = (self.text().to_owned(), self.pos());
        self.set(&Text::default());
        self.before.clear();
        was
    }

    /// Empties the line; Ctrl-Y puts it back.
    pub(crate) fn cut_all(&mut self) {
        self.buffer.kill(&Movement::WholeBuffer, &mut self.cut);
        self.before.clear();
    }

    /// Forgets what could be put back: it was a password's.
    pub(crate) fn forget(&mut self) {
        self.take();
        self.cut.text.clear();
    }

    /// Puts a text in. Returns whether there was room.
    pub(crate) fn insert(&mut self, text: &str) -> bool {
        self.remember();
        self.buffer.yank(text, 1, &mut self.cut).is_some() || text.is_empty()
    }

    fn remember(&mut self) {
        if self.before.len() == UNDO_MAX {
            self.before.remove(0);
        }
        self.before.push((self.text().to_owned(), self.pos()));
    }

    /// Obeys a key that edits. Returns whether it was one.
    pub(crate) fn key(&mut self, key: KeyEvent) -> bool {
        if let KeyCode::Char(c) = key.code
            && (key.modifiers - KeyModifiers::SHIFT).is_empty()
        {
            if self.text().len() < UNDO_MAX * 1000 && (self.before.is_empty() || c == ' ') {
                self.remember(); // a word is taken back at once
            }
            let _ = self.buffer.insert(c, 1, &mut self.cut);
            return true;
        }
        self.moves(key) || self.changes(key)
    }

    fn moves(&mut self, key: KeyEvent) -> bool {
        let is = |modifiers| key.modifiers.contains(modifiers);
        let (ctrl, alt) = (is(KeyModifiers::CONTROL), is(KeyModifiers::ALT));
        let by_word = ctrl || alt;
        let buffer = &mut self.buffer;
        match key.code {
            KeyCode::Left if by_word => buffer.move_to_prev_word(Word::Emacs, 1),
            KeyCode::Right if by_word => buffer.move_to_next_word(At::AfterEnd, Word::Emacs, 1),
            KeyCode::Char('b') if alt => buffer.move_to_prev_word(Word::Emacs, 1),
            KeyCode::Char('f') if alt => buffer.move_to_next_word(At::AfterEnd, Word::Emacs, 1),
            KeyCode::Left => buffer.move_backward(1),
            KeyCode::Char('b') if ctrl => buffer.move_backward(1),
            KeyCode::Right => buffer.move_forward(1),
            KeyCode::Char('f') if ctrl => buffer.move_forward(1),
            KeyCode::Home => buffer.move_buffer_start(),
            KeyCode::Char('a') if ctrl => buffer.move_buffer_start(),
            KeyCode::End => buffer.move_buffer_end(),
            KeyCode::Char('e') if ctrl => buffer.move_buffer_end(),
            _ => return false,
        };
        true
    }

    fn changes(&mut self, key: KeyEvent) -> bool {
        let is = |modifiers| key.modifiers.contains(modifiers);
        let (ctrl, alt) = (is(KeyModifiers::CONTROL), is(KeyModifiers::ALT));
        if ctrl && matches!(key.code, KeyCode::Char('_' | '7' | '/')) {
            if let Some(before) = self.before.pop() {
                self.set(&before);
            }
            return true;
        }
        let movement = match key.code {
            KeyCode::Backspace if alt => Some(Movement::BackwardWord(1, Word::Emacs)),
            KeyCode::Backspace => Some(Movement::BackwardChar(1)),
            KeyCode::Char('h') if ctrl => Some(Movement::BackwardChar(1)),
            KeyCode::Delete => Some(Movement::ForwardChar(1)),
            KeyCode::Char('d') if ctrl => Some(Movement::ForwardChar(1)),
            KeyCode::Char('d') if alt => Some(Movement::ForwardWord(1, At::AfterEnd, Word::Emacs)),
            KeyCode::Char('w') if ctrl => Some(Movement::BackwardWord(1, Word::Big)),
            KeyCode::Char('u') if ctrl => Some(Movement::BeginningOfBuffer),
            KeyCode::Char('k') if ctrl => Some(Movement::EndOfBuffer),
            _ => None,
        };
        if let Some(movement) = movement {
            self.remember();
            self.buffer.kill(&movement, &mut self.cut);
            return true;
        }
        match key.code {
            KeyCode::Char('y') if ctrl => {
                let text = self.cut.text.clone();
                self.insert(&text);
            }
            _ => return self.changes_words(key.code, ctrl, alt),
        }
        true
    }

    fn changes_words(&mut self, code: KeyCode, ctrl: bool, alt: bool) -> bool {
        let (buffer, cut) = (&mut self.buffer, &mut self.cut);
        match code {
            KeyCode::Char('t') if ctrl => buffer.transpose_chars(cut),
            KeyCode::Char('t') if alt => buffer.transpose_words(1, cut),
            KeyCode::Char('u') if alt => buffer.edit_word(WordAction::Uppercase, cut),
            KeyCode::Char('l') if alt => buffer.edit_word(WordAction::Lowercase, cut),
            KeyCode::Char('c') if alt => buffer.edit_word(WordAction::Capitalize, cut),
            _ => return false,
        };
        true
    }
}
