//! A whole server of the source's own threads, and clients who talk.

use super::{
    AMPLE, LIMITS,
    fanout::{start, talk},
    read::{Wire, text},
};
use crate::{
    core::{close_reason::CloseReason, commands::Table, name::NameRule, session::SessionConfig},
    lock::{LockKind, Locked},
    model::{
        channel::{Sender, bounded},
        net::{Backlog, Listener, TcpListener, TcpStream, connection},
        random,
    },
    origin::Origin,
    server::{
        Chatd, WebThread,
        auth::Authenticator,
        client::{
            admission::Admitting, flusher::FlusherQueue, handler::ChatHandler, lingerer::Lingerer,
            parked::Parked,
        },
        fanout::EventSender,
        options::Options,
        proxies::Proxies,
        sources::SourceTable,
        status::{Status, Totals},
        threads::Threads,
        tls::certificates::Certificates,
        view::View,
        watch::Watch,
        web::{Web, WebConfig, listener::WebListeners},
    },
    socketserver::{Server, Threading},
    store::with_disk,
};
use shuttle::thread::{JoinHandle, spawn};
use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

/// Where clients connect.
pub(super) type Connects = Sender<(TcpStream, Origin)>;

/// Where browsers connect: for http, and for https.
pub(super) type Browsers = [Arc<Backlog>; 2];

/// A server with `places` places.
pub(super) fn serve(places: usize) -> (Chatd, Connects) {
    let (chatd, connects, _) = serve_browsers(places);
    (chatd, connects)
}

/// The same, and where browsers connect.
pub(super) fn serve_browsers(places: usize) -> (Chatd, Connects, Browsers) {
    let running = start::<Parked>();
    let (flusher_queue, flusher) = FlusherQueue::new().unwrap();
    let (outside, lingerer) = Lingerer::new(8);
    let options = Options::new(places);
    let config = SessionConfig {
        io_model: "",
        talk_is_kept: String::new(),
        anonymous: false,
        has_code: false,
        names: NameRule::Ascii,
        motd: Vec::new(),
        flood: None,
        is_forgotten: false,
    };
    let handler = Arc::new(ChatHandler {
        session: Locked::new(LockKind::Settings, Arc::new(config)),
        commands: Table::default(),
        limits: LIMITS,
        login_deadline: Duration::from_secs(3600),
        threads_max: places,
        events: EventSender { queue: running.events, large: bounded(1).0 },
        history: running.reader,
        authenticator: Authenticator::default(),
        flusher: flusher_queue,
        linger: outside,
        registry: Arc::default(),
        hazards: None,
        sources: SourceTable::new(&options),
        totals: running.totals,
        threads: Arc::new(Threads::new(places, [])),
        web: None,
        certificates: Some(Arc::new(Certificates { plain_port: None })),
        rests: running.rests,
        tell: running.tell,
    });
    let threads = Arc::new(Threading::new(places, 1 << 18));
    let admitting = Admitting::new(&handler, &threads);
    let linger = spawn(move || lingerer.run(&admitting));
    let flusher = spawn(move || flusher.run());
    let (connects, connections) = bounded(places);
    let server = Server::new(Listener::new(connections), handler.clone(), threads.clone());
    let server = Arc::new(server);
    let accepting = vec![spawn({
        let server = server.clone();
        move || server.serve_forever()
    })];
    let (web, browsers) = start_web(&options, (&handler, &threads), &running.watch);
    let chatd = Chatd {
        servers: vec![server],
        accepting,
        handler,
        threads,
        shutdown: running.shutdown,
        watch: running.watch,
        workers: [running.fanout, running.historian, linger],
        flusher,
        web: Some(web),
    };
    (chatd, connects, browsers)
}

fn start_web(
    options: &Options,
    (handler, threads): (&Arc<ChatHandler>, &Arc<Threading>),
    watch: &Watch,
) -> (WebThread, Browsers) {
    let [(plain, by_http), (encrypted, by_https)] = [(); 2].map(|()| TcpListener::new());
    let opened = WebListeners {
        listeners: vec![plain],
        encrypted: vec![encrypted],
        metrics: Vec::new(),
        names: Vec::new(),
        status: Status::new("web"),
    };
    let config = WebConfig { proxies: Proxies, chat_port: 5000, most: 8 };
    let view = Arc::new(View::new(options));
    let (web, stop) = Web::new(opened, config, (handler, threads, &view), watch.clone()).unwrap();
    (WebThread { stop, thread: spawn(move || web.run()), view }, [by_http, by_https])
}

/// Somebody connects, gives a name, says some lines, and reads to the end. Returns what they read. They read slowly
/// once they have been greeted, and not before: a client who is hung up in the middle of an answer loses its rest.
pub(super) fn comes(connects: &Connects, number: usize, lines: usize) -> JoinHandle<String> {
    let (socket, peer) = connection(AMPLE);
    let connects = connects.clone();
    spawn(move || {
        let peer = Arc::new(peer);
        let _ = connects.send((socket, Origin::Uid(1)));
        drop(connects);
        let talking = spawn({
            let peer = peer.clone();
            move || {
                peer.write(format!("user{number}\n").as_bytes());
                (1..=lines).for_each(|i| peer.write(format!("{i}\n").as_bytes()));
            }
        });
        let mut read = Vec::new();
        loop {
            let some = peer.read();
            if some.is_empty() {
                break;
            }
            read.extend(some);
            if String::from_utf8_lossy(&read).contains("*** You are") {
                peer.narrow(8 + random(32));
            }
        }
        peer.end();
        talking.join().unwrap();
        text(Wire::Plain, &read)
    })
}

/// What all have read, `user0` first, when the server has stopped: whoever was let in has read all that is in the
/// file. This has every line that the fan-out has taken, and what each said in its order.
pub(super) fn check(read: &[String], totals: &Totals) {
    let written: Vec<String> =
        with_disk(|disk| disk.lines.iter().map(|line| line.text.trim_end().to_owned()).collect());
    assert_eq!(written.len() as u64, totals.said.load(Relaxed), "a line is lost: {written:?}");
    let last = CloseReason::Shutdown.to_client();
    for (number, read) in read.iter().enumerate() {
        let (talk, name) = (talk(read), format!("<user{number}>"));
        let (own, others): (Vec<&str>, Vec<&str>) =
            written.iter().map(|line| &**line).partition(|line| line.starts_with(&name));
        assert!(own.iter().enumerate().all(|(i, line)| *line == format!("{name} {}", i + 1)));
        assert!(read.is_empty() || read.ends_with(&last), "{read:?}");
        match read.contains("Hello ") {
            true => assert_eq!(talk, others, "user{number} has read {read:?}"),
            false => assert!(own.is_empty() && talk.is_empty(), "{read:?}"),
        }
    }
}
