//! What is answered to a request. No I/O.

use super::{
    assets,
    head::{Problem, Request, is_our_host},
    join,
    metrics::Metrics,
};
use crate::server::{page_at::PageAt, proxies::Proxies};
use std::{borrow::Cow, net::SocketAddr};
use tungstenite::handshake::derive_accept_key;

/// Where a WebSocket leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// `/chat`: a client.
    Chat,
    /// `/view.ws`: somebody who looks at the view.
    View,
}

/// What becomes of a request.
pub(super) enum Outcome {
    Answer(Answer),
    /// This is answered, and then the connection is a WebSocket of somebody at this address.
    Switch {
        target: Target,
        answer: String,
        peer: SocketAddr,
    },
}

/// An answer, as it is sent.
pub(super) struct Answer {
    pub(super) head: String,
    pub(super) body: Cow<'static, [u8]>,
    /// The connection stays open for the next request.
    pub(super) keeps_open: bool,
}

/// What the answers depend on.
pub(super) struct Rules {
    /// The names by which a browser may call this server, beside its addresses.
    pub(super) names: Vec<String>,
    /// The proxies whose word is taken for where a browser is.
    pub(super) proxies: Proxies,
    /// Where the chat is, for those who talk to this port as to that one.
    pub(super) chat_port: u16,
    /// Where the page is, by http and by https.
    pub(super) pages: Vec<PageAt>,
    pub(super) metrics: Metrics,
}

/// What a port is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Port {
    /// The page, and all that belongs to it.
    Page,
    /// The same over https.
    Encrypted,
    /// `--metrics`.
    Metrics,
}

impl Rules {
    /// What becomes of a request that came from `peer`.
    pub(super) fn answer(&self, request: &Request, peer: SocketAddr, port: Port) -> Outcome {
        self.try_answer(request, peer, port).unwrap_or_else(|problem| {
            Outcome::Answer(self.refuse(problem, request.keeps_open, request.method == "HEAD"))
        })
    }

    fn try_answer(
        &self,
        request: &Request,
        peer: SocketAddr,
        port: Port,
    ) -> Result<Outcome, Problem> {
        if request.method != "GET" && request.method != "HEAD" {
            return Err(Problem::Method);
        }
        if request.path == "/healthz" {
            return Ok(Outcome::Answer(self.health(request)));
        }
        if !is_our_host(&request.host, &self.names) {
            return Err(Problem::ForeignHost);
        }
        let target = match &*request.path {
            "/metrics" => return self.metrics(request, peer, port).map(Outcome::Answer),
            _ if port == Port::Metrics => return Err(Problem::OnlyMetrics),
            "/chat" => Target::Chat,
            "/view.ws" => Target::View,
            _ => return self.asset(request, peer).map(Outcome::Answer),
        };
        if !request.is_from_here() {
            return Err(Problem::ForeignOrigin);
        }
        let upgrade = request.upgrade.as_ref().filter(|_| request.method == "GET");
        let upgrade = upgrade.ok_or(Problem::NoUpgrade)?;
        upgrade.check()?;
        let peer = self.true_peer(request, peer)?;
        let accept = derive_accept_key(upgrade.key.as_bytes());
        let protocol = match upgrade.protocols {
            Some(_) => "Sec-WebSocket-Protocol: chatd\r\n",
            None => "",
        };
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n{protocol}\r\n"
        );
        Ok(Outcome::Switch { target, answer, peer })
    }

    /// Where the browser is: where the connection comes from, or where a proxy of ours says.
    fn true_peer(&self, request: &Request, peer: SocketAddr) -> Result<SocketAddr, Problem> {
        if !self.proxies.has(peer.ip()) {
            return Ok(peer);
        }
        // Without it everybody behind the proxy would be one address, and perhaps this machine's own,
        // which is not limited.
        let said = "The proxy has to say in X-Forwarded-For where the browser is.";
        let ip = request.forwarded().ok_or(Problem::BadRequest(said))?;
        Ok(SocketAddr::new(ip.to_canonical(), peer.port()))
    }

    /// For a load balancer, wherever it is and whatever it calls this server (haproxy by nothing, as
    /// HTTP/1.0 may): whether the chat goes on.
    fn health(&self, request: &Request) -> Answer {
        match self.metrics.health() {
            Ok(()) => text("200 OK", "ok\n".to_owned(), request),
            Err(sentence) => text("503 Service Unavailable", sentence + "\n", request),
        }
    }

    /// The class need not know; and behind a proxy everybody would come from this machine.
    fn metrics(&self, request: &Request, peer: SocketAddr, port: Port) -> Result<Answer, Problem> {
        let is_from_here = || Ok(self.true_peer(request, peer)?.ip().to_canonical().is_loopback());
        match port == Port::Metrics || is_from_here()? {
            true => Ok(text("200 OK", self.metrics.text(), request)),
            false => Err(Problem::NotForYou),
        }
    }

    fn asset(&self, request: &Request, peer: SocketAddr) -> Result<Answer, Problem> {
        let (kind, bytes): (_, Cow<'static, [u8]>) = match &*request.path {
            "/join.svg" => {
                let page = self.pages.iter().find(|page| page.is_encrypted == request.is_https);
                let page = *page.or(self.pages.first()).ok_or(Problem::NotFound)?;
                (assets::PICTURE, join::picture(request, page).into_bytes().into())
            }
            path => {
                let asset = assets::find(path).ok_or(Problem::NotFound)?;
                (asset.kind, asset.bytes.into())
            }
        };
        let tag = assets::tag(&bytes);
        let is_known = request.known_tags.contains(&tag);
        let status = if is_known { "304 Not Modified" } else { "200 OK" };
        // A browser takes no notice of this one, but for a complaint, where the connection is not a
        // safe one.
        let is_safe = request.is_from_this_machine() || self.proxies.has(peer.ip());
        let opener = match is_safe {
            true => "Cross-Origin-Opener-Policy: same-origin-allow-popups\r\n",
            false => "",
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {}\r\nETag: {tag}\r\nCache-Control: no-cache\r\n\
             Content-Security-Policy: {}\r\n{opener}",
            kind,
            policy(&request.host)
        );
        let body = if is_known { Cow::default() } else { bytes };
        let has_no_body = is_known || request.method == "HEAD";
        // The length that a body would have; an answer without changes says nothing of it.
        let length = (!is_known).then_some(body.len());
        Ok(finish(head, length, body, request.keeps_open, has_no_body))
    }

    /// The answer to a request that is refused.
    pub(super) fn refuse(&self, problem: Problem, keeps_open: bool, is_head: bool) -> Answer {
        let (status, sentence, header) = match problem {
            Problem::BadRequest(sentence) => ("400 Bad Request", sentence, ""),
            Problem::ForeignOrigin => {
                ("403 Forbidden", "A page of another site may not talk here.", "")
            }
            Problem::NotForYou => (
                "403 Forbidden",
                "Metrics are for this machine alone. To have them elsewhere, start chatd with --metrics ADDR:PORT.",
                "",
            ),
            Problem::OnlyMetrics => ("404 Not Found", "There is /metrics here, and /healthz.", ""),
            Problem::NotFound => {
                ("404 Not Found", "There is nothing here. The chat is at / and begins there.", "")
            }
            Problem::Method => (
                "405 Method Not Allowed",
                "Only GET and HEAD are answered.",
                "Allow: GET, HEAD\r\n",
            ),
            Problem::Late => ("408 Request Timeout", "The request took too long.", ""),
            Problem::ForeignHost => (
                "421 Misdirected Request",
                "This server does not go by that name. Use its address, or have it started with --web-name.",
                "",
            ),
            Problem::NoUpgrade => (
                "426 Upgrade Required",
                "This path is for WebSockets, version 13.",
                "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n",
            ),
            Problem::TooLong => {
                ("431 Request Header Fields Too Large", "The head has more than 8 KiB.", "")
            }
        };
        // What follows a request that makes no sense cannot be told apart from it.
        let is_clear = !matches!(
            problem,
            Problem::BadRequest(_) | Problem::Late | Problem::TooLong | Problem::Method
        );
        let body = format!("{sentence}\n");
        let head =
            format!("HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\n{header}");
        let length = Some(body.len());
        finish(head, length, body.into_bytes().into(), keeps_open && is_clear, is_head)
    }

    /// For a browser that speaks http where https is spoken.
    pub(super) fn elsewhere(&self, request: &Request) -> Answer {
        if !is_our_host(&request.host, &self.names) {
            return self.refuse(Problem::ForeignHost, false, false);
        }
        let head = format!(
            "HTTP/1.1 308 Permanent Redirect\r\nLocation: https://{}{}\r\n",
            request.host, request.path
        );
        finish(head, Some(0), Cow::default(), false, false)
    }

    /// What somebody reads who talks to this port as if it were the chat's.
    pub(super) fn other_port(&self) -> Answer {
        let port = self.chat_port;
        let line =
            format!("*** This port is for browsers. The chat is on port {port}: nc HOST {port}\n");
        Answer { head: line, body: Cow::default(), keeps_open: false }
    }
}

/// A text for a program.
fn text(status: &str, body: String, request: &Request) -> Answer {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
         Cache-Control: no-store\r\n"
    );
    let (length, is_head) = (Some(body.len()), request.method == "HEAD");
    finish(head, length, body.into_bytes().into(), request.keeps_open, is_head)
}

/// Nothing but what comes from here, and no inline script: what a stranger types cannot become one.
/// (`connect-src 'self'` does not include WebSockets in Safari before 15.4.)
fn policy(host: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
         connect-src 'self' ws://{host} wss://{host}; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )
}

fn finish(
    head: String,
    length: Option<usize>,
    body: Cow<'static, [u8]>,
    keeps_open: bool,
    has_no_body: bool,
) -> Answer {
    let length = length.map(|length| format!("Content-Length: {length}\r\n")).unwrap_or_default();
    let close = if keeps_open { "" } else { "Connection: close\r\n" };
    let head = format!(
        "{head}{length}X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n\
         Cross-Origin-Resource-Policy: same-origin\r\n{close}\r\n"
    );
    Answer { head, body: if has_no_body { Cow::default() } else { body }, keeps_open }
}
