//! The view of a whole server, as a page sees it.

use super::{looker::Looker, recording::Recording};
use crate::{
    server::{
        Chatd, auth::tickets::Who, lent::LentListeners, options::Options, status::Status,
        threads::Threads, view::slot::WHOLE,
    },
    thread_status::activity::{ACTIVITY_COUNT, Activity},
};
use argh::FromArgs as _;
use crossbeam_channel::bounded;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::Arc,
    time::{Duration, Instant},
};
use tungstenite::{ClientRequestBuilder, Message, WebSocket, client::client_with_config};

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_mins(1);

fn start(more: &[&str]) -> Chatd {
    let usual = ["--listen", "127.0.0.1:0", "--web", "127.0.0.1:0", "--db", "none"];
    let options = Options::from_args(&["chatd"], &[&usual, more].concat()).unwrap();
    Chatd::start(&options, LentListeners::default(), Vec::new(), || ()).unwrap()
}

/// A client that is in.
struct Client(BufReader<TcpStream>);

impl Client {
    fn enter(chatd: &Chatd, name: &str) -> Client {
        let socket = TcpStream::connect(chatd.addresses()[0]).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut client = Client(BufReader::new(socket));
        client.says(name);
        client.hears("You are in lobby");
        client
    }

    fn says(&mut self, line: &str) {
        writeln!(self.0.get_mut(), "{line}").unwrap();
    }

    /// Reads up to a line that contains `text`.
    fn hears(&mut self, text: &str) -> String {
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "never {text:?}");
            if line.contains(text) {
                return line;
            }
        }
    }
}

/// A page that looks.
struct Page(WebSocket<TcpStream>);

impl Page {
    fn open(chatd: &Chatd, ticket: &str) -> Page {
        let address = chatd.web_addresses()[0];
        let socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let uri = format!("ws://{address}/view.ws").parse().unwrap();
        let request = ClientRequestBuilder::new(uri).with_sub_protocol("chatd");
        let mut page = Page(client_with_config(request, socket, None).unwrap().0);
        page.says(json!({"ticket": ticket}));
        page
    }

    fn says(&mut self, what: Value) {
        self.0.send(Message::text(what.to_string())).unwrap();
    }

    /// The next message that is text.
    fn hears(&mut self) -> Value {
        loop {
            match self.0.read().unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Close(_) => panic!("closed"),
                _ => {}
            }
        }
    }

    /// A file of this length, which comes in pieces.
    fn reads(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while bytes.len() < length {
            match self.0.read().unwrap() {
                Message::Binary(piece) => {
                    assert!(piece.len() <= 65_536);
                    bytes.extend_from_slice(&piece);
                }
                Message::Text(_) => {}
                other => panic!("{other:?}"),
            }
        }
        bytes
    }

    /// Reads up to a message in which `wanted` finds what it wants.
    fn hears_until<T>(&mut self, mut wanted: impl FnMut(&Value) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            let said = self.hears();
            if let Some(found) = wanted(&said) {
                return found;
            }
            assert!(Instant::now() < end, "it never comes: {said}");
        }
    }
}

/// The sentences in words of a slot.
fn sentences(slot: &Value) -> impl Iterator<Item = &str> {
    slot["say"].as_array().into_iter().flatten().filter_map(|say| say[2].as_str())
}

#[test]
fn the_question_of_the_class_is_shown_and_its_count_when_it_is_closed() {
    let chatd = start(&["--instructor"]);
    let mut alice = Client::enter(&chatd, "alice");
    let code = chatd.pairing_code().unwrap();
    alice.says(&format!("/instructor {code}"));
    alice.says("/view");
    let line = alice.hears("http://127.0.0.1:");
    let mut page = Page::open(&chatd, line.trim().rsplit_once("/view#").unwrap().1);
    let shown = |page: &mut Page| page.hears_until(|said| said.get("quiz").cloned());
    alice.says("/class \"Who\" waits? | nobody | everybody");
    let question = json!({
        "room": "lobby", "by": "alice", "question": "\"Who\" waits?", "open": true, "answers": 0,
        "choices": [["nobody", null], ["everybody", null]],
    });
    assert_eq!(shown(&mut page), question);
    for _ in 0..3 {
        let next = page.hears();
        assert!(next["quiz"].is_null(), "it is shown once: {next}");
    }
    alice.says("/b");
    assert_eq!(shown(&mut page)["answers"], 1);
    alice.says("/class close");
    let closed = shown(&mut page);
    assert_eq!((&closed["open"], &closed["choices"][1]), (&json!(false), &json!(["everybody", 1])));
    // Whoever looks later is told, too.
    alice.says("/view");
    let line = alice.hears("http://127.0.0.1:");
    let mut late = Page::open(&chatd, line.trim().rsplit_once("/view#").unwrap().1);
    late.hears();
    assert_eq!(late.hears()["quiz"], closed);
}

#[test]
fn a_ticket_of_the_chat_opens_the_view_once() {
    let chatd = start(&[]);
    let mut alice = Client::enter(&chatd, "alice");
    alice.says("/view");
    let line = alice.hears("http://127.0.0.1:");
    let ticket = line.trim().rsplit_once("/view#").unwrap().1;
    let mut page = Page::open(&chatd, ticket);
    let hello = page.hears();
    assert_eq!(hello["hello"]["you"], json!({"name": "alice", "may": false}));
    assert_eq!(hello["hello"]["doing"].as_array().unwrap().len(), ACTIVITY_COUNT);
    for queue in [3, 4].map(|place| &hello["hello"]["queues"][place]) {
        assert!(queue[2].as_u64().is_some_and(|most| most > 0), "{queue}");
    }
    assert!(hello["hello"]["hazards"].is_null() && hello["hello"]["hazards_why"].is_string());
    let all = page.hears();
    assert_eq!((&all["all"], &all["sum"]["clients"]), (&json!(true), &json!(1)));
    page.says(json!({"again": true}));
    let again = page.hears_until(|said| said.get("hello").cloned());
    assert_eq!(again["you"], hello["hello"]["you"], "for a page that has lost its own");
    let all_again = page.hears_until(|said| (said["all"] == true).then(|| said.clone()));
    assert_eq!(all_again["sum"]["clients"], 1);
    let names: Vec<&str> =
        all["new"].as_array().unwrap().iter().filter_map(|new| new[1].as_str()).collect();
    for name in ["accept", "web", "fanout", "view", "v1"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    assert!(names.iter().any(|name| name.ends_with(":alice")), "{names:?}");

    for wrong in [ticket, "", "0123456789abcdef0123456789abcdef"] {
        let mut page = Page::open(&chatd, wrong);
        assert!(page.hears()["over"].as_str().unwrap().starts_with("The view needs an address"));
    }
    let back = hello["hello"]["back"].as_str().unwrap();
    drop(page);
    let mut page = Page::open(&chatd, back); // as soon as the other end is noticed
    let end = Instant::now() + PATIENCE;
    while page.hears()["hello"].is_null() {
        assert!(Instant::now() < end, "the page may not come back");
        page = Page::open(&chatd, back);
    }
    drop(page);
    chatd.shutdown().unwrap();
}

#[test]
fn the_view_goes_on_while_the_registry_or_an_outbox_is_held() {
    let chatd = start(&["--view", "open"]);
    let mut alice = Client::enter(&chatd, "alice");
    let mut page = Page::open(&chatd, "");
    let registry = Arc::clone(&chatd.handler.registry);
    let held = |hold: Box<dyn FnOnce(crossbeam_channel::Receiver<()>) + Send>| {
        let (release, released) = bounded::<()>(0);
        (release, std::thread::spawn(move || hold(released)))
    };
    let wait = |released: crossbeam_channel::Receiver<()>| {
        move || assert!(released.recv_timeout(PATIENCE).is_ok())
    };

    let (release, holding) = held(Box::new(move |released| registry.hold(wait(released))));
    let end = Instant::now() + PATIENCE;
    let mut late = Vec::new(); // the first may come before the lock is held
    loop {
        late.push(TcpStream::connect(chatd.addresses()[0]).unwrap());
        let slot = page.hears();
        if sentences(&slot).any(|says| says.contains("waits for the registry")) {
            break;
        }
        assert!(Instant::now() < end, "{slot}");
    }
    release.send(()).unwrap();
    holding.join().unwrap();
    page.hears_until(|slot| {
        sentences(slot).any(|says| says.contains("waits for the registry no longer")).then_some(())
    });

    let client = chatd.handler.registry.all().remove(0);
    let (release, holding) = held(Box::new(move |released| client.hold_outbox(wait(released))));
    alice.says("hi"); // the fan-out may deliver it before the lock is held
    page.hears_until(|slot| {
        alice.says("/who");
        sentences(slot).any(|says| says.contains("waits for an outbox")).then_some(())
    });
    release.send(()).unwrap();
    holding.join().unwrap();
    drop((page, late, alice));
    chatd.shutdown().unwrap();
}

#[test]
fn the_shares_of_every_thread_and_slot_add_up_and_a_line_is_followed() {
    let chatd = start(&["--view", "open", "--flood", "off"]);
    let mut clients: Vec<Client> =
        (0..10).map(|n| Client::enter(&chatd, &format!("client{n}"))).collect();
    let mut page = Page::open(&chatd, "");
    let (mut slots, mut ways, mut last) = (0, 0, 0);
    while slots < 10 || ways < 2 {
        for client in &mut clients {
            (0..20).for_each(|n| client.says(&format!("line {n}")));
        }
        clients[0].hears("<client9> line 19");
        let slot = page.hears();
        for thread in slot["th"].as_array().into_iter().flatten() {
            let shares = thread[2].as_array().unwrap().iter().skip(1).step_by(2);
            let sum: u64 = shares.map(|share| share.as_u64().unwrap()).sum();
            assert!(sum.abs_diff(WHOLE) <= 2, "{thread}");
        }
        if let Some(way) = slot["way"]["us"].as_array() {
            let there: Vec<u64> = way.iter().filter_map(Value::as_u64).collect();
            assert!(there.len() >= 6 && there[0] == 0, "{slot}");
            ways += 1;
        }
        if let Some(time) = slot["t"].as_u64() {
            assert!(time >= last, "{slot}");
            (slots, last) = (slots + 1, time);
        }
    }
    drop((page, clients));
    chatd.shutdown().unwrap();
}

/// Events of a trace, each with its phase.
fn of_phase<'a>(trace: &'a Value, phase: &'a str) -> impl Iterator<Item = &'a Value> {
    trace["traceEvents"].as_array().unwrap().iter().filter(move |event| event["ph"] == phase)
}

/// Microseconds as nanoseconds.
fn nanos(micros: &Value) -> u64 {
    (micros.as_f64().unwrap() * 1000.0).round() as u64
}

/// The accounts of a thread are kept apart from the ring in which its transitions are recorded, and say
/// the same, to the nanosecond.
fn accounts_agree_with_a_recording() {
    use Activity::{Applying, Sending, WaitingForEvents};
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let _peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let who = Who { name: "alice".to_owned(), may: false };
    let looker = Arc::new(Looker::new(listener.accept().unwrap().0, None, who, String::new()));
    let status = Status::new("fanout");
    let threads = Threads::new(1, [&status]);
    let recording = Recording::begin(looker, 60, &threads);
    for _ in 0..100 {
        for activity in [Applying, Sending, WaitingForEvents] {
            status.turn(activity);
            (0..200u64).for_each(|n| _ = std::hint::black_box(n * n));
        }
    }
    let accounted = status.sample().spent;
    let recorded = recording.end(&threads, |_, name| name);
    let timeline = recorded.timelines.iter().find(|one| one.id == status.id).unwrap();
    for activity in [Applying, Sending] {
        let its = recorded.steps(timeline).filter(|step| step.2 == activity);
        let sum: u64 = its.map(|(from, to, _)| to - from).sum();
        assert_eq!(sum, accounted[activity as usize], "{activity:?}");
    }
}

/// A recording of a second, while these talk. Returns whether it shows what they said: a machine that is
/// busy may have let nobody talk in that second.
fn records(page: &mut Page, clients: &mut [Client]) -> bool {
    let asked = Instant::now();
    page.says(json!({"record": 1}));
    let file = page.hears_until(|said| {
        assert!(said["no"].is_null(), "{said}");
        for client in &mut *clients {
            client.says("hi");
        }
        said["file"].as_object().cloned()
    });
    let bytes = page.reads(file["bytes"].as_u64().unwrap() as usize);
    let name = file["name"].as_str().unwrap();
    assert!(name.starts_with("chatd-trace-") && name.ends_with(".json"), "{name}");
    let trace: Value = serde_json::from_slice(&bytes).unwrap();
    let seconds: f64 = trace["otherData"]["seconds"].as_str().unwrap().parse().unwrap();
    assert!((1.0..=asked.elapsed().as_secs_f64()).contains(&seconds), "{seconds}");

    let mut lanes: BTreeMap<u64, Vec<(u64, u64)>> = BTreeMap::new();
    for event in of_phase(&trace, "X") {
        let (at, lasts) = (nanos(&event["ts"]), nanos(&event["dur"]));
        lanes.entry(event["tid"].as_u64().unwrap()).or_default().push((at, at + lasts));
    }
    for (id, steps) in &lanes {
        assert!(steps.is_sorted_by(|a, b| a.1 <= b.0), "thread {id} does two things at a time");
        assert!(steps.iter().all(|step| step.1 as f64 <= seconds * 1e9 + 1e6), "thread {id}");
    }
    let mut threads = of_phase(&trace, "M");
    let fanout = threads.find(|one| one["args"]["name"] == "fanout").unwrap()["tid"].as_u64();
    for begun in of_phase(&trace, "s") {
        let end = of_phase(&trace, "f").find(|end| end["id"] == begun["id"]);
        assert!(end.is_some_and(|end| end["tid"].as_u64() == fanout), "{begun} ends with {end:?}");
        assert!(nanos(&begun["ts"]) > 0, "{begun} was said before");
    }
    [("M", 10), ("C", 20), ("s", 1), ("f", 1)]
        .iter()
        .all(|(phase, least)| of_phase(&trace, phase).count() >= *least)
}

#[test]
fn a_recording_is_a_trace_in_which_every_thread_does_one_thing_at_a_time() {
    accounts_agree_with_a_recording(); // here, because whether threads record is one for all of them
    let chatd = start(&["--view", "open", "--flood", "off"]);
    let mut clients: Vec<Client> =
        (0..4).map(|n| Client::enter(&chatd, &format!("client{n}"))).collect();
    let mut page = Page::open(&chatd, "");
    page.says(json!({"record": 61}));
    page.hears_until(|said| said["no"].as_str().map(|why| assert!(why.contains("1 to 60 s"))));
    let end = Instant::now() + PATIENCE;
    while !records(&mut page, &mut clients) {
        assert!(Instant::now() < end, "none shows what was said");
    }
    drop((page, clients));
    chatd.shutdown().unwrap();
}
