//! Where the web port is, what is said of it at the start, and who has threads.

use crate::{
    Web,
    harness::{Folder, Server, eventually},
};
use std::net::TcpListener;

#[test]
fn a_taken_port_is_one_warning_and_the_chat_goes_on() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let server = Server::start(&format!("--web 127.0.0.1:{port}"));
    server.logs(&format!(
        "WARN  nobody can join with a browser: cannot listen on 127.0.0.1:{port}. The port is taken"
    ));
    server.logs(&format!("--web {}", port + 1));
    server.enter(["alice"]);
    assert!(!server.printed().contains("browsers"), "{}", server.printed());
    assert_eq!(server.log().matches("WARN").count(), 1, "{}", server.log());
}

#[test]
fn what_cannot_be_a_web_port_is_refused_in_a_sentence() {
    let folder = Folder::new();
    // A wrong name is found also where the port is taken.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let wrong_name =
        format!("--web {} --web-name http://chat.example.org", taken.local_addr().unwrap());
    for (options, sentence) in [
        ("--web 6667", "browsers refuse to open port 6667, which is another protocol's."),
        ("--web 127.0.0.1:5060", "browsers refuse to open port 5060,"),
        ("--web here", "is not ADDR:PORT"),
        ("--web 192.0.2.77:5080", "This machine has no such address."),
        (&*wrong_name, "give a name as it stands in a URL"),
        ("--proxy-from here", "\"here\" is no address of a proxy, like 192.0.2.7 or 10.0.0.0/8"),
        ("--proxy-from 0.0.0.0/0", "would let everybody say where they are"),
    ] {
        let outcome = folder.run_with(&format!("--listen 127.0.0.1:0 --db none {options}"), "");
        assert!(
            !outcome.is_success && outcome.err.contains(sentence),
            "{options}: {}",
            outcome.err
        );
    }
}

#[test]
fn browsers_have_threads_as_other_clients_and_one_thread_serves_the_rest() {
    let web = Web::start("");
    let _idle: Vec<_> = (0..20).map(|_| web.connect()).collect();
    let _plain = web.server.lets_in("alice");
    let _browser = web.enters("bob");
    eventually("there are N + 8 threads", || {
        let names = web.server.thread_names();
        let has = |end: &str| names.iter().any(|name| name.ends_with(end));
        names.len() == 2 + 8 && has(":alice") && has(":bob") && has("web")
    });
}

#[test]
fn a_stop_does_not_wait_for_connections_that_are_no_websockets() {
    let mut web = Web::start("");
    let (_silent, mut browser) = (web.connect(), web.enters("alice"));
    let mut begun = web.connect();
    std::io::Write::write_all(&mut begun, b"GET / HT").unwrap();
    let began = std::time::Instant::now();
    web.server.signal("TERM");
    browser.hears_until("*** Hung up: the server is shutting down.");
    assert_eq!(web.server.exit_code(), Some(0));
    assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
}

#[test]
fn a_class_of_browsers_may_come_from_one_address() {
    let help = Folder::new().run_with("--help", "").out;
    for option in ["--web ", "--web-name", "--proxy-from"] {
        assert!(help.contains(option), "{help}");
    }
}
