//! Who may ask: by the header Host, against pages that give their own name our address, and by Origin, against the pages of
//! other sites.

use crate::{UPGRADE, Web, status};
use std::io::{Read as _, Write as _};

/// The status of the answer, whatever follows.
fn begins(web: &Web, request: &str) -> String {
    let mut stream = web.connect();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    String::from_utf8_lossy(&answer[9..]).into_owned()
}

#[test]
fn a_host_that_is_not_ours_is_told_so() {
    let web = Web::start("--web-name chat.example.org --web-name Other");
    let own = rustix::system::uname().nodename().to_str().unwrap().to_owned();
    for (host, expected) in [
        ("127.0.0.1", 200),
        ("127.0.0.1:5080", 200),
        ("192.0.2.7:5080", 200),
        ("10.0.0.1:80", 200),
        ("[::1]:5080", 200),
        ("[fe80::1]", 200),
        ("localhost", 200),
        ("LocalHost:5080", 200),
        ("chat.example.org", 200),
        ("CHAT.example.org:443", 200),
        ("other:1", 200),
        (&*own, 200),
        (&*format!("{own}.local:5080"), 200),
        ("evil.example", 421),
        ("evil.example:5080", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example", 421),
        ("evil.example:127.0.0.1", 421),
        ("127.0.0.1:5080.evil.example", 421),
        ("chat.example.org.evil.example", 421),
        ("xchat.example.org", 421),
        ("127.1", 421),
        ("0x7f000001", 421),
        ("2130706433", 421),
        ("::1", 421),
        ("[::1", 421),
        ("[evil.example]", 421),
        ("user@127.0.0.1", 421),
        ("127.0.0.1:", 421),
        ("127.0.0.1:+80", 421),
        ("127.0.0.1:99999", 421),
        ("", 421),
        (" ", 421),
    ] {
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let answer = web.answers(request);
        assert_eq!(status(&answer), expected, "Host: {host}: {answer}");
    }
    // A page that has given its own name our address can read nothing here, and opens nothing.
    for path in ["/", "/page.js", "/metrics", "/view", "/chat", "/view.ws", "/nothing"] {
        for upgrade in ["", UPGRADE] {
            let named = "Host: evil.example\r\nOrigin: http://evil.example\r\n";
            let request = format!("GET {path} HTTP/1.1\r\n{named}{upgrade}\r\n");
            assert_eq!(begins(&web, &request), "421", "{path}");
        }
    }
    for (headers, why) in [("", "none"), ("Host: 127.0.0.1\r\nHost: evil.example\r\n", "two")] {
        let answer = web.answers(format!("GET / HTTP/1.1\r\n{headers}\r\n"));
        assert_eq!(status(&answer), 400, "{why}: {answer}");
    }
    let answer = web.answers("GET http://127.0.0.1/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    assert_eq!(status(&answer), 400, "{answer}");
}

#[test]
fn the_page_of_another_site_opens_no_websocket() {
    let web = Web::start("--web-name chat.example.org --view open");
    let port = web.web.port();
    for (host, origin, expected) in [
        (&*format!("127.0.0.1:{port}"), None, 101),
        (&*format!("127.0.0.1:{port}"), Some(format!("http://127.0.0.1:{port}")), 101),
        ("localhost:5080", Some("http://localhost:5080".to_owned()), 101),
        ("chat.example.org", Some("https://chat.example.org".to_owned()), 101),
        ("[::1]:5080", Some("http://[::1]:5080".to_owned()), 101),
        // Any address is ours as a Host. As an Origin only the one that the page came from.
        ("127.0.0.1:5080", Some("http://127.0.0.1:8000".to_owned()), 403),
        ("127.0.0.1:5080", Some("http://127.0.0.1".to_owned()), 403),
        ("127.0.0.1:5080", Some("http://192.0.2.7:5080".to_owned()), 403),
        ("localhost:5080", Some("http://127.0.0.1:5080".to_owned()), 403),
        ("127.0.0.1:5080", Some("http://evil.example".to_owned()), 403),
        ("chat.example.org", Some("https://chat.example.org.evil.example".to_owned()), 403),
        ("chat.example.org", Some("https://chat.example.org:8443".to_owned()), 403),
        ("chat.example.org", Some("https://evil.example/chat.example.org".to_owned()), 403),
        ("chat.example.org", Some("ftp://chat.example.org".to_owned()), 403),
        ("chat.example.org", Some("chat.example.org".to_owned()), 403),
        ("127.0.0.1:5080", Some("null".to_owned()), 403),
        ("127.0.0.1:5080", Some(String::new()), 403),
        ("127.0.0.1:5080", Some("file://".to_owned()), 403),
        ("evil.example", Some("http://evil.example".to_owned()), 421),
        ("evil.example", None, 421),
    ] {
        let origin = origin.map(|origin| format!("Origin: {origin}\r\n")).unwrap_or_default();
        for path in ["/chat", "/view.ws"] {
            let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{origin}{UPGRADE}\r\n");
            let status = begins(&web, &request);
            assert_eq!(status, expected.to_string(), "{path}, Host: {host}, {origin}");
        }
    }
}

/// Behind a proxy the address that counts is the one that the proxy has seen; from elsewhere the header is nobody's word.
#[test]
fn only_a_proxy_of_ours_says_where_a_browser_is() {
    let [ours, elsewhere] = ["--proxy-from 127.0.0.1", ""].map(Web::start);
    for (web, headers, expected) in [
        (&ours, "X-Forwarded-For: 192.0.2.7\r\n", Ok("192.0.2.7")),
        (&ours, "X-Forwarded-For: 203.0.113.9, 192.0.2.8\r\n", Ok("192.0.2.8")),
        (
            &ours,
            "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 192.0.2.9:1234\r\n",
            Ok("192.0.2.9"),
        ),
        (&ours, "X-Forwarded-For: [2001:db8::7]\r\n", Ok("[2001:db8::7]")),
        (&ours, "X-Forwarded-For: 2001:db8::8\r\n", Ok("[2001:db8::8]")),
        (&ours, "X-Forwarded-For: unknown\r\n", Err(400)),
        (&ours, "X-Forwarded-For: 192.0.2.7, \r\n", Err(400)),
        (&ours, "", Err(400)),
        (&elsewhere, "X-Forwarded-For: 192.0.2.7\r\n", Ok("127.0.0.1")),
        (&elsewhere, "", Ok("127.0.0.1")),
    ] {
        let mut stream = web.connect();
        let port = stream.local_addr().unwrap().port();
        let head =
            web.handshake().replace("Upgrade: websocket", &format!("{headers}Upgrade: websocket"));
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        match expected {
            Ok(address) => {
                assert_eq!(&answer[9..], b"101", "{headers}");
                web.server.logs(&format!("connected from {address}:{port}"));
            }
            Err(code) => assert_eq!(&answer[9..], i32::to_string(&code).as_bytes(), "{headers}"),
        }
    }
}
