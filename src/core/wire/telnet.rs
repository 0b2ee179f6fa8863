//! The part of telnet that a chat needs: take its sequences out of the bytes, refuse every option,
//! answer little.
//!
//! `nc` sends none of this. `telnet` and PuTTY do, and a byte 255 left in a line would spoil it.
//! The server never negotiates first (RFC 854 lets it stay silent), so that no peer reads a byte
//! that it does not understand. With a peer that has negotiated, it begins only to switch the echo
//! off for a password. Sequences may be split anywhere across reads: the state below is all that is
//! carried over. No I/O.

use super::keys;
use serde::{Deserialize, Serialize};

/// "Interpret as command": the byte that begins every telnet sequence; doubled, it stands for
/// itself.
const IAC: u8 = 255;
const DONT: u8 = 254;
const DO: u8 = 253;
const WONT: u8 = 252;
const WILL: u8 = 251;
const SUBNEGOTIATION: u8 = 250;
const ERASE_LINE: u8 = 248;
const ERASE_CHARACTER: u8 = 247;
const ARE_YOU_THERE: u8 = 246;
const SUBNEGOTIATION_END: u8 = 240;
/// Option 1 (RFC 857). A side that says it will echo, and does not, hides what the other one types.
const ECHO: u8 = 1;

/// The most answers to one client's negotiations: a peer that goes on asking is still read, but no
/// longer answered. There are some 50 registered options; an honest peer asks for each once.
const ANSWERS_MAX: usize = 64;
/// The most bytes of one sub-negotiation. The bytes after them are text again.
const SUBNEGOTIATION_MAX: usize = 1024;

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum State {
    Text,
    Command,
    /// After WILL, WONT, DO or DONT: the option comes next.
    Option(u8),
    /// Inside a sub-negotiation, `taken` bytes of it; `iac`: the last one was IAC.
    Sub {
        taken: usize,
        iac: bool,
    },
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Telnet {
    state: State,
    answers: Vec<u8>,
    answered: usize,
    asked_if_there: bool,
    /// The peer has negotiated, so it speaks telnet.
    speaks_telnet: bool,
    /// The same, and nobody has asked yet.
    has_begun: bool,
    /// The peer's own echo is off.
    hidden: bool,
}

impl Default for Telnet {
    fn default() -> Self {
        Telnet {
            state: State::Text,
            answers: Vec::new(),
            answered: 0,
            asked_if_there: false,
            speaks_telnet: false,
            has_begun: false,
            hidden: false,
        }
    }
}

impl Telnet {
    /// Takes the telnet sequences out of `bytes`, in place. What is left stands in `bytes[..n]`,
    /// and `n` is returned.
    pub(crate) fn filter(&mut self, bytes: &mut [u8]) -> usize {
        if self.state == State::Text && memchr::memchr(IAC, bytes).is_none() {
            return bytes.len(); // the usual case
        }
        let mut kept = 0;
        for i in 0..bytes.len() {
            if let Some(byte) = self.step(bytes[i]) {
                bytes[kept] = byte;
                kept += 1;
            }
        }
        kept
    }

    /// The bytes to send back, if any: refusals.
    pub(crate) fn take_answers(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.answers)
    }

    /// Whether the peer has negotiated for the first time since this was last asked.
    pub(crate) fn take_begun(&mut self) -> bool {
        std::mem::take(&mut self.has_begun)
    }

    /// Whether the peer sent "are you there" since this was last asked.
    pub(crate) fn take_are_you_there(&mut self) -> bool {
        std::mem::take(&mut self.asked_if_there)
    }

    /// Sets whether what is typed is hidden. Returns the bytes to send for it: none, unless
    /// something changes and the peer speaks telnet.
    pub(crate) fn set_hidden(&mut self, hidden: bool) -> &'static [u8] {
        match (self.speaks_telnet, self.hidden, hidden) {
            (true, false, true) => {
                self.hidden = true;
                &[IAC, WILL, ECHO]
            }
            (true, true, false) => {
                self.hidden = false;
                &[IAC, WONT, ECHO]
            }
            _ => &[],
        }
    }

    fn step(&mut self, byte: u8) -> Option<u8> {
        let (next, text) = match (self.state, byte) {
            (State::Text, IAC) => (State::Command, None),
            (State::Text, _) => (State::Text, Some(byte)),
            (State::Command, IAC) => (State::Text, Some(IAC)),
            (State::Command, WILL | WONT | DO | DONT) => (State::Option(byte), None),
            (State::Command, SUBNEGOTIATION) => (State::Sub { taken: 0, iac: false }, None),
            (State::Command, ARE_YOU_THERE) => {
                self.asked_if_there = self.may_answer();
                (State::Text, None)
            }
            // The same as the keys.
            (State::Command, ERASE_CHARACTER) => (State::Text, Some(keys::BACKSPACE)),
            (State::Command, ERASE_LINE) => (State::Text, Some(keys::ERASE_LINE)),
            (State::Command, _) => (State::Text, None),
            (State::Option(verb), option) => {
                self.negotiate(verb, option);
                (State::Text, None)
            }
            (State::Sub { taken: SUBNEGOTIATION_MAX, .. }, _) => (State::Text, Some(byte)),
            (State::Sub { taken, iac: false }, IAC) => (State::Sub { taken, iac: true }, None),
            (State::Sub { iac: true, .. }, SUBNEGOTIATION_END) => (State::Text, None),
            (State::Sub { taken, .. }, _) => (State::Sub { taken: taken + 1, iac: false }, None),
        };
        self.state = next;
        text
    }

    /// RFC 1143 in one line: every option is off and stays off, so WONT and DONT change nothing and
    /// need no answer. (DO and DONT ECHO answer what [`Telnet::set_hidden`] said.)
    fn negotiate(&mut self, verb: u8, option: u8) {
        self.has_begun |= !std::mem::replace(&mut self.speaks_telnet, true);
        let answer = match (verb, option) {
            (DO, ECHO) if self.hidden => return,
            (WILL, _) => DONT,
            (DO, _) => WONT,
            _ => return,
        };
        if self.may_answer() {
            self.answers.extend([IAC, answer, option]);
        }
    }

    fn may_answer(&mut self) -> bool {
        self.answered += 1;
        self.answered <= ANSWERS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(telnet: &mut Telnet, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        let kept = telnet.filter(&mut bytes);
        bytes.truncate(kept);
        bytes
    }

    /// Option 31 (RFC 1073): one of those that are refused, although its sub-negotiation may follow
    /// at once.
    const WINDOW_SIZE: u8 = 31;
    const CONVERSATION: &[u8] = &[
        b'h',
        IAC,
        WILL,
        24,
        b'i',
        IAC,
        DO,
        1,
        IAC,
        WILL,
        WINDOW_SIZE,
        IAC,
        SUBNEGOTIATION,
        WINDOW_SIZE,
        0,
        80,
        0,
        IAC,
        IAC,
        IAC,
        SUBNEGOTIATION_END,
        IAC,
        WONT,
        5,
        IAC,
        241,
        b'\n',
    ];

    #[test]
    fn sequences_may_be_split_anywhere() {
        for cut in 0..=CONVERSATION.len() {
            let mut telnet = Telnet::default();
            let mut text = filter(&mut telnet, &CONVERSATION[..cut]);
            text.extend(filter(&mut telnet, &CONVERSATION[cut..]));
            assert_eq!(text, b"hi\n", "cut at {cut}");
            assert_eq!(
                telnet.take_answers(),
                [IAC, DONT, 24, IAC, WONT, 1, IAC, DONT, WINDOW_SIZE],
                "cut at {cut}"
            );
        }
    }

    #[test]
    fn a_peer_that_negotiates_for_ever_is_answered_a_bounded_number_of_times() {
        let mut telnet = Telnet::default();
        for _ in 0..10_000 {
            filter(&mut telnet, &[IAC, DO, 1]);
        }
        assert_eq!(telnet.take_answers().len(), 3 * ANSWERS_MAX);
    }

    #[test]
    fn a_subnegotiation_without_end_gives_the_text_back() {
        let mut telnet = Telnet::default();
        filter(&mut telnet, &[IAC, SUBNEGOTIATION]);
        filter(&mut telnet, &[b'x'; SUBNEGOTIATION_MAX]);
        assert_eq!(filter(&mut telnet, b"yhello\n"), b"yhello\n");
    }

    #[test]
    fn are_you_there_is_noticed_once() {
        let mut telnet = Telnet::default();
        filter(&mut telnet, &[IAC, ARE_YOU_THERE]);
        assert!(telnet.take_are_you_there());
        assert!(!telnet.take_are_you_there());
    }

    #[test]
    fn a_peer_begins_to_negotiate_once_and_what_it_says_to_our_echo_needs_no_answer() {
        let mut telnet = Telnet::default();
        assert!(!telnet.take_begun());
        filter(&mut telnet, &[IAC, DO, 5]);
        assert!(telnet.take_begun() && !telnet.take_begun());
        telnet.take_answers();
        assert_eq!(telnet.set_hidden(true), [IAC, WILL, ECHO]);
        filter(&mut telnet, &[IAC, DO, ECHO]);
        assert!(!telnet.take_begun() && telnet.take_answers().is_empty());
        assert_eq!(telnet.set_hidden(false), [IAC, WONT, ECHO]);
        filter(&mut telnet, &[IAC, DO, ECHO]);
        assert_eq!(telnet.take_answers(), [IAC, WONT, ECHO], "now it is a question");
    }
}
