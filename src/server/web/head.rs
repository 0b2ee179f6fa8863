//! The head of an HTTP request, and what it asks for. No I/O.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest head: far more than a browser sends without cookies, which we set none of.
pub(super) const HEAD_MAX: usize = 8 * 1024;
/// The most headers in it.
const HEADERS_MAX: usize = 64;

/// What has come so far.
pub(super) enum Head {
    /// Its end has not come.
    Partial,
    /// The request, and the bytes that its head has.
    Whole(Box<Request>, usize),
    /// It is no request of HTTP. The first line may be one of a chat.
    Other,
    /// It is a request, and not a good one.
    Bad(Problem),
}

/// Why a request is refused: each has its status and its sentence in `answer.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// It makes no sense, or has a body.
    BadRequest(&'static str),
    /// Another origin's page asks.
    ForeignOrigin,
    NotFound,
    /// Metrics, asked for from elsewhere.
    NotForYou,
    /// Something else at the port of metrics.
    OnlyMetrics,
    /// Not GET, and not HEAD.
    Method,
    /// It took too long.
    Late,
    /// It is for another host.
    ForeignHost,
    /// `/chat` is for WebSockets.
    NoUpgrade,
    TooLong,
}

/// A request, as far as it matters here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) method: String,
    /// Without what stands behind `?`.
    pub(super) path: String,
    /// What stands there: the page says that it was reached over https.
    pub(super) is_https: bool,
    /// The header Host, with its port.
    pub(super) host: String,
    pub(super) origin: Option<String>,
    /// The headers If-None-Match, joined.
    pub(super) known_tags: String,
    /// The last header X-Forwarded-For.
    pub(super) forwarded_for: Option<String>,
    /// The connection stays open for the next request.
    pub(super) keeps_open: bool,
    pub(super) upgrade: Option<Upgrade>,
}

/// What a request says that wants a WebSocket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Upgrade {
    pub(super) key: String,
    pub(super) version: String,
    /// The subprotocols that it offers; `None`: it offers none.
    pub(super) protocols: Option<String>,
}

/// Looks at what has come.
pub(super) fn read(bytes: &[u8]) -> Head {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut parsed = httparse::Request::new(&mut headers);
    match parsed.parse(bytes) {
        Ok(httparse::Status::Partial) if bytes.len() >= HEAD_MAX => Head::Bad(Problem::TooLong),
        Ok(httparse::Status::Partial) => Head::Partial,
        Ok(httparse::Status::Complete(length)) if length > HEAD_MAX => Head::Bad(Problem::TooLong),
        Ok(httparse::Status::Complete(length)) => match Request::of(&parsed) {
            Ok(request) => Head::Whole(Box::new(request), length),
            Err(problem) => Head::Bad(problem),
        },
        Err(httparse::Error::TooManyHeaders) => Head::Bad(Problem::TooLong),
        Err(_) if is_http(bytes) => Head::Bad(Problem::BadRequest("That is no request of HTTP.")),
        Err(_) => Head::Other,
    }
}

/// Whether the first line looks like a request.
fn is_http(bytes: &[u8]) -> bool {
    let line = bytes.trim_ascii_start().split(|&byte| byte == b'\n').next().unwrap_or_default();
    line.windows(6).any(|word| word == b" HTTP/")
}

impl Request {
    fn of(parsed: &httparse::Request<'_, '_>) -> Result<Request, Problem> {
        let target = parsed.path.unwrap_or_default();
        let is_1_1 = parsed.version == Some(1);
        let mut request = Request {
            method: parsed.method.unwrap_or_default().to_owned(),
            path: target.split('?').next().unwrap_or_default().to_owned(),
            is_https: target.ends_with("?https:"),
            keeps_open: is_1_1,
            ..Request::default()
        };
        let (mut hosts, mut upgrade) = (0, Upgrade::default());
        let (mut wants_websocket, mut says_upgrade) = (false, false);
        for header in &*parsed.headers {
            let name = header.name.to_ascii_lowercase();
            let value = String::from_utf8_lossy(header.value).trim().to_owned();
            match &*name {
                "host" => (hosts, request.host) = (hosts + 1, value),
                "origin" if request.origin.is_some() => return Err(Problem::ForeignOrigin),
                "origin" => request.origin = Some(value),
                "if-none-match" => request.known_tags += &value,
                "x-forwarded-for" => request.forwarded_for = Some(value),
                "content-length" | "transfer-encoding" => {
                    return Err(Problem::BadRequest("A request here has no body."));
                }
                "connection" => {
                    says_upgrade |= has_word(&value, "upgrade");
                    request.keeps_open &= !has_word(&value, "close");
                }
                "upgrade" => wants_websocket |= has_word(&value, "websocket"),
                "sec-websocket-key" => upgrade.key = value,
                "sec-websocket-version" => upgrade.version = value,
                "sec-websocket-protocol" => {
                    *upgrade.protocols.get_or_insert_default() += &format!("{value},");
                }
                _ => {}
            }
        }
        if hosts > 1 || (hosts == 0 && is_1_1) {
            return Err(Problem::BadRequest("A request has one header Host."));
        }
        if !target.starts_with('/') {
            return Err(Problem::BadRequest("This is no proxy."));
        }
        request.upgrade = (is_1_1 && wants_websocket && says_upgrade).then_some(upgrade);
        Ok(request)
    }

    /// Whether the page that asks came from here; a program that is no browser says nothing of it.
    pub(super) fn is_from_here(&self) -> bool {
        let is_own = |origin: &str| {
            let rest = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
            rest == Some(&self.host)
        };
        self.origin.as_deref().is_none_or(is_own)
    }

    /// Whether the browser is on the machine that serves it.
    pub(super) fn is_from_this_machine(&self) -> bool {
        let name = name_of(&self.host).unwrap_or_default();
        name.eq_ignore_ascii_case("localhost") || literal(name).is_some_and(|ip| ip.is_loopback())
    }

    /// The last address in X-Forwarded-For: the one that the nearest proxy has seen.
    pub(super) fn forwarded(&self) -> Option<IpAddr> {
        let last = self.forwarded_for.as_deref()?.rsplit(',').next()?.trim();
        let with_port = || last.parse().map(|address: std::net::SocketAddr| address.ip()).ok();
        last.parse().ok().or_else(|| literal(last)).or_else(with_port)
    }
}

impl Upgrade {
    /// Whether the handshake can be answered.
    pub(super) fn check(&self) -> Result<(), Problem> {
        if self.version != "13" {
            return Err(Problem::NoUpgrade);
        }
        // 16 bytes in base64.
        let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
        let letters = self.key.strip_suffix("==").unwrap_or_default();
        if letters.len() != 22 || !letters.bytes().all(is_base64) {
            return Err(Problem::BadRequest("Sec-WebSocket-Key is not 16 bytes in base64."));
        }
        if self.protocols.as_deref().is_some_and(|offered| !has_word(offered, "chatd")) {
            return Err(Problem::BadRequest("The only subprotocol here is chatd."));
        }
        Ok(())
    }
}

/// Whether this word stands in a header whose words are separated by commas.
fn has_word(value: &str, word: &str) -> bool {
    value.split(',').any(|one| one.trim().eq_ignore_ascii_case(word))
}

/// Whether a request with this header Host is for us. A page elsewhere can give its own name our
/// address, and would then be of the same origin as we are (DNS rebinding); it cannot give itself
/// an address, or the name of this machine.
pub(super) fn is_our_host(host: &str, names: &[String]) -> bool {
    let Some(name) = name_of(host) else { return false };
    literal(name).is_some()
        || name.eq_ignore_ascii_case("localhost")
        || names.iter().any(|ours| name.eq_ignore_ascii_case(ours))
}

/// The name or address in a header Host, without the port.
fn name_of(host: &str) -> Option<&str> {
    let end = match host.strip_prefix('[') {
        Some(rest) => rest.find(']')? + 2,
        None => host.find(':').unwrap_or(host.len()),
    };
    let (name, port) = host.split_at(end);
    let is_port = |digits: &str| digits.parse::<u16>().is_ok() && !digits.starts_with('+');
    (port.is_empty() || port.strip_prefix(':').is_some_and(is_port)).then_some(name)
}

/// The address that this is as it stands in a URL: IPv6 in brackets.
fn literal(name: &str) -> Option<IpAddr> {
    match name.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => name.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUESTS: [&str; 4] = [
        "GET / HTTP/1.1\r\nHost: 127.0.0.1:5080\r\nConnection: keep-alive\r\nIf-None-Match: \"x\"\r\n\r\n",
        "GET /chat?x HTTP/1.1\r\nHost: [::1]:5080\r\nOrigin: http://[::1]:5080\r\nUpgrade: websocket\r\n\
         Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: chatd\r\n\r\n",
        "HEAD /page.js HTTP/1.0\nHost: localhost\nX-Forwarded-For: 192.0.2.7, [2001:db8::1]:80\n\n",
        "POST / HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 3\r\n\r\nabc",
    ];

    /// Inputs of a fuzz test: few here, and as many as `CHATD_FUZZ` says.
    fn inputs() -> u64 {
        std::env::var("CHATD_FUZZ").ok().and_then(|count| count.parse().ok()).unwrap_or(50_000)
    }

    /// A request with a few bytes changed, left out or doubled.
    fn mutated(random: &mut impl FnMut(usize) -> usize) -> Vec<u8> {
        let mut bytes = REQUESTS[random(REQUESTS.len())].as_bytes().to_vec();
        for _ in 0..random(8) {
            if bytes.is_empty() {
                break;
            }
            let at = random(bytes.len());
            match random(5) {
                0 => bytes[at] = random(256) as u8,
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, b"\r\n: ,/\0\x80[]=H"[random(12)]),
                3 => bytes.truncate(at + 1),
                _ => {
                    let piece = bytes[at..(at + random(20)).min(bytes.len())].to_vec();
                    let to = random(bytes.len());
                    bytes.splice(to..to, piece);
                }
            }
        }
        bytes
    }

    #[test]
    fn no_head_is_read_past_its_end_or_otherwise_than_in_pieces() {
        let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = move |below: usize| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            (seed % below.max(1) as u64) as usize
        };
        let mut whole = 0;
        for _ in 0..inputs() {
            let bytes = mutated(&mut random);
            let Head::Whole(request, length) = read(&bytes) else { continue };
            whole += 1;
            assert!(length <= bytes.len());
            let Head::Whole(again, same) = read(&bytes[..length]) else { panic!("{bytes:?}") };
            assert!(again == request && same == length);
            let part = random(length);
            assert!(!matches!(read(&bytes[..part]), Head::Whole(..)), "{bytes:?}, {part}");
            assert!(request.path.starts_with('/'), "{request:?}");
            let is_ours = is_our_host(&request.host, &[]);
            // What is ours ends up in a header of ours.
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "[]:.".contains(c);
            assert!(!is_ours || request.host.chars().all(is_plain), "{request:?}");
            let _ = (request.is_from_here(), request.forwarded());
            let _ = request.upgrade.map(|upgrade| upgrade.check());
        }
        assert!(whole > 0);
    }
}
