//! Each way in which a server can break its promise, and that it is seen, at whom, and called by its name.

use super::*;
use crate::cli::wire::Peer;

const WIRE: Wire = Wire { peer: Peer::Chatd, size: 40 };
const ANN: u32 = 3;
const BOB: u32 = 4;

/// A transcript and some clients: 0, 1 and 2 watch, ann and bob send.
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

    /// `client` reads `bytes`; the fault if it sees one.
    fn reads(&mut self, client: u32, bytes: &[u8]) -> Result<(), Wrong> {
        let heard = &mut self.heard[client as usize];
        let reader = &mut self.readers[client as usize];
        let mut chunk = Vec::new();
        reader.take_unchecked(&mut chunk);
        chunk.extend_from_slice(bytes);
        let read = reader.read(&chunk, &mut self.transcript, &mut |id| heard.push(id));
        read.map_err(|fault| {
            assert_eq!(fault.client, client);
            fault.wrong
        })
    }

    fn lacks(&self, client: u32) -> Option<Wrong> {
        self.readers[client as usize].lacks(&self.transcript).map(|fault| fault.wrong)
    }

    fn left_over(&self, client: u32) -> Option<Wrong> {
        self.readers[client as usize].left_over(&self.transcript).map(|fault| fault.wrong)
    }
}

fn id(sender: u32, seq: u32) -> LineId {
    LineId { sender, seq }
}

/// Lines as chatd tells them.
fn told(lines: &[LineId]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in lines {
        bytes.extend_from_slice(format!("<b{:04}> ", line.sender).as_bytes());
        WIRE.compose(*line, &mut bytes);
    }
    bytes
}

const TALK: [LineId; 4] = [
    LineId { sender: ANN, seq: 1 },
    LineId { sender: BOB, seq: 1 },
    LineId { sender: ANN, seq: 2 },
    LineId { sender: BOB, seq: 2 },
];

#[test]
fn all_read_the_same_and_senders_not_their_own() {
    let mut class = Class::new();
    for watcher in 0..ANN {
        class.reads(watcher, &told(&TALK)).unwrap();
        assert_eq!(class.heard[watcher as usize], TALK);
    }
    class.reads(ANN, &told(&[TALK[1], TALK[3]])).unwrap();
    class.reads(BOB, &told(&[TALK[0], TALK[2]])).unwrap();
    assert!(
        (0..5).all(|client| class.lacks(client).is_none() && class.left_over(client).is_none())
    );
    assert_eq!(class.heard[ANN as usize], [TALK[1], TALK[3]]);
}

#[test]
fn it_makes_no_difference_how_the_bytes_are_cut() {
    let bytes = told(&TALK);
    for cut in 0..bytes.len() {
        let mut class = Class::new();
        class.reads(0, &bytes).unwrap();
        for part in [&bytes[..cut], &bytes[cut..]] {
            class.reads(1, part).unwrap();
        }
        assert_eq!(class.heard[1], TALK, "cut after {cut} bytes");
    }
}

#[test]
fn a_sender_may_read_before_any_watcher() {
    let mut class = Class::new();
    class.reads(ANN, &told(&[TALK[1]])).unwrap();
    assert!(class.heard[ANN as usize].is_empty());
    class.reads(0, &told(&TALK[..2])).unwrap();
    class.reads(ANN, b"").unwrap();
    assert_eq!(class.heard[ANN as usize], [TALK[1]]);
}

#[test]
fn the_servers_own_lines_may_stand_anywhere() {
    let mut class = Class::new();
    class.reads(0, &told(&TALK)).unwrap();
    let mixed = [
        &b"*** b0009 entered lobby\n"[..],
        &told(&TALK[..2]),
        b"*** b0009 left\n",
        &told(&TALK[2..]),
    ];
    class.reads(1, &mixed.concat()).unwrap();
    assert_eq!(class.heard[1], TALK);
}

#[test]
fn who_comes_in_is_noted_by_the_first_watcher_alone() {
    let mut class = Class::new();
    class.reads(0, &told(&[id(7, ARRIVAL)])).unwrap();
    class.reads(1, &told(&[id(7, ARRIVAL), id(8, ARRIVAL)])).unwrap();
    assert_eq!(class.transcript.arrivals, [7]);
}

#[test]
fn a_line_lost_to_one_is_seen() {
    let mut class = Class::new();
    class.reads(0, &told(&TALK)).unwrap();
    assert_eq!(class.reads(1, &told(&[TALK[0], TALK[2], TALK[3]])), Err(Wrong::Lost(TALK[1])));
    assert_eq!(class.reads(ANN, &told(&[TALK[3]])), Err(Wrong::Lost(TALK[1])), "to a sender");
}

#[test]
fn a_last_line_that_never_comes_is_lacking() {
    let mut class = Class::new();
    class.reads(0, &told(&TALK)).unwrap();
    class.reads(1, &told(&TALK[..3])).unwrap();
    assert_eq!(class.lacks(1), Some(Wrong::Lost(TALK[3])));
    assert_eq!(class.lacks(ANN), Some(Wrong::Lost(TALK[1])));
}

#[test]
fn a_line_lost_to_all_is_seen_by_the_one_who_writes() {
    let mut class = Class::new();
    assert_eq!(class.reads(0, &told(&[TALK[1], TALK[2], TALK[3]])), Err(Wrong::Lost(TALK[0])));
}

#[test]
fn a_repeated_line_is_seen() {
    let twice = told(&[TALK[0], TALK[0]]);
    let mut class = Class::new();
    assert_eq!(class.reads(0, &twice), Err(Wrong::Repeated(TALK[0])), "at the one who writes");
    let mut class = Class::new();
    class.reads(0, &told(&TALK)).unwrap();
    assert_eq!(class.reads(1, &twice), Err(Wrong::Repeated(TALK[0])), "at another");
    class.reads(BOB, &told(&[TALK[0], TALK[2], TALK[2]])).unwrap();
    assert_eq!(class.left_over(BOB), Some(Wrong::Repeated(TALK[2])), "at the end, at a sender");
}

#[test]
fn ones_own_line_is_one_too_many() {
    let mut class = Class::new();
    class.reads(0, &told(&TALK)).unwrap();
    assert_eq!(class.reads(ANN, &told(&[TALK[0], TALK[1]])), Err(Wrong::Repeated(TALK[0])));
}

#[test]
fn a_line_out_of_its_senders_order_is_seen() {
    let mut class = Class::new();
    assert_eq!(class.reads(0, &told(&[TALK[2], TALK[0]])), Err(Wrong::Reordered(TALK[0])));
}

#[test]
fn two_senders_lines_in_another_order_than_others_read_them_are_seen() {
    let mut class = Class::new();
    class.reads(0, &told(&TALK)).unwrap();
    assert_eq!(
        class.reads(1, &told(&[TALK[1], TALK[0], TALK[2], TALK[3]])),
        Err(Wrong::Reordered(TALK[0]))
    );
}

#[test]
fn a_torn_line_is_seen_by_the_first_and_by_the_others() {
    let (first, second) = (told(&TALK[..1]), told(&TALK[1..2]));
    let torn = [&first[..20], &second[..], &first[20..]].concat();
    let mut class = Class::new();
    assert_eq!(class.reads(0, &torn), Err(Wrong::Torn));
    let mut class = Class::new();
    class.reads(0, &told(&TALK)).unwrap();
    assert_eq!(class.reads(1, &torn), Err(Wrong::Torn));
}

#[test]
fn one_changed_byte_anywhere_is_a_fault() {
    let bytes = told(&TALK);
    for place in 0..bytes.len() {
        let mut class = Class::new();
        class.reads(0, &bytes).unwrap();
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        let fault = class.reads(1, &changed).err().or(class.left_over(1)).or(class.lacks(1));
        assert!(fault.is_some(), "byte {place}");
    }
}

#[test]
fn half_a_line_at_the_end_is_left_over() {
    let mut class = Class::new();
    class.reads(0, &told(&TALK)).unwrap();
    class.reads(1, &[&told(&TALK)[..], b"<b0003> @00"].concat()).unwrap();
    assert_eq!(class.left_over(1), Some(Wrong::Torn));
}

#[test]
fn what_all_have_read_is_forgotten_and_the_rest_is_not() {
    let mut class = Class::new();
    let lines = (KEPT / WIRE.size) as u32 + 100;
    for seq in 1..=lines {
        class.reads(0, &told(&[id(ANN, seq)])).unwrap();
        if seq < lines {
            class.reads(1, &told(&[id(ANN, seq)])).unwrap();
        }
    }
    assert!(class.transcript.is_long());
    class.transcript.forget(class.readers[1].next());
    assert!(!class.transcript.is_long());
    assert_eq!(class.lacks(1), Some(Wrong::Lost(id(ANN, lines))));
    class.reads(1, &told(&[id(ANN, lines)])).unwrap();
    assert_eq!(class.transcript.end(), u64::from(lines));
}
