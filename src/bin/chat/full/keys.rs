//! What each key does on the full screen.

use super::model::{Effect, Model};
use crate::{complete::Words, input::Input, known::Known, secrets, stamp::Stamp};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use std::sync::Arc;

impl Model {
    /// A key was pressed.
    pub(crate) fn key(&mut self, key: KeyEvent, known: &Known, at: Stamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        if key.kind == KeyEventKind::Release {
            return effects;
        }
        self.sync(known, at);
        if self.search.is_some() && self.search_key(key) {
            return effects;
        }
        let is = |modifiers| key.modifiers.contains(modifiers);
        let (ctrl, alt) = (is(KeyModifiers::CONTROL), is(KeyModifiers::ALT));
        match key.code {
            KeyCode::Enter => self.enter(known, &mut effects),
            KeyCode::Char('c') if ctrl => self.interrupt(&mut effects),
            KeyCode::Char('d') if ctrl && self.line.is_empty() => {
                self.input(Input::End, &mut effects);
            }
            KeyCode::Char('z') if ctrl => effects.push(Effect::Suspend),
            KeyCode::Char('l') if ctrl => effects.push(Effect::Redraw),
            KeyCode::Char('n') if ctrl => self.go_round(false),
            KeyCode::Char('p') if ctrl => self.go_round(true),
            KeyCode::Char(c @ '1'..='9') if alt => self.go_to_number(c as usize - '1' as usize),
            KeyCode::F(2) => effects.push(Effect::Bare),
            KeyCode::PageUp => self.scroll(self.page(), known),
            KeyCode::PageDown => self.scroll(-self.page(), known),
            KeyCode::Home if ctrl => self.scroll(isize::MAX, known),
            KeyCode::End if ctrl => self.bottom = None,
            KeyCode::Esc => (self.bottom, self.found) = (None, None),
            _ if self.is_password => drop(self.line.key(key)),
            KeyCode::Up => self.go_back(),
            KeyCode::Down => self.go_forward(),
            KeyCode::Char('r') if ctrl => {
                let typed = self.line.take();
                self.search = Some(self.earlier.search(typed));
            }
            KeyCode::Tab => self.complete(false, known),
            KeyCode::BackTab => self.complete(true, known),
            _ => drop(self.line.key(key)),
        }
        effects
    }

    /// A page is a row less than what is seen, so that one does not lose one's place.
    fn page(&self) -> isize {
        isize::try_from(self.size.1.saturating_sub(1).max(1)).unwrap_or(isize::MAX)
    }

    /// What was pasted: it is typed, and no key in it.
    pub(crate) fn paste(&mut self, text: &str, known: &Known, at: Stamp) {
        self.sync(known, at);
        self.end_search();
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let is_text = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
        let text: String = text.chars().filter(is_text).collect();
        if !self.line.insert(text.trim_end_matches('\n')) {
            self.notice("that is too long to be pasted.".to_owned(), at);
        }
    }

    fn enter(&mut self, known: &Known, effects: &mut Vec<Effect>) {
        if self.search.is_some() && self.line.is_empty() {
            return self.end_search(); // nothing was found
        }
        self.take_found();
        let (text, _) = self.line.take();
        self.bottom = None;
        if self.is_password {
            self.line.forget();
            return self.input(Input::Password(text), effects);
        }
        let is_name = known.is_name(&text);
        let has_secret = secrets::carries_secret(&self.settings.expand(&text));
        if !is_name && self.earlier.add(if has_secret { "" } else { &text }) {
            effects.push(Effect::Keep(text.clone()));
        }
        let command = text.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
        self.expects_password |= secrets::ASKED_AFTER.contains(&&*command);
        let to = self.window.clone().filter(|_| !is_name);
        self.input(Input::Line { text, to }, effects);
    }

    fn interrupt(&mut self, effects: &mut Vec<Effect>) {
        let was_empty = self.line.is_empty();
        match self.is_password {
            true => self.line.forget(),
            false => self.line.cut_all(),
        }
        self.input(Input::Interrupt { was_empty }, effects);
    }

    fn go_back(&mut self) {
        let now = (self.line.text().to_owned(), self.line.pos());
        if let Some(earlier) = self.earlier.back(now) {
            self.line.set(&earlier);
        }
    }

    fn go_forward(&mut self) {
        if let Some(later) = self.earlier.forward((self.line.text().to_owned(), self.line.pos())) {
            self.line.set(&later);
        }
    }

    fn complete(&mut self, is_back: bool, known: &Known) {
        let before = self.line.text()[..self.line.pos()].to_owned();
        let settings = Arc::clone(&self.settings);
        let words =
            Words { known, settings: &settings, files: self.files.unwrap_or(|_| Vec::new()) };
        if known.question.is_none()
            && let Some(made) = self.cycle.press(&before, is_back, words)
        {
            let after = self.line.text()[before.len()..].to_owned();
            let pos = made.len();
            self.line.set(&(made + &after, pos));
        }
    }

    /// What was found is typed now, and what was typed before can be found.
    fn take_found(&mut self) {
        if let Some(search) = self.search.take() {
            match self.line.is_empty() {
                true => self.line.set(&search.typed),
                false => self.earlier.put_by(&search.typed),
            }
        }
    }

    /// A key while an earlier line is looked for. Returns whether that is all it does.
    fn search_key(&mut self, key: KeyEvent) -> bool {
        let Some(search) = &mut self.search else { return false };
        let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        let is_further = match key.code {
            KeyCode::Char('r') if ctrl => true,
            KeyCode::Char('g' | 'c') if ctrl => {
                self.end_search();
                return true;
            }
            KeyCode::Esc => {
                self.end_search();
                return true;
            }
            KeyCode::Backspace => {
                search.text.pop();
                false
            }
            KeyCode::Char(c) if !ctrl && !key.modifiers.contains(KeyModifiers::ALT) => {
                search.text.push(c);
                false
            }
            _ => {
                self.take_found();
                return false;
            }
        };
        if let Some(found) = self.earlier.find(search, is_further) {
            self.line.set(&found);
        }
        true
    }
}
