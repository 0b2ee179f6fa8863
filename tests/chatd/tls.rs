//! TLS: what is promised, kept to clients that encrypt; and what is theirs alone, tried with the programs that people have.

use crate::harness::{
    Client, Process, Program, Server, eventually, has_program,
    tls::{self, Tls},
};
use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpStream},
    process::Command,
};
use tungstenite::{ClientRequestBuilder, Error, HandshakeError, Message};

keeps!(Program::Tls, {
    order::two_talkers_at_full_speed_twenty_listeners_one_sequence,
    order::past_and_present_meet_without_a_gap_or_a_repeat,
    flood::a_flooder_is_delayed_and_told_once_and_the_others_notice_nothing,
    slow_consumer::eight_of_64_stop_reading_and_the_others_get_every_line,
    slow_consumer::the_write_deadline_finds_who_reads_nothing_in_a_quiet_room,
    slow_consumer::a_long_answer_waits_for_its_reader_and_does_not_count_against_the_mark,
    slow_consumer::a_joiner_does_not_wait_for_one_that_is_stuck_in_a_long_answer,
    slow_consumer::one_that_reads_again_in_time_is_told_why_it_was_hung_up,
    shutdown::everybody_is_told_and_the_exit_code_is_0,
    shutdown::what_was_accepted_is_delivered,
    resuming::a_cut_client_comes_back_as_they_were_and_misses_nothing,
});

/// A server at which `alice` talks as ever, and the address for those who encrypt.
pub fn start(options: &str) -> (Server, SocketAddr) {
    let server = Server::start(&format!("--tls 127.0.0.1:0 {} {options}", tls::options()));
    let address = server.also_at("listening for TLS on ");
    (server, address)
}

fn s_client(address: SocketAddr, options: &str) -> Process {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-connect", &address.to_string()]).args(options.split(' '));
    Process::start(command)
}

#[test]
fn openssl_talks_in_both_versions_and_is_told_that_it_is_over() {
    if !has_program("openssl") {
        return;
    }
    let (server, address) = start("");
    let [mut alice] = server.enter(["alice"]);
    for version in ["-tls1_2", "-tls1_3"] {
        let mut client = s_client(address, &format!("-quiet {version}"));
        client.prints("What is your name?");
        client.types("openssl\n");
        alice.hears("*** openssl entered lobby");
        client.types("hello\n");
        alice.hears("<openssl> hello");
        alice.says("hi");
        client.prints("<alice> hi");
        client.types("/quit\n");
        alice.hears("*** openssl left lobby (quit)");
        assert!(client.ends().ends_with("*** Goodbye.\n"));
        assert!(!client.log().contains("unexpected eof"), "{}", client.log());
    }
}

#[test]
fn who_does_not_encrypt_is_told_that_this_port_is_for_tls() {
    let (server, address) = start("");
    let mut client = Client::connect(address, "client");
    client.says("hello?");
    let plain = server.address.port();
    client.hears(&format!(
        "*** This port is for TLS alone: chat --tls HOST PORT (without encryption: nc HOST {plain})"
    ));
    client.is_hung_up();
    server.logs(" no TLS, on a port for TLS alone");
}

/// Whether they have said nothing, something else than TLS, or the half of a handshake.
#[test]
fn connections_that_end_in_the_handshake_are_counted_as_others_are() {
    const VISITS_EACH: usize = 10;
    let (server, address) = start("");
    let (hello, mut asked) = (tls::hello(), 0);
    eventually("they have to wait", || {
        for begin in [&b""[..], b"x\n", &hello] {
            for _ in 0..VISITS_EACH {
                let _ = TcpStream::connect(address).unwrap().write(begin);
            }
        }
        asked += 1;
        let mut late = server.connect("late");
        late.says("/quit");
        late.reads().is_some_and(|line| line.starts_with("*** Please wait: "))
    });
    assert!(asked < 128, "those who ask are too many by themselves: {asked}");
}

#[test]
fn who_cuts_off_tls_loses_half_a_line_and_the_log_says_so() {
    let (server, address) = start("");
    let [mut alice] = server.enter(["alice"]);
    for (name, is_clean) in [("bob", true), ("carol", false)] {
        Program::Tls.keeps_here(|| {
            let mut client = Client::connect(address, name);
            client.asks_until(name, "*** You are in lobby");
            alice.hears(&format!("*** {name} entered lobby"));
            client.sends("a line\nhalf");
            match is_clean {
                true => client.stops_sending(),
                false => client.stream().shutdown(Shutdown::Write).unwrap(),
            }
            alice.hears(&format!("<{name}> a line"));
            if is_clean {
                alice.hears(&format!("<{name}> half"));
                alice.hears(&format!("*** {name} left lobby (connection closed)"));
                client.hears_until("*** Goodbye.");
            } else {
                alice.hears(&format!("*** {name} left lobby (connection lost)"));
            }
            client.ends();
        });
    }
    server.logs("carol left: connection lost: cut off: it ended without a close_notify");
}

#[test]
fn the_server_ends_tls_as_tls_wants_it() {
    let (server, address) = start("");
    Program::Tls.keeps_here(|| {
        let mut client = Client::connect(address, "bob");
        client.asks_until("bob", "*** You are in lobby");
        client.asks_until("/quit", "*** Goodbye.");
        client.is_hung_up();
        assert_eq!(client.is_ended_cleanly(), Some(true));
    });
    server.logs("bob left: quit");
}

#[test]
fn a_handshake_that_fails_is_told_once_in_the_log() {
    let (server, address) = start("");
    let hello = b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00";
    let mut client = Client::connect(address, "client");
    client.sends(hello);
    client.receives(b"\x15\x03\x03\x00\x02\x02\x32"); // an alert: a message that cannot be decoded
    client.is_hung_up();
    server.logs(" the TLS handshake failed: TLS: ");
    let count = server.log().matches("refused 127.0.0.1").count();
    assert_eq!(count, 1, "{}", server.log());
    drop(TcpStream::connect(address).unwrap());
    server.logs(" gone before its TLS handshake");
    assert!(Tls::connect(TcpStream::connect(address).unwrap()).is_ok());
}

#[test]
fn keys_are_updated_and_a_renegotiation_is_refused() {
    if !has_program("openssl") {
        return;
    }
    let (server, address) = start("");
    let [mut alice] = server.enter(["alice"]);
    let mut client = s_client(address, "-tls1_3"); // not -quiet: K and k at a line's begin are commands
    client.prints("What is your name?");
    client.types("una\n");
    alice.hears("*** una entered lobby");
    let commands = [("K", "hers, and ours are asked for"), ("k", "hers alone")];
    for (before, (command, said)) in commands.into_iter().enumerate() {
        client.types(&format!("{command}\n"));
        let updates = || client.log().matches("KEYUPDATE").count();
        eventually("openssl has updated its keys", || updates() > before);
        client.types(&format!("{said}\n"));
        alice.hears(&format!("<una> {said}"));
        alice.says(&format!("answer to {command}"));
        client.prints(&format!("<alice> answer to {command}"));
    }
    client.types("/quit\n");
    alice.hears("*** una left lobby (quit)");

    let mut client = s_client(address, "-tls1_2");
    client.prints("What is your name?");
    client.types("rob\n");
    alice.hears("*** rob entered lobby");
    client.types("R\n"); // openssl gives up when it is refused
    alice.hears("*** rob left lobby (connection lost)");
    alice.hears_nothing();
}

#[test]
fn the_page_and_its_websockets_come_over_https() {
    let server = Server::start(&format!(
        "--web 127.0.0.1:0 --web-tls 127.0.0.1:0 --view open {}",
        tls::options()
    ));
    let [mut alice] = server.enter(["alice"]);
    let address = server.also_at("listening for browsers on https://");
    let get = |path: &str, connection: &str| {
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: {connection}\r\n\r\n")
    };
    let connect = || Tls::connect(TcpStream::connect(address).unwrap()).unwrap();

    let mut page = connect();
    let (mut answer, mut space) = (Vec::new(), [0; 4096]);
    // Two requests at once: what is decrypted with the first one is not forgotten.
    let both = get("/", "keep-alive") + &get("/page.js", "close");
    page.stream.write_all(both.as_bytes()).unwrap();
    while let Ok(count @ 1..) = page.read(&mut space) {
        answer.extend_from_slice(&space[..count]);
    }
    let answer = String::from_utf8_lossy(&answer);
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 2, "{answer}");
    assert_eq!(page.is_clean, Some(true));

    let mut plain = Client::connect(address, "plain");
    plain.sends(get("/x", "close"));
    plain.hears("HTTP/1.1 308 Permanent Redirect\r");
    plain.hears("Location: https://localhost/x\r");
    plain.ends();

    let (mut chat, _) = tungstenite::client("ws://localhost/chat", connect()).unwrap();
    chat.send(Message::text("bob\nhello")).unwrap();
    alice.hears("*** bob entered lobby");
    alice.hears("<bob> hello");
    alice.says("hi");
    while !chat.read().unwrap().into_text().unwrap().contains("<alice> hi") {}
    chat.send(Message::Ping("ping".into())).unwrap();
    while chat.read().unwrap() != Message::Pong("ping".into()) {}
    chat.send(Message::text("/quit")).unwrap();
    let mut close = None;
    while let Ok(message) = chat.read() {
        if let Message::Close(frame) = message {
            close = frame;
        }
    }
    assert_eq!(close.map(|frame| frame.reason.to_string()).as_deref(), Some("Goodbye."));
    alice.hears("*** bob left lobby (quit)");

    let looks = || {
        let (mut view, _) = tungstenite::client("ws://localhost/view.ws", connect()).unwrap();
        view.send(Message::text("{\"ticket\":\"\"}")).unwrap();
        let first = view.read().unwrap().into_text().unwrap();
        (view, first)
    };
    let (mut view, hello) = looks();
    let slots = (0..3).map(|_| view.read().unwrap().into_text().unwrap().len()).sum::<usize>();
    assert!(hello.len() + slots > 1000, "the hello, all threads, and slots: {slots} bytes");
    let others: Vec<_> = (1..8).map(|_| looks()).collect();
    assert_eq!(looks().1, "{\"over\":\"8 others look already. Try again later.\"}");
    drop((view, others));
    drop(connect()); // a handshake, and nothing else
    let mut client = Client::connect(address, "client");
    client.sends(b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00");
    client.receives(b"\x15\x03\x03\x00\x02\x02\x32");
    client.ends();
    server.logs(" the TLS handshake failed: TLS: ");
}

#[test]
fn a_proxy_says_where_a_browser_is_over_https_too() {
    let server = Server::start(&format!(
        "--proxy-from 127.0.0.2 --web 127.0.0.1:0 --web-tls 127.0.0.1:0 {}",
        tls::options()
    ));
    let address = server.also_at("listening for browsers on https://");
    for (from, header, is_at) in [
        ("127.0.0.2", "X-Forwarded-For", Ok("192.0.2.9:")),
        ("127.0.0.2", "X-Other", Err(400)),
        ("127.0.0.3", "X-Forwarded-For", Ok("127.0.0.3:")), // nobody's word
    ] {
        let request = ClientRequestBuilder::new("ws://localhost/chat".parse().unwrap());
        let request = request.with_header(header, "192.0.2.9");
        let client = Client::connect_from(from, address, "browser");
        let tls = Tls::connect(client.stream().try_clone().unwrap()).unwrap();
        match (tungstenite::client(request, tls), is_at) {
            (Ok(_), Ok(address)) => server.logs(&format!(" connected from {address}")),
            (Err(HandshakeError::Failure(Error::Http(answer))), Err(status)) => {
                assert_eq!(answer.status(), status);
            }
            _ => panic!("{from}, {header}"),
        }
    }
}

#[test]
fn a_browsers_hello_may_come_in_pieces_and_each_begin_with_a_letter() {
    let server =
        Server::start(&format!("--web 127.0.0.1:0 --web-tls 127.0.0.1:0 {}", tls::options()));
    let (address, hello) = (server.also_at("listening for browsers on https://"), tls::hello());
    let (first, rest) = hello.split_at(memchr::memmem::find(&hello, b"localhost").unwrap());
    let mut browser = Client::connect(address, "browser");
    browser.sends(first);
    // One thread serves all of them in turns: it has read that when it has served two others.
    for _ in 0..2 {
        Tls::connect(TcpStream::connect(address).unwrap()).unwrap();
    }
    browser.sends(rest);
    browser.receives(b"\x16\x03\x03"); // the server's hello
}

#[test]
fn who_gets_no_place_is_told_so_in_an_alert_and_the_address_of_a_proxy_counts() {
    let (server, address) = start("--per-source 1 --proxy-from 127.0.0.2");
    let from_proxy = |header: &str| {
        let mut client = Client::connect_from("127.0.0.2", address, "client");
        client.sends(header);
        client
    };
    let client = from_proxy("PROXY TCP4 192.0.2.7 198.51.100.1 40000 5001\r\n");
    let mut tls = Tls::connect(client.stream().try_clone().unwrap()).unwrap();
    tls.stream.write_all(b"alice\n").unwrap();
    server.logs("connected from 192.0.2.7:40000");
    let full = from_proxy("PROXY TCP4 192.0.2.7 198.51.100.1 40001 5001\r\n");
    let error = Tls::connect(full.stream().try_clone().unwrap()).err().unwrap().to_string();
    assert!(error.contains("AccessDenied"), "{error}");
    server.logs("refused 192.0.2.7:40001: Sorry: ");
}
