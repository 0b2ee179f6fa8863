//! What a terminal sends, as keys: bytes in, events out. No I/O and no clock.
//!
//! A byte that is no letter, half a letter, and a terminal's answer to what some program before us asked
//! are no keys, and touch nothing that is typed. (crossterm takes some answers for typed letters, and a
//! letter beside such a byte for a part of it.)

use ratatui::crossterm::event::{
    Event, KeyCode, KeyEvent, KeyModifiers, MouseEvent, MouseEventKind,
};

const ESCAPE: u8 = 0x1b;

/// The most bytes of a sequence's numbers that are looked at.
const SEQUENCE_MAX: usize = 64;

/// The longest answer, in bytes; what comes behind is typed.
const ANSWER_MAX: usize = 4096;

/// The most bytes of a paste that are kept: more than the typed line takes, which then says so.
const PASTE_MAX: usize = 1024 * 1024;

/// Behind what is pasted.
const PASTE_END: &[u8] = b"\x1b[201~";

/// Bytes of a click behind `ESC [ M`, as the oldest terminals tell of it.
const CLICK: usize = 3;

/// What has begun.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Nothing,
    /// An Esc: a key, or Alt with the next one, or the begin of a sequence.
    Escape,
    /// A letter of several bytes.
    Letter,
    /// `ESC [`, which ends in a letter.
    Sequence,
    /// `ESC O`: one letter follows.
    Single,
    /// Text for programs, up to BEL or `ESC \`.
    Answer,
    AnswerEnd,
    Click,
    Paste,
}

#[derive(Default)]
pub(crate) struct Decoder {
    state: State,
    /// Bytes of what has begun.
    held: Vec<u8>,
    /// How many bytes of it are passed over, or make up the end of a paste.
    count: usize,
    has_alt: bool,
}

impl Decoder {
    /// Takes what came.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Vec<Event> {
        bytes.iter().filter_map(|byte| self.byte(*byte)).collect()
    }

    /// Whether something has begun that ends if nothing follows at once.
    pub(crate) fn is_waiting(&self) -> bool {
        !matches!(self.state, State::Nothing | State::Letter | State::Paste)
    }

    /// Nothing followed: a person has pressed Esc, or Alt with a key that begins a sequence.
    pub(crate) fn pause(&mut self) -> Option<Event> {
        let was = std::mem::take(&mut self.state);
        (was == State::Escape).then(|| key(KeyCode::Esc, KeyModifiers::NONE))
    }

    fn begin(&mut self, state: State) -> Option<Event> {
        (self.state, self.count) = (state, 0);
        self.held.clear();
        None
    }

    fn byte(&mut self, byte: u8) -> Option<Event> {
        match self.state {
            State::Nothing => self.first(byte),
            State::Escape => self.behind_escape(byte),
            State::Letter => self.letter(byte),
            State::Sequence => self.sequence(byte),
            State::Single => {
                self.state = State::Nothing;
                named(byte).map(|code| key(code, KeyModifiers::NONE))
            }
            State::Answer => {
                self.count += 1;
                match byte {
                    ESCAPE => self.state = State::AnswerEnd,
                    0x07 | 0x18 => self.state = State::Nothing,
                    _ if self.count >= ANSWER_MAX => self.state = State::Nothing,
                    _ => {}
                }
                None
            }
            State::AnswerEnd if byte == b'\\' => self.begin(State::Nothing),
            State::AnswerEnd => self.behind_escape(byte),
            State::Click => {
                self.count += 1;
                if self.count == CLICK { self.begin(State::Nothing) } else { None }
            }
            State::Paste => self.pasted(byte),
        }
    }

    fn first(&mut self, byte: u8) -> Option<Event> {
        let alt = self.alt();
        let control = |letter| Some(key(KeyCode::Char(letter), alt | KeyModifiers::CONTROL));
        match byte {
            ESCAPE => self.begin(State::Escape),
            b'\r' | b'\n' => Some(key(KeyCode::Enter, alt)),
            b'\t' => Some(key(KeyCode::Tab, alt)),
            0x7f => Some(key(KeyCode::Backspace, alt)),
            0 => control(' '),
            0x01..0x1b => control((byte - 1 + b'a').into()),
            0x1c..0x20 => control((byte - 0x1c + b'4').into()),
            b' '..0x7f => Some(key(KeyCode::Char(byte.into()), alt)),
            0xc2..=0xf4 => {
                self.begin(State::Letter);
                (self.held, self.has_alt) = (vec![byte], !alt.is_empty());
                None
            }
            _ => None,
        }
    }

    /// Alt, if an Esc stood in front.
    fn alt(&mut self) -> KeyModifiers {
        match std::mem::take(&mut self.has_alt) {
            true => KeyModifiers::ALT,
            false => KeyModifiers::NONE,
        }
    }

    fn behind_escape(&mut self, byte: u8) -> Option<Event> {
        match byte {
            b'[' => self.begin(State::Sequence),
            b'O' => self.begin(State::Single),
            b']' | b'P' | b'X' | b'^' | b'_' => self.begin(State::Answer),
            ESCAPE => {
                self.state = State::Escape;
                Some(key(KeyCode::Esc, KeyModifiers::NONE))
            }
            _ => {
                (self.state, self.has_alt) = (State::Nothing, true);
                self.first(byte)
            }
        }
    }

    fn letter(&mut self, byte: u8) -> Option<Event> {
        self.held.push(byte);
        match str::from_utf8(&self.held) {
            Ok(text) => {
                let letter = text.chars().next();
                self.state = State::Nothing;
                let alt = if std::mem::take(&mut self.has_alt) {
                    KeyModifiers::ALT
                } else {
                    KeyModifiers::NONE
                };
                letter.filter(|c| !c.is_control()).map(|letter| key(KeyCode::Char(letter), alt))
            }
            Err(e) if e.error_len().is_none() => None, // there is more of it
            Err(_) => {
                // It was none; this byte may be one.
                (self.state, self.has_alt) = (State::Nothing, false);
                self.first(byte)
            }
        }
    }

    fn sequence(&mut self, byte: u8) -> Option<Event> {
        match byte {
            b'[' if self.held.is_empty() => self.held.push(byte), // a function key of Linux' console
            0x20..0x40 if self.held.len() < SEQUENCE_MAX => self.held.push(byte),
            0x20..0x40 => {}
            ESCAPE => return self.begin(State::Escape),
            b'M' if self.held.is_empty() => return self.begin(State::Click),
            0x40..0x7f => {
                self.state = State::Nothing;
                if self.held == b"200" && byte == b'~' {
                    return self.begin(State::Paste);
                }
                return ended(&self.held, byte);
            }
            _ => self.state = State::Nothing,
        }
        None
    }

    fn pasted(&mut self, byte: u8) -> Option<Event> {
        if byte == PASTE_END[self.count] {
            self.count += 1;
            if self.count < PASTE_END.len() {
                return None;
            }
            let text = String::from_utf8_lossy(&self.held).into_owned();
            self.begin(State::Nothing);
            return Some(Event::Paste(text));
        }
        let was_no_end = &PASTE_END[..self.count];
        self.count = usize::from(byte == ESCAPE);
        if self.held.len() < PASTE_MAX {
            self.held.extend_from_slice(was_no_end);
            self.held.extend((byte != ESCAPE).then_some(byte));
        }
        None
    }
}

fn key(code: KeyCode, modifiers: KeyModifiers) -> Event {
    Event::Key(KeyEvent::new(code, modifiers))
}

/// Keys that are told by a letter.
fn named(letter: u8) -> Option<KeyCode> {
    Some(match letter {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        b'M' => KeyCode::Enter,
        b'P'..=b'S' => KeyCode::F(letter - b'P' + 1),
        b'Z' => KeyCode::BackTab,
        _ => return None,
    })
}

/// A whole `ESC [ NUMBERS LETTER`. Whatever is no key is nothing.
fn ended(held: &[u8], letter: u8) -> Option<Event> {
    if held == b"[" {
        return matches!(letter, b'A'..=b'E')
            .then(|| key(KeyCode::F(letter - b'A' + 1), KeyModifiers::NONE));
    }
    if let (Some(b'<'), b'M') = (held.first(), letter) {
        return wheel(&held[1..]);
    }
    let text = str::from_utf8(held)
        .ok()
        .filter(|text| text.chars().all(|c| c.is_ascii_digit() || ";:".contains(c)))?;
    let mut numbers = text.split(';').map(|number| number.split(':').next()?.parse::<u32>().ok());
    let [first, second, third] = [(); 3].map(|()| numbers.next().flatten());
    let modifiers = modifiers(second);
    let code = match letter {
        b'I' => return Some(Event::FocusGained),
        b'O' => return Some(Event::FocusLost),
        b'R' => return None, // where the cursor is
        b'~' if first == Some(27) => typed(third?)?,
        b'~' => numbered(first?)?,
        b'u' => typed(first?)?,
        b'M' => return None,
        letter => named(letter)?,
    };
    Some(key(code, modifiers))
}

/// A turn of the wheel: `BUTTON;COLUMN;ROW`. Other buttons do nothing here.
fn wheel(held: &[u8]) -> Option<Event> {
    let kind = match str::from_utf8(held).ok()?.split(';').next()? {
        "64" => MouseEventKind::ScrollUp,
        "65" => MouseEventKind::ScrollDown,
        _ => return None,
    };
    let modifiers = KeyModifiers::NONE;
    Some(Event::Mouse(MouseEvent { kind, column: 0, row: 0, modifiers }))
}

fn modifiers(number: Option<u32>) -> KeyModifiers {
    let bits = number.unwrap_or(1).saturating_sub(1);
    let all = [KeyModifiers::SHIFT, KeyModifiers::ALT, KeyModifiers::CONTROL];
    all.into_iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1).map(|(_, one)| one).collect()
}

/// A key that is told by the number of its letter.
fn typed(number: u32) -> Option<KeyCode> {
    Some(match number {
        9 => KeyCode::Tab,
        13 => KeyCode::Enter,
        27 => KeyCode::Esc,
        127 => KeyCode::Backspace,
        _ => KeyCode::Char(char::from_u32(number).filter(|c| !c.is_control())?),
    })
}

/// A key that is told by a number of its own.
fn numbered(number: u32) -> Option<KeyCode> {
    Some(match number {
        1 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        11..=15 => KeyCode::F(u8::try_from(number - 10).ok()?),
        17..=21 => KeyCode::F(u8::try_from(number - 11).ok()?),
        23 | 24 => KeyCode::F(u8::try_from(number - 12).ok()?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of bytes, however they are cut.
    fn decoded(bytes: &[u8]) -> Vec<Event> {
        let at_once = Decoder::default().take(bytes);
        let mut decoder = Decoder::default();
        let one_by_one: Vec<Event> = bytes.iter().flat_map(|byte| decoder.take(&[*byte])).collect();
        assert_eq!(at_once, one_by_one);
        at_once
    }

    fn letters(text: &str) -> Vec<Event> {
        text.chars().map(|c| key(KeyCode::Char(c), KeyModifiers::NONE)).collect()
    }

    #[test]
    fn letters_are_letters_and_what_is_none_touches_nothing() {
        assert_eq!(decoded("aé日👍".as_bytes()), letters("aé日👍"));
        for stray in [
            &b"\xe9"[..],
            b"\xc3",
            b"\xff\xfe",
            b"\xf0\x9f\x91",
            "\u{87}\u{9b}".as_bytes(),
            b"\x1b[24;80R",
            b"\x1b[?62;22c",
            b"\x1b[>0;276;0c",
            b"\x1b[?2026;1$y",
            b"\x1b]11;rgb:1e1e/1e1e/1e1e\x07",
            b"\x1b]10;rgb:ffff/ffff/ffff\x1b\\",
            b"\x1bP>|tmux 3.3a\x1b\\",
            b"\x1b_Gi=1;OK\x1b\\",
            b"\x1b[<0;10;10M",
            b"\x1b[M !!",
            b"\x1b[4;600;800t",
        ] {
            assert_eq!(decoded(&[b"ab", stray, b" cd"].concat()), letters("ab cd"), "{stray:?}");
        }
    }

    #[test]
    fn keys_with_names() {
        use KeyCode::*;
        const NONE: KeyModifiers = KeyModifiers::NONE;
        const ALT: KeyModifiers = KeyModifiers::ALT;
        const CONTROL: KeyModifiers = KeyModifiers::CONTROL;
        for (bytes, code, modifiers) in [
            (&b"\x1b[A"[..], Up, NONE),
            (b"\x1bOD", Left, NONE),
            (b"\x1b[1;5C", Right, CONTROL),
            (b"\x1b[1;5H", Home, CONTROL),
            (b"\x1b[5~", PageUp, NONE),
            (b"\x1b[3;3~", Delete, ALT),
            (b"\x1b[Z", BackTab, NONE),
            (b"\x1bOQ", F(2), NONE),
            (b"\x1b[12~", F(2), NONE),
            (b"\x1b[[B", F(2), NONE),
            (b"\x1b[24~", F(12), NONE),
            (b"\x1b1", Char('1'), ALT),
            (b"\x1b\x7f", Backspace, ALT),
            ("\x1bé".as_bytes(), Char('é'), ALT),
            (b"\x1b.", Char('.'), ALT),
            (b"\r", Enter, NONE),
            (b"\n", Enter, NONE),
            (b"\x03", Char('c'), CONTROL),
            (b"\x1f", Char('7'), CONTROL),
            (b"\x1b[99;5u", Char('c'), CONTROL),
            (b"\x1b[27;5;13~", Enter, CONTROL),
        ] {
            assert_eq!(decoded(bytes), [key(code, modifiers)], "{bytes:?}");
        }
        let wheel = decoded(b"\x1b[<65;10;7M\x1b[<0;10;7M\x1b[<0;10;7m");
        assert!(
            matches!(&wheel[..], [Event::Mouse(event)] if event.kind == MouseEventKind::ScrollDown)
        );
        assert_eq!(decoded(b"\x1b[I\x1b[O"), [Event::FocusGained, Event::FocusLost]);
    }

    #[test]
    fn what_is_pasted_is_no_key() {
        let paste = |text: &str| Event::Paste(text.to_owned());
        let text = "one\r/quit\r\x1b[2~\x1b[201x é";
        let pasted = format!("\x1b[200~{text}\x1b[201~a");
        assert_eq!(decoded(pasted.as_bytes()), [vec![paste(text)], letters("a")].concat());
        let long = "x".repeat(2 * PASTE_MAX);
        let events = Decoder::default().take(format!("\x1b[200~{long}\x1b[201~a").as_bytes());
        assert_eq!(events, [vec![paste(&long[..PASTE_MAX])], letters("a")].concat());
    }

    #[test]
    fn a_pause_decides() {
        let mut decoder = Decoder::default();
        assert_eq!(decoder.take(b"\x1b"), []);
        assert!(decoder.is_waiting());
        assert_eq!(decoder.pause(), Some(key(KeyCode::Esc, KeyModifiers::NONE)));
        for begun in [&b"\x1bP"[..], b"\x1b]", b"\x1b[", b"\x1bO"] {
            decoder.take(begun); // Alt-P, which is no key of ours
            assert_eq!((decoder.is_waiting(), decoder.pause()), (true, None));
            assert_eq!(decoder.take(b"on"), letters("on"));
        }
        assert_eq!(decoder.take(b"\xc3"), []);
        assert!(!decoder.is_waiting(), "the rest of a letter may take its time");
        assert_eq!(decoder.take(b"\xa9"), letters("é"));
    }
}
