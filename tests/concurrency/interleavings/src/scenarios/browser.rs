//! A browser: their own thread reads frames, answers pings and asks, while the fan-out delivers, the flusher sends, and the
//! browser reads a little now and then. It closes, or it is hung up; or it reads nothing until it is. Half of the times it is
//! encrypted.

use super::{
    LIMITS, client,
    read::{CLOSE, FIRST, LAST, PING, PONG, TEXT, frames, masked, read_to_end, texts},
};
use crate::{
    core::{
        close_reason::CloseReason,
        event::Answer,
        rooms::Delivery,
        wire::line::{Line, LineBuffer},
    },
    model::{
        channel::{Receiver, Sender, TryRecvError, bounded},
        net::{self, Peer},
        random,
        rustls::{hello, open_all, seal},
    },
    server::client::{
        begin_frames, encrypt,
        flusher::FlusherQueue,
        linger::say_goodbye,
        outbox::{SlowLimits, WriterHandle},
        shake_hands,
        websocket::{MessageReader, ReadError, Wait},
    },
};
use shuttle::thread::spawn;
use std::sync::Arc;

/// Bytes of the server's part of the handshake.
const HANDSHAKE: usize = 4;

const LAST_PONG: &[u8] = &[PONG, 1, b'2'];

/// What its own thread asks the fan-out.
enum Asks {
    Something,
    /// To take leave. Nobody says anything behind that.
    Leave,
}

#[derive(Clone, Copy, PartialEq)]
enum Ends {
    /// The browser closes.
    ItCloses,
    /// It is hung up, or it closes.
    Both,
    /// It pings, and reads nothing until it is hung up.
    Slow,
}

pub(super) fn run() {
    let (queue, flusher) = FlusherQueue::new().unwrap();
    let flushing = spawn(move || flusher.run());
    let ends = [Ends::ItCloses, Ends::Both, Ends::Slow][random(3)];
    let limits = match ends {
        Ends::Slow => SlowLimits { high_water: 20 + random(40), ..LIMITS },
        Ends::ItCloses | Ends::Both => LIMITS,
    };
    let (handle, peer) = client(1, 1 + random(16), limits, &queue);
    let (peer, is_encrypted) = (Arc::new(peer), random(2) == 0);
    begin_frames(&handle);
    if is_encrypted {
        encrypt(&handle);
    }
    let (hung_up, is_hung_up) = bounded::<()>(1);
    // It has to get the last pong before it closes: by the flusher, if need be.
    let (gets, has_got) = bounded::<()>(1);
    let reading = spawn({
        let peer = peer.clone();
        move || {
            let mut bytes = Vec::new();
            if ends == Ends::Slow {
                while is_encrypted && bytes.len() < HANDSHAKE {
                    bytes.extend(peer.read());
                }
                let _ = is_hung_up.recv(); // nothing is ever sent
            }
            read_to_end(&peer, bytes, is_encrypted, LAST_PONG, || gets.send(()).unwrap())
        }
    });
    writes(&peer, sends(ends), is_encrypted, has_got);
    assert!(!is_encrypted || shake_hands(&handle), "there is an encryption");
    let (asks, asked) = bounded(1);
    let fanout = spawn({
        let handle = handle.clone();
        move || says(&handle, &asked, ends)
    });
    let own = spawn({
        let handle = handle.clone();
        move || {
            let heard = hears(&handle, &asks);
            drop(hung_up);
            let reason = handle.settle(CloseReason::Closed);
            asks.send(Asks::Leave).unwrap();
            handle.wait_for_answer();
            say_goodbye(&handle, &reason);
            (heard, reason)
        }
    });
    let (said, (heard, reason)) = (fanout.join().unwrap(), own.join().unwrap());
    let mut bytes = reading.join().unwrap();
    if is_encrypted {
        bytes = open_all(bytes);
    }
    check(&frames(&bytes), &said, &reason);
    match ends {
        Ends::ItCloses => assert_eq!(
            (heard, reason),
            (["one", "two"].map(str::to_owned).to_vec(), CloseReason::Closed)
        ),
        Ends::Both => {}
        Ends::Slow => assert!(reason.is_slow(), "{reason:?}"),
    }
    queue.stop();
    flushing.join().unwrap();
}

/// What the browser sends.
fn sends(ends: Ends) -> Vec<u8> {
    if ends == Ends::Slow {
        return (0..30).flat_map(|number| masked(PING, &number.to_string())).collect();
    }
    // A ping may come in the middle of a text.
    let frames =
        [(PING, "0"), (FIRST, "on"), (PING, "1"), (LAST, "e"), (TEXT, "two\n"), (PING, "2")];
    frames.iter().flat_map(|(kind, payload)| masked(*kind, payload)).collect()
}

/// Sends it, in pieces that end anywhere; and closes when it has the last pong.
fn writes(peer: &Arc<Peer>, sent: Vec<u8>, is_encrypted: bool, has_got: Receiver<()>) {
    let records: Vec<_> = (1..).zip(sent.chunks(11)).map(|(i, some)| seal(i, some)).collect();
    let (next, close) = (records.len() as u8 + 1, masked(CLOSE, ""));
    let (sent, close) = match is_encrypted {
        false => (sent, close),
        true => ([hello(), records.concat()].concat(), seal(next, &close)),
    };
    let (peer, most) = (peer.clone(), 1 + random(40));
    spawn(move || {
        sent.chunks(most).for_each(|some| peer.write(some));
        if has_got.recv().is_ok() {
            peer.write(&close);
        }
    });
}

/// The fan-out: it says something, answers, and perhaps hangs up. Returns all that it has said.
fn says(handle: &Arc<WriterHandle>, asked: &Receiver<Asks>, ends: Ends) -> String {
    let (mut said, mut is_over) = (String::new(), false);
    for i in 0.. {
        let asked = match i < 4 {
            true => asked.try_recv(),
            false => asked.recv().map_err(|_| TryRecvError::Disconnected),
        };
        let before = if is_over { String::new() } else { format!("<bob> {i}\n") };
        let (answer, after) = match &asked {
            Ok(Asks::Something) => (Some(format!("*** answer {i}\n")), random(2) == 0 && !is_over),
            Ok(Asks::Leave) => (Some(String::new()), false),
            Err(TryRecvError::Empty) => (None, false),
            Err(TryRecvError::Disconnected) => unreachable!("it takes leave"),
        };
        let after = if after { format!("<bob> {i} and on\n") } else { String::new() };
        let closes = ends == Ends::Both && i == 3;
        handle.deliver(Delivery {
            before: &[before.as_bytes()],
            answer: answer.clone().map(Answer::Text),
            after: &[after.as_bytes()],
            lines: 1,
            close: closes.then_some(CloseReason::Quit(None)),
        });
        said += &[before, answer.unwrap_or_default(), after].concat();
        if let Ok(Asks::Leave) = asked {
            break;
        }
        is_over |= closes;
    }
    said
}

/// Their own thread: it reads until the end, and asks for each line. Returns the lines.
fn hears(handle: &Arc<WriterHandle>, asks: &Sender<Asks>) -> Vec<String> {
    let (mut messages, mut input) = (MessageReader::new(handle, Vec::new()), LineBuffer::default());
    let mut heard = Vec::new();
    loop {
        while let Some(Line::Text(line)) = input.next_line() {
            heard.push(line.to_owned());
            asks.send(Asks::Something).unwrap();
            let Answer::Text(answer) = handle.wait_for_answer() else { panic!("no text") };
            // As `ClientThread::read` does: it looks once what has come, before the answer goes out.
            reads(&mut messages, &mut input, Wait::No);
            handle.write_answer(answer.as_bytes());
        }
        if !reads(&mut messages, &mut input, Wait::AtMost(None)) {
            return heard;
        }
    }
}

/// Whether it has not ended.
fn reads(messages: &mut MessageReader, input: &mut LineBuffer, wait: Wait) -> bool {
    match messages.read(input, wait) {
        Ok(count) => {
            input.received(count);
            count > 0
        }
        Err(ReadError::Io(error)) if net::is_nothing(&error) => true,
        Err(_) => panic!("a read fails"),
    }
}

/// What the browser has read: all that was said, or, if it was hung up, whole lines of it in their order, and then the reason;
/// and for its pings, one pong each.
fn check(frames: &[(u8, Vec<u8>)], said: &str, reason: &CloseReason) {
    let text = texts(frames);
    let lines = text.strip_suffix(&reason.to_client()).expect("the reason comes last");
    let mut rest = said.lines();
    let is_said = |line: &str| rest.any(|other| other == line);
    lines.lines().map(is_said).for_each(|is_said| assert!(is_said, "{lines:?} of {said:?}"));
    assert!(frames.last().is_some_and(|(kind, _)| *kind == CLOSE), "it is not closed");
    let pongs = frames.iter().filter(|(kind, _)| *kind == PONG);
    let pongs: Vec<_> = pongs.map(|(_, payload)| String::from_utf8_lossy(payload)).collect();
    assert!((0..).zip(&pongs).all(|(i, pong)| *pong == i.to_string()), "{pongs:?}");
    if *reason == CloseReason::Closed {
        assert_eq!((lines, pongs.len()), (said, 3));
    }
}
