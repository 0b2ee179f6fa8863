//! Requests: whole and in pieces, and those that are none.

use crate::{UPGRADE, Web, status, to_the_end};
use std::io::{Read as _, Write as _};

#[test]
fn the_page_and_its_files_come_with_their_headers() {
    let web = Web::start("");
    for (path, kind) in [
        ("/", "text/html; charset=utf-8"),
        ("/?name=alice", "text/html; charset=utf-8"),
        ("/page.js", "text/javascript; charset=utf-8"),
        ("/page.css", "text/css; charset=utf-8"),
        ("/view", "text/html; charset=utf-8"),
        ("/icon.svg", "image/svg+xml"),
        ("/join.svg?http:", "image/svg+xml"),
    ] {
        let answer = web.get(path, "");
        assert_eq!(status(&answer), 200, "{path}");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        for header in [
            &format!("Content-Type: {kind}"),
            &format!("Content-Length: {}", body.len()),
            "X-Content-Type-Options: nosniff",
            "Referrer-Policy: no-referrer",
            "Cache-Control: no-cache",
            "Content-Security-Policy: default-src 'none'; script-src 'self'; ",
            &format!("connect-src 'self' ws://{0} wss://{0}; ", web.web),
            "Cross-Origin-Opener-Policy: same-origin-allow-popups",
        ] {
            assert!(head.contains(header), "{path} lacks {header:?}: {head}");
        }
        assert!(!head.to_ascii_lowercase().contains("cookie"), "{head}");
        let tag = head.lines().find_map(|line| line.strip_prefix("ETag: ")).unwrap();
        let again = web.get(path, &format!("If-None-Match: {tag}\r\n"));
        assert_eq!((status(&again), again.ends_with("\r\n\r\n")), (304, true), "{again}");
        let head_only = web.answers(format!(
            "HEAD {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            web.web
        ));
        assert_eq!(head_only, format!("{head}\r\n\r\n"));
    }
    // By another name than this machine's own, a browser would complain of the header.
    let answer = web.answers("GET / HTTP/1.1\r\nHost: 192.0.2.7\r\nConnection: close\r\n\r\n");
    assert!(!answer.contains("Opener-Policy"), "{answer}");
}

#[test]
fn what_is_not_answered_is_refused_in_a_sentence() {
    let web = Web::start("");
    let host = format!("Host: {}\r\nConnection: close\r\n", web.web);
    for (request, expected) in [
        (format!("GET /nothing HTTP/1.1\r\n{host}\r\n"), 404),
        (format!("GET /../Cargo.toml HTTP/1.1\r\n{host}\r\n"), 404),
        (format!("GET //page.js HTTP/1.1\r\n{host}\r\n"), 404),
        (format!("GET /chat HTTP/1.1\r\n{host}\r\n"), 426),
        (format!("HEAD /chat HTTP/1.1\r\n{host}{UPGRADE}\r\n"), 426),
        (format!("GET /chat HTTP/1.0\r\n{host}{UPGRADE}\r\n"), 426),
        (format!("POST / HTTP/1.1\r\n{host}\r\n"), 405),
        (format!("DELETE /page.js HTTP/1.1\r\n{host}\r\n"), 405),
        (format!("OPTIONS * HTTP/1.1\r\n{host}\r\n"), 400),
        (format!("POST / HTTP/1.1\r\n{host}Content-Length: 2\r\n\r\nhi"), 400),
        (format!("GET / HTTP/1.1\r\n{host}Content-Length: 0\r\n\r\n"), 400),
        (format!("GET / HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400),
        (format!("GET / HTTP/9.9\r\n{host}\r\n"), 400),
        (format!("GET / HTTP/1.1\r\nbad header\r\n{host}\r\n"), 400),
        (format!("GET /{} HTTP/1.1\r\n{host}\r\n", "x".repeat(9000)), 431),
        (format!("GET / HTTP/1.1\r\n{host}X: {}\r\n\r\n", "x".repeat(9000)), 431),
        (format!("GET / HTTP/1.1\r\n{host}{}\r\n", "X: y\r\n".repeat(100)), 431),
        (web.handshake().replace("Version: 13", "Version: 8"), 426),
        (web.handshake().replace("dGhlIHNh", "dGhl"), 400),
        (web.handshake().replace("dGhlIHNh", "dGhl!HNh"), 400),
        (web.handshake().replace("Upgrade: w", "Sec-WebSocket-Protocol: other\r\nUpgrade: w"), 400),
    ] {
        let answer = web.answers(request.replace("keep-alive, Upgrade", "close, Upgrade"));
        assert_eq!(status(&answer), expected, "{request:.200}: {answer}");
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        assert_eq!(body.is_empty(), request.starts_with("HEAD"), "{answer}");
        assert!(body.is_empty() || body.ends_with(".\n"), "{answer}");
    }
}

#[test]
fn whoever_talks_to_the_wrong_port_is_told_the_right_one() {
    let web = Web::start("");
    let port = web.server.address.port();
    for line in ["alice\n", "hello all of you\n", "/quit\n", "\u{e9}t\u{e9}\n", "alice\r\n/who\r\n"]
    {
        let answer = web.answers(line);
        let right =
            format!("*** This port is for browsers. The chat is on port {port}: nc HOST {port}\n");
        assert_eq!(answer, right, "{line:?}");
    }
    let mut lost = web.server.connect("lost");
    lost.hears_until("*** What is your name?");
    lost.says(&format!("GET / HTTP/1.1\r\nHost: {}\r\n\r", web.server.address));
    let last = lost.hears_to_the_end().pop().unwrap();
    assert!(last.ends_with(&format!("open http://{}/", web.web)), "{last}");
}

/// TCP knows no requests: a browser behind a slow link sends a head in any number of pieces.
#[test]
fn a_head_may_come_in_any_pieces() {
    let web = Web::start("");
    let request =
        format!("GET /icon.svg HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", web.web);
    let whole = web.answers(&request);
    assert_eq!(status(&whole), 200);
    for cut in 1..request.len() {
        let mut stream = web.connect();
        stream.write_all(&request.as_bytes()[..cut]).unwrap();
        // What is answered to another one, the first one's piece has been read before.
        if cut % 8 == 1 {
            assert_eq!(web.get("/icon.svg", ""), whole);
        }
        stream.write_all(&request.as_bytes()[cut..]).unwrap();
        assert_eq!(to_the_end(stream), whole, "cut at {cut}");
    }
    let mut slow = web.connect();
    for byte in request.as_bytes() {
        slow.write_all(&[*byte]).unwrap();
    }
    assert_eq!(to_the_end(slow), whole);
}

#[test]
fn a_handshake_may_come_in_pieces_with_its_first_words_behind_it() {
    let web = Web::start("");
    let mut words = web.handshake().into_bytes();
    words.extend(crate::frames::masked(0x81, b"alice\n"));
    words.extend(crate::frames::masked(0x81, b"/quit"));
    for cut in [1, 2, 4, 80, words.len() - 20, words.len() - 1, words.len()] {
        let mut stream = web.connect();
        stream.write_all(&words[..cut]).unwrap();
        assert_eq!(status(&web.get("/", "")), 200);
        stream.write_all(&words[cut..]).unwrap();
        let answer = to_the_end(stream);
        assert_eq!(status(&answer), 101, "cut at {cut}");
        for said in
            ["Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "Hello alice.", "Goodbye."]
        {
            assert!(answer.contains(said), "cut at {cut}: {answer}");
        }
    }
}

#[test]
fn several_requests_may_come_on_one_connection_also_at_once() {
    let web = Web::start("");
    let ask = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", web.web);
    let mut stream = web.connect();
    stream.write_all((ask("/") + &ask("/nothing") + &ask("/icon.svg")).as_bytes()).unwrap();
    let mut read = String::new();
    while !read.ends_with("</svg>\n") {
        let mut bytes = [0; 4096];
        let count = stream.read(&mut bytes).unwrap();
        assert!(count > 0, "{read}");
        read += &String::from_utf8_lossy(&bytes[..count]);
    }
    let codes: Vec<&str> = read.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect();
    assert_eq!(codes, ["200", "404", "200"]);
    // And the last of them is for a WebSocket.
    stream.write_all(web.handshake().as_bytes()).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 101");
}

/// A head may take ten seconds, and a connection may be idle for five after an answer.
#[test]
fn a_connection_on_which_nothing_comes_is_closed() {
    let web = Web::start("");
    let began = std::time::Instant::now();
    let (mut idle, silent, mut slow) = (web.connect(), web.connect(), web.connect());
    idle.write_all(format!("GET /nothing HTTP/1.1\r\nHost: {}\r\n\r\n", web.web).as_bytes())
        .unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nHost: ").unwrap();
    assert_eq!(status(&to_the_end(idle)), 404);
    assert!(began.elapsed().as_secs() >= 4, "{:?}", began.elapsed());
    assert_eq!(to_the_end(silent), "");
    assert_eq!(status(&to_the_end(slow)), 408);
    assert!(began.elapsed().as_secs() >= 9, "{:?}", began.elapsed());
}
