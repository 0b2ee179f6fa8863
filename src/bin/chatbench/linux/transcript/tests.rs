//! Each way to break the promise is noticed, at the right client, under its name.

use super::{super::wire::Peer, *};

const WIRE: Wire = Wire { peer: Peer::Chatd, size: 40 };
const ANN: usize = 3;
const BOB: usize = 4;
/// Two lines of each sender, in turn.
const A1: LineId = LineId { sender: ANN, seq: 1 };
const B1: LineId = LineId { sender: BOB, seq: 1 };
const A2: LineId = LineId { sender: ANN, seq: 2 };
const B2: LineId = LineId { sender: BOB, seq: 2 };
const TALK: [LineId; 4] = [A1, B1, A2, B2];

/// Clients 0, 1 and 2 watch; ann and bob send.
struct Class {
    transcript: Transcript,
    readers: Vec<Reader>,
    heard: Vec<Vec<LineId>>,
}

impl Class {
    fn new() -> Class {
        let transcript = Transcript::new(WIRE);
        let readers = (0..5).map(|client| Reader::new(client, client < ANN, &transcript)).collect();
        Class { transcript, readers, heard: vec![Vec::new(); 5] }
    }

    /// A class whose client 0 has read all lines.
    fn after_talk() -> Class {
        let mut class = Class::new();
        class.reads(0, &told(&TALK)).unwrap();
        class
    }

    fn reads(&mut self, client: usize, bytes: &[u8]) -> Result<()> {
        let (heard, reader) = (&mut self.heard[client], &mut self.readers[client]);
        let mut chunk = Vec::new();
        reader.take_unchecked(&mut chunk);
        chunk.extend_from_slice(bytes);
        reader.read(&chunk, &mut self.transcript, &mut |id| heard.push(id))
    }

    /// What is wrong with `client`, while it reads or when nothing more comes.
    fn fault(&mut self, client: usize, bytes: &[u8]) -> Option<String> {
        let read = self.reads(client, bytes).err();
        let unfinished = self.readers[client].unfinished(&self.transcript);
        read.or(unfinished).map(|fault| fault.to_string())
    }

    fn must_fail(mut self, client: usize, bytes: &[u8], fault: &str) {
        let found = self.fault(client, bytes).unwrap_or_default();
        assert!(found.contains(fault), "{fault} is not in {found}");
    }
}

/// Lines as chatd shows them.
fn told(lines: &[LineId]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in lines {
        bytes.extend_from_slice(format!("<b{:04}> ", line.sender).as_bytes());
        WIRE.compose(*line, &mut bytes);
    }
    bytes
}

#[test]
fn bytes_may_be_cut_anywhere_and_notices_may_stand_between_lines() {
    let bytes = [&told(&[A1, B1]), &b"*** b0009 left\n"[..], &told(&[A2, B2])].concat();
    for cut in 0..bytes.len() {
        let mut class = Class::after_talk();
        class.reads(1, &bytes[..cut]).unwrap();
        assert_eq!(class.fault(1, &bytes[cut..]), None);
        assert_eq!(class.heard[1], TALK, "cut after {cut} bytes");
    }
}

#[test]
fn a_sender_reads_all_lines_but_its_own_perhaps_before_any_watcher() {
    let mut class = Class::new();
    class.reads(ANN, &told(&[B1])).unwrap();
    assert!(class.heard[ANN].is_empty());
    class.reads(0, &told(&TALK)).unwrap();
    assert_eq!(class.fault(ANN, &told(&[B2])), None);
    assert_eq!(class.heard[ANN], [B1, B2]);
}

#[test]
fn arrivals_are_noted_by_the_first_watcher_alone() {
    let mut class = Class::new();
    let arrival = |sender| LineId { sender, seq: ARRIVAL };
    class.reads(0, &told(&[arrival(7)])).unwrap();
    class.reads(1, &told(&[arrival(7), arrival(8)])).unwrap();
    assert_eq!(class.transcript.arrivals, [7]);
}

#[test]
fn each_fault_is_named() {
    // Client 0 decides what the others must read.
    for (client, read, what, id) in [
        (0, &[B1, A2, B2][..], "lost", A1),
        (0, &[A1, A1], "repeated", A1),
        (0, &[A2, A1], "out of order", A1),
        (1, &[A1, A2, B2], "lost", B1),
        (1, &[A1, B1, A2], "lost", B2),
        (1, &[A1, A1], "repeated", A1),
        (1, &[B1, A1, A2, B2], "out of order", A1),
        (ANN, &[B2], "lost", B1),
        (ANN, &[], "lost", B1),
        (ANN, &[A1, B1], "repeated", A1), // its own line
        (BOB, &[A1, A2, A2], "repeated", A2),
    ] {
        let class = if client == 0 { Class::new() } else { Class::after_talk() };
        let LineId { sender, seq } = id;
        let fault = format!("{what}: line {seq} of client {sender}, at client {client},");
        class.must_fail(client, &told(read), &fault);
    }
}

#[test]
fn a_torn_line_is_noticed_by_the_first_and_by_the_others() {
    let (first, second) = (told(&[A1]), told(&[B1]));
    let torn = [&first[..20], &second[..], &first[20..]].concat();
    Class::new().must_fail(0, &torn, "a torn line: client 0 read");
    Class::after_talk().must_fail(1, &torn, "a torn line: client 1 read");
    let half_a_line = [&told(&TALK)[..], b"<b0003> @00"].concat();
    Class::after_talk().must_fail(1, &half_a_line, "a torn line: client 1 read");
}

#[test]
fn one_changed_byte_anywhere_is_a_fault() {
    let bytes = told(&TALK);
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        assert!(Class::after_talk().fault(1, &changed).is_some(), "byte {place}");
    }
}
