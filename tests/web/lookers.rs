//! The view, for those who mean no good: without a ticket, too many, too fast, and at the wrong moment.

use crate::{
    Web,
    frames::{last_words, masked, next_frame},
    harness::{Client, eventually},
};
use serde_json::{Value, json};
use std::{
    io::Write as _,
    net::TcpStream,
    time::{Duration, Instant},
};

impl Web {
    /// A WebSocket to the view, on which nothing was said yet.
    fn view(&self) -> TcpStream {
        self.raw_at("/view.ws")
    }

    /// Somebody who looks, with this ticket.
    fn looks(&self, ticket: &str) -> Looker {
        let mut looker = Looker(self.view());
        looker.says(&json!({ "ticket": ticket }));
        looker
    }
}

/// A page of the view.
struct Looker(TcpStream);

impl Looker {
    fn says(&mut self, what: &Value) {
        self.0.write_all(&masked(0x81, what.to_string().as_bytes())).unwrap();
    }

    /// The next message that is text.
    fn hears(&mut self) -> Value {
        loop {
            match next_frame(&mut self.0).expect("it has ended") {
                (0x81, text) => return serde_json::from_slice(&text).unwrap(),
                (0x82 | 0x8a, _) => {}
                (kind, bytes) => panic!("{kind:#x}: {}", String::from_utf8_lossy(&bytes)),
            }
        }
    }

    /// Reads up to a message with this in it.
    fn hears_until(&mut self, name: &str) -> Value {
        std::iter::from_fn(|| Some(self.hears())).find(|said| !said[name].is_null()).unwrap()
    }

    /// They are let in.
    fn gets_in(mut self) -> Looker {
        let hello = self.hears();
        assert!(hello["hello"].is_object(), "{hello}");
        self
    }

    /// The code and the sentence with which it ends.
    fn ends(mut self) -> (u16, String) {
        let (_, code, sentence) = last_words(&mut self.0);
        (code, sentence)
    }
}

/// A ticket for the view.
fn ticket(client: &mut Client) -> String {
    let line = client.asks_until("/view", "*** http://");
    line.trim_end().rsplit_once("/view#").unwrap().1.to_owned()
}

#[test]
fn who_shows_no_ticket_keeps_nobody_out() {
    let web = Web::start("");
    let mut alice = web.enters("alice");
    let mut silent: Vec<TcpStream> = (0..60).map(|_| web.view()).collect();
    let looker = web.looks(&ticket(&mut alice)).gets_in();
    // The first of them had to go for the last.
    let (_, code, sentence) = last_words(&mut silent[0]);
    assert_eq!((code, &*sentence), (1013, "Too many came at once. Try again later."));
    drop((silent, looker));
}

#[test]
fn the_ninth_who_looks_is_told_so_and_keeps_the_ticket() {
    let web = Web::start("");
    let mut alice = web.enters("alice");
    let mut lookers: Vec<Looker> =
        (0..8).map(|_| web.looks(&ticket(&mut alice)).gets_in()).collect();
    let ticket = ticket(&mut alice);
    let full = (1013, "8 others look already. Try again later.".to_owned());
    assert_eq!(web.looks(&ticket).ends(), full);
    lookers.pop();
    eventually("there is a place again, and the ticket holds", || {
        !web.looks(&ticket).hears()["hello"].is_null()
    });
}

/// A pupil with eight windows keeps neither another one nor the projector out.
#[test]
fn nobody_keeps_the_view_for_themselves() {
    let web = Web::start("--instructor");
    let [mut mallory, mut bob, mut boss] = ["mallory", "bob", "boss"].map(|name| web.enters(name));
    boss.asks_until(&format!("/instructor {}", web.server.pairing_code()), "*** ");
    let mut windows: Vec<Looker> =
        (0..8).map(|_| web.looks(&ticket(&mut mallory)).gets_in()).collect();
    let gives_way = (1013, "Your place is needed for somebody else. Try again later.".to_owned());
    let bobs = web.looks(&ticket(&mut bob)).gets_in();
    assert_eq!(windows.pop().unwrap().ends(), gives_way);
    // The projector gets in at once, and of those who look in one window the last one goes first.
    windows.insert(1, bobs);
    let mut projectors = Vec::new();
    for next in windows.into_iter().rev() {
        projectors.push(web.looks(&ticket(&mut boss)).gets_in());
        assert_eq!(next.ends(), gives_way);
    }
    assert_eq!(web.looks(&ticket(&mut boss)).ends().0, 1013, "eight projectors are the most");
    drop(projectors);
}

#[test]
fn what_is_no_message_of_the_pages_ends_it_with_a_code() {
    let web = Web::start("--view open");
    for (bytes, code, sentence) in [
        (masked(0x81, b"hello"), 1002, "That is no JSON object."),
        (masked(0x81, b"[1]"), 1002, "That is no JSON object."),
        (masked(0x81, &[b' '; 1025]), 1009, "That message is too long."),
        (masked(0x82, b"{}"), 1003, "That is not text."),
        (masked(0x81, b"{\"ticket\":\"\xff\"}"), 1007, "That is not UTF-8 text."),
        (b"\x81\x02{}".to_vec(), 1002, "That is no frame of a WebSocket."),
    ] {
        let mut early = web.view();
        early.write_all(&bytes).unwrap();
        assert_eq!(last_words(&mut early).1, code, "{sentence}");
        let mut looker = web.looks("").gets_in();
        looker.0.write_all(&bytes).unwrap();
        assert_eq!(looker.ends(), (code, sentence.to_owned()));
    }
}

/// Whatever comes: messages, pings, or fragments that never make a message.
#[test]
fn who_sends_without_an_end_is_hung_up() {
    let web = Web::start("--view open");
    let fragments = [masked(0x01, b"{"), masked(0x00, b"").repeat(4000)].concat();
    for bytes in [masked(0x81, b"{}").repeat(40), masked(0x89, b"").repeat(40), fragments] {
        let mut looker = web.looks("").gets_in();
        looker.0.write_all(&bytes).unwrap();
        assert_eq!(looker.ends(), (4008, "That was too much in a second.".to_owned()));
    }
    // With the ticket twenty signs: two reads, and eighteen frames. That is not too much.
    let mut looker = web.looks("").gets_in();
    let frames = [masked(0x89, b"").repeat(16), masked(0x81, br#"{"record":0}"#)].concat();
    looker.0.write_all(&frames).unwrap();
    looker.hears_until("no");
}

#[test]
fn a_ping_is_answered_with_what_it_had() {
    let web = Web::start("--view open");
    let mut looker = web.looks("").gets_in();
    looker.0.write_all(&masked(0x89, b"are you there?")).unwrap();
    // Ten messages come in a second.
    let mut frames = std::iter::from_fn(|| next_frame(&mut looker.0)).take(200);
    let answer = frames.find(|(kind, _)| *kind != 0x81);
    assert_eq!(answer, Some((0x8a, b"are you there?".to_vec())));
}

#[test]
fn a_stop_waits_for_nobody_who_has_shown_no_ticket() {
    let mut web = Web::start("--view open");
    let mut silent = web.view();
    let looker = web.looks("").gets_in();
    let began = Instant::now();
    web.server.signal("TERM");
    assert_eq!(looker.ends(), (1012, "The server stops.".to_owned()));
    assert_eq!(last_words(&mut silent).1, 1012);
    assert_eq!(web.server.exit_code(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

/// Nobody else has to wait for it until it is over.
#[test]
fn a_recording_ends_with_whoever_wanted_it() {
    let web = Web::start("--view open");
    let mut looker = web.looks("").gets_in();
    let mut wants = web.looks("").gets_in();
    wants.says(&json!({ "record": 60 }));
    assert_eq!(wants.hears_until("rec")["rec"], json!(["begun", 60]));
    assert_eq!(looker.hears_until("rec")["rec"], json!(["begun", 60]));
    looker.says(&json!({ "record": 1 }));
    assert_eq!(looker.hears_until("no")["no"], "A recording is being made.");
    let began = Instant::now();
    drop(wants);
    assert_eq!(looker.hears_until("rec")["rec"], json!(["ended", 0]));
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    looker.says(&json!({ "record": 1 }));
    looker.hears_until("file");
}

/// One that is over within a slot is told, too; and what is not a number is none.
#[test]
fn a_demonstration_is_told_however_short_it_is() {
    let web = Web::start("--demo --instructor --threads-max 64");
    let mut boss = web.enters("boss");
    boss.asks_until(&format!("/instructor {}", web.server.pairing_code()), "*** ");
    let mut looker = web.looks(&ticket(&mut boss)).gets_in();
    looker.says(&json!({ "do": "freeze", "with": -1 }));
    assert_eq!(looker.hears_until("no")["no"], "That is no number of milliseconds.");
    looker.says(&json!({ "do": "panic" }));
    let mut told: Vec<Value> = Vec::new();
    while told.len() < 2 {
        let slot = looker.hears_until("hz");
        told.extend(slot["hz"].as_array().unwrap().iter().map(|one| one[1].clone()));
    }
    assert_eq!(told, ["begun", "ended"]);
}

/// It is the names of others that it is about; an address is nobody's name.
#[test]
fn a_view_without_names_has_none_and_no_address_and_no_text() {
    let web = Web::start("--anonymous");
    let mut alice = web.browser("alice");
    alice.hears_until("*** Hello");
    let mut bob = web.server.connect("bob");
    bob.hears_until("*** Hello");
    let mut looker = web.looks(&ticket(&mut alice));
    looker.says(&json!({ "record": 1 }));
    let (mut all, mut file) = (String::new(), 0);
    while file == 0 {
        bob.says("xyzzy");
        let said = looker.hears();
        file = said["file"]["bytes"].as_u64().unwrap_or(0) as usize;
        all += &said.to_string();
    }
    let mut bytes = Vec::new();
    while bytes.len() < file {
        let (kind, more) = next_frame(&mut looker.0).unwrap();
        bytes.extend(if kind == 0x82 { more } else { Vec::new() });
    }
    all += std::str::from_utf8(&bytes).unwrap();
    for secret in ["127.0.0.1", "xyzzy"] {
        assert!(!all.contains(secret), "{secret} is in it");
    }
    let port = bob.address().port().to_string();
    let mut numbers = all.split(|c: char| !c.is_ascii_digit());
    assert!(!numbers.any(|number| number == port), "{port} is in it");
    assert!(all.contains("\"anonymous\":true"));
}

/// Everybody talks. Each thread has a lane, what it did in each slot adds up, and no slot is left out.
#[test]
fn a_full_server_is_seen_whole() {
    const CLIENTS: usize = 512;
    let web = Web::start("--view open --flood off");
    let mut clients: Vec<Client> = (0..CLIENTS)
        .map(|i| match i % 2 {
            0 => web.server.connect(&format!("plain{i}")),
            _ => web.browser(&format!("browser{i}")),
        })
        .collect();
    for client in &mut clients {
        let name = client.name.clone();
        client.says(&format!("{name}\n/quiet on"));
    }
    for client in &mut clients {
        client.hears_until("*** You no longer read");
    }
    let mut looker = web.looks("");
    let places = looker.hears_until("hello")["hello"]["places"].as_u64();
    assert_eq!(places, Some(CLIENTS as u64));
    let all = looker.hears();
    let group = |new: &&Value| new[2] == 1;
    assert_eq!(all["new"].as_array().unwrap().iter().filter(group).count(), CLIENTS);
    let (mut slots, mut talked, mut costs) = (0, 0, Vec::new());
    while slots < 30 {
        for client in clients.iter_mut().skip(slots).step_by(16) {
            client.says("hello");
        }
        let slot = looker.hears();
        let threads = slot["th"].as_array().map_or(&[][..], Vec::as_slice);
        for thread in threads {
            let shares = thread[2].as_array().unwrap().iter().skip(1).step_by(2);
            let sum: u64 = shares.map(|share| share.as_u64().unwrap()).sum();
            assert!(sum.abs_diff(255) <= 2, "{thread}");
        }
        talked = talked.max(threads.len());
        slots += slot["n"].as_u64().unwrap() as usize;
        costs.extend(slot["sum"]["view"].as_u64());
    }
    assert!(talked > CLIENTS / 2, "{talked} threads did something in a slot");
    println!("512 clients in the view: it takes {costs:?} thousandths of a core");
}
