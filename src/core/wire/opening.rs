//! What a connection begins with, if it is no chat: another protocol's request.
//!
//! A web page can make a browser send any text to this port, as headers and a body of a request,
//! and a browser may simply be pointed at it. In a chat each of those lines would be said to the
//! room. So the first line is held back if it looks like a request, and what follows tells: a
//! browser goes on with a header or an empty line. Text alone; no I/O.

use super::line::LINE_MAX;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How far the connection is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Opening {
    /// No line yet that was not blank.
    #[default]
    Waiting,
    /// The first line is held back. It looks like this.
    HeldBack(&'static str),
    /// The first line was one of a chat.
    Over,
}

/// What a line is, as far as other protocols are concerned.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// A line like any other.
    Ordinary,
    /// The first line, which is held back: the next one tells.
    HeldBack,
    /// A line like any other, and so the one before it was no request, and has to be typed again.
    NotHeldBack,
    /// The client speaks this.
    Other(&'static str),
}

/// The methods that browsers and their like use, for a request that names no version.
const METHODS: [&str; 9] =
    ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH"];

/// It is handed over as a word: whether it is over. (Nobody is handed over while a line is held back.)
impl Serialize for Opening {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (*self == Opening::Over).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Opening {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Opening, D::Error> {
        let is_over = bool::deserialize(deserializer)?;
        Ok(if is_over { Opening::Over } else { Opening::Waiting })
    }
}

impl Opening {
    /// Looks at the next line, which may be cut.
    #[inline(never)] // see `Session::hear`
    pub(crate) fn look(&mut self, line: &[u8]) -> Seen {
        let line = line.trim_ascii();
        match *self {
            Opening::Waiting if line.is_empty() => Seen::Ordinary,
            Opening::Waiting => {
                *self = request(line).map_or(Opening::Over, Opening::HeldBack);
                match first_words(line) {
                    Some(protocol) => Seen::Other(protocol),
                    None if *self == Opening::Over => Seen::Ordinary,
                    None => Seen::HeldBack,
                }
            }
            Opening::HeldBack(protocol) => {
                *self = Opening::Over;
                let goes_on = line.is_empty() || is_header(line);
                if goes_on { Seen::Other(protocol) } else { Seen::NotHeldBack }
            }
            Opening::Over => Seen::Ordinary,
        }
    }
}

/// The protocol whose clients begin like this, whatever follows.
fn first_words(line: &[u8]) -> Option<&'static str> {
    let is_number = |c: Option<&u8>| c.is_some_and(u8::is_ascii_digit);
    if let Some(version) = line.strip_prefix(b"SSH-")
        && is_number(version.first())
        && version.get(1) == Some(&b'.')
    {
        return Some("an SSH client's first line");
    }
    let is_proxy = [&b"PROXY TCP4 "[..], b"PROXY TCP6 ", b"PROXY UNKNOWN"];
    if line == b"\0" {
        return Some("a PROXY header"); // version 2: \r\n\r\n\0\r\nQUIT\n
    }
    is_proxy.iter().any(|words| line.starts_with(words)).then_some("a PROXY line")
}

/// The protocol of which this line may be a request: `GET / HTTP/1.1`.
fn request(line: &[u8]) -> Option<&'static str> {
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let (method, target) = (words.next()?, words.next()?);
    if !is_token(method) {
        return None;
    }
    let last = words.next_back();
    for (name, protocol) in
        [("HTTP/", "an HTTP request"), ("RTSP/", "an RTSP request"), ("SIP/", "a SIP request")]
    {
        let is_version = |word: &[u8]| {
            let number = word.get(name.len());
            begins_with(word, name) && number.is_some_and(u8::is_ascii_digit)
        };
        if is_version(last.unwrap_or(target)) {
            return Some(protocol);
        }
    }
    let is_address = target.starts_with(b"/") || target.windows(3).any(|part| part == b"://");
    let is_method = METHODS.iter().any(|name| method.eq_ignore_ascii_case(name.as_bytes()));
    let is_cut = line.len() > LINE_MAX;
    (is_address && (is_cut || (is_method && last.is_none()))).then_some("an HTTP request")
}

/// Whether a line is a header: `Host: example.com`.
fn is_header(line: &[u8]) -> bool {
    let colon = line.iter().position(|&byte| byte == b':');
    colon.is_some_and(|at| is_token(line[..at].trim_ascii_end()))
}

fn begins_with(word: &[u8], start: &str) -> bool {
    word.get(..start.len()).is_some_and(|word| word.eq_ignore_ascii_case(start.as_bytes()))
}

/// Whether this may be a method or the name of a header (RFC 9110, "token").
fn is_token(word: &[u8]) -> bool {
    let is_one = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !word.is_empty() && word.iter().all(is_one)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is seen in these lines, one after the other.
    fn seen(lines: &[&str]) -> Vec<Seen> {
        let mut opening = Opening::default();
        lines.iter().map(|line| opening.look(line.as_bytes())).collect()
    }

    #[test]
    fn a_request_is_held_back_and_a_header_or_an_empty_line_tells() {
        for request in [
            "GET / HTTP/1.1",
            "get /index.html http/1.0",
            "POST /submit HTTP/1.1",
            "M-SEARCH * HTTP/1.1",
            "FROBNICATE /x y z HTTP/1.1",
            "CONNECT example.com:443 HTTP/1.1",
            "PRI * HTTP/2.0",
            "GET /",
            "get http://example.com/",
            "GET  /  HTTP/1.1",
            "OPTIONS rtsp://example.com RTSP/1.0",
            "INVITE sip:bob@example.com SIP/2.0",
        ] {
            for next in ["", "Host: example.com", "x-y:", "cookie:session=SECRET", "Host : x"] {
                let [first, second, third] = &seen(&[request, next, "hi"])[..] else { panic!() };
                assert_eq!(*first, Seen::HeldBack, "{request}");
                assert!(matches!(second, Seen::Other(_)), "{request}, {next:?}: {second:?}");
                assert_eq!(*third, Seen::Ordinary);
            }
            for next in ["hello", "bob", "what do you say: hm?", "/quit", ": x"] {
                let lines = seen(&["", " ", request, next, request, "", "Host: x"]);
                assert_eq!(
                    lines[..4],
                    [Seen::Ordinary, Seen::Ordinary, Seen::HeldBack, Seen::NotHeldBack]
                );
                assert!(
                    lines[4..].iter().all(|line| *line == Seen::Ordinary),
                    "later ones are talk"
                );
            }
        }
        let long = format!("FOO /{} HTT", "x".repeat(LINE_MAX));
        assert_eq!(seen(&[&long, "Host: x"])[0], Seen::HeldBack, "its end is cut off");
        let whole = format!("FOO /{} HTT", "x".repeat(LINE_MAX - "FOO / HTT".len()));
        assert_eq!(seen(&[&whole, "Host: x"])[0], Seen::Ordinary);
    }

    #[test]
    fn whether_it_is_over_is_handed_over() {
        for opening in [Opening::Waiting, Opening::Over] {
            let json = serde_json::to_string(&opening).unwrap();
            assert!(serde_json::from_str::<Opening>(&json).unwrap() == opening);
        }
    }

    #[test]
    fn other_clients_are_known_by_their_first_line() {
        for line in
            ["SSH-2.0-OpenSSH_9.6", "SSH-1.99-x", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2", "PROXY UNKNOWN"]
        {
            assert!(matches!(seen(&["", line])[1], Seen::Other(_)), "{line}");
            assert_eq!(seen(&["hi", line])[1], Seen::Ordinary, "{line}");
        }
    }

    #[test]
    fn talk_is_ordinary() {
        for line in [
            "alice",
            "hi all",
            "HTTP/1.1 is old",
            "get out of here",
            "GET it?",
            "/GET / HTTP/1.1",
            "Host: example.com",
            "what/is/this",
            "SSH-agents are fine",
            "a) b HTTP",
            "a b HTTP/x",
            "get it abcde5",
            "see /etc",
            "get /etc now",
        ] {
            assert_eq!(
                seen(&[line, "Host: x", ""]),
                [Seen::Ordinary, Seen::Ordinary, Seen::Ordinary]
            );
        }
    }
}
