//! Connections that are not let in: some wait for a place or for their turn, others were refused,
//! and go. Thread `linger` looks at them again and again; in the select and epoll versions, the
//! loop does.
//!
//! Scripts that connect and close cost little here, and nobody else their chance: before anybody is
//! turned away for want of room, those who are gone make room.

use super::{
    frames::{Wire, encode, last_words},
    linger::Refused,
};
use crate::{
    core::{address::ClientAddress, close_reason::CloseReason, event::ClientId, notice::notice},
    origin::Origin,
    server::{
        net,
        proxies::{Unnamed, Whose},
        sources::{Admission, SourceTable},
        status::Totals,
        tls::{
            ENCRYPTED,
            connection::{DENIED, TlsConnection},
        },
        turned_away::{Reason, TurnedAway},
    },
    socketserver::Connection,
};
use parking_lot::Mutex;
use std::{
    mem::take,
    sync::Arc,
    time::{Duration, Instant},
};

/// How often those who are not let in are looked at.
pub const LOOK_EVERY: Duration = Duration::from_millis(20);
/// The most connections of one address that wait for their turn: the last of them has it after some
/// 15 s.
const TURNS_MAX: usize = 32;
/// One address may take all places of those who wait but one in eight.
const OTHERS: usize = 8;

/// A connection that comes.
pub struct Arrival {
    /// It.
    pub connection: Connection,
    /// `Some`: it is a browser's, and this far.
    pub begun: Option<Arc<Begun>>,
}

/// How far a browser is that has become a client.
pub struct Begun {
    /// What it has sent already, behind its request.
    pub(super) first: Vec<u8>,
    /// What its connection is encrypted with, for whoever serves or refuses it.
    tls: Mutex<Option<Box<TlsConnection>>>,
}

impl Begun {
    pub(crate) fn new(first: Vec<u8>, tls: Option<Box<TlsConnection>>) -> Arc<Begun> {
        Arc::new(Begun { first, tls: Mutex::new(tls) })
    }

    /// Takes both. To be called once.
    pub(crate) fn take(&self) -> (&[u8], Option<Box<TlsConnection>>) {
        (&self.first, self.tls.lock().take())
    }
}

/// A connection that waits.
pub struct Waiting {
    arrival: Arrival,
    /// What it is told; `None`: it was.
    request: Option<String>,
    /// What it is told if it cannot wait.
    refusal: TurnedAway,
    takes_turns: bool,
}

/// Who is not let in.
pub struct WaitingList {
    /// The most of them.
    most: usize,
    waiting: Vec<Waiting>,
    refused: Vec<Refused>,
    /// Those of which a proxy has not said yet whose they are, in the order in which they came.
    unnamed: Vec<Unnamed>,
}

impl Arrival {
    pub(super) fn number(&self) -> ClientId {
        self.connection.number
    }

    pub(super) fn peer(&self) -> Origin {
        self.connection.peer
    }

    fn wire(&self) -> Wire {
        if self.begun.is_some() { Wire::Frames } else { Wire::Plain }
    }

    /// Tells it why it is not let in.
    pub(super) fn refuse(self, why: &TurnedAway, table: &SourceTable, totals: &Totals) -> Refused {
        let has_to_wait = table.refuse(self.peer(), why, totals);
        self.tell_last(&why.sentence, has_to_wait)
    }

    fn tell_last(self, sentence: &str, has_to_wait: bool) -> Refused {
        let code = CloseReason::Full(0).close_code();
        let words = match self.is_sealed() {
            true => DENIED.to_vec(),
            false => last_words(&notice(sentence), code, self.wire()),
        };
        let words = match self.begun.and_then(|begun| begun.take().1) {
            Some(tls) => tls.finish(&words),
            None => words,
        };
        Refused::with_words(self.connection.stream, &words, has_to_wait)
    }

    /// Sends this, as far as the socket takes it.
    fn send(&self, bytes: &[u8]) {
        let stream = &self.connection.stream;
        let mut tls = self.begun.as_ref().map(|begun| begun.tls.lock());
        let _ = match tls.as_deref_mut() {
            Some(Some(tls)) => tls.send(stream, bytes, &[]),
            _ => net::send_now(stream, &[bytes]),
        };
    }

    /// Whether nothing can be told: the handshake is for the client's own thread, which does not run
    /// yet.
    fn is_sealed(&self) -> bool {
        self.connection.kind == ENCRYPTED
    }
}

impl Waiting {
    /// See [`Admission::Wait`].
    pub fn new(
        arrival: Arrival,
        request: String,
        refusal: TurnedAway,
        takes_turns: bool,
    ) -> Waiting {
        net::prepare(&arrival.connection.stream);
        let mut waiting = Waiting { arrival, request: Some(request), refusal, takes_turns };
        if takes_turns {
            waiting.tell();
        }
        waiting
    }

    /// Does not wait: a new socket's buffer is empty, and the sentence fits.
    fn tell(&mut self) {
        let request = self.request.take().filter(|request| !request.is_empty());
        if let Some(request) = request.filter(|_| !self.arrival.is_sealed()) {
            let words = notice(request);
            let words = encode(words.as_bytes(), self.arrival.wire());
            self.arrival.send(&words);
        }
    }

    /// It cannot wait.
    pub(crate) fn refuse(self, table: &SourceTable, totals: &Totals) -> Refused {
        table.give_up(self.arrival.number());
        self.arrival.refuse(&self.refusal, table, totals)
    }

    fn address(&self) -> ClientAddress {
        self.arrival.peer().into()
    }

    /// Whether nobody is there any more, or nobody who can still say something. Whoever has closed
    /// their side may still read: they are told something, and the answer shows whether they do.
    fn is_gone(&mut self) -> bool {
        match net::wait_end(&self.arrival.connection.stream, Duration::ZERO) {
            Ok(false) => return false,
            Ok(true) if self.request.is_some() => self.tell(),
            Ok(true) => {}
            Err(_) => return true,
        }
        net::has_peer_gone(&self.arrival.connection.stream)
    }

    /// Forgets it if nobody is there any more.
    pub(crate) fn unless_gone(mut self, table: &SourceTable, totals: &Totals) -> Option<Waiting> {
        if !self.is_gone() {
            return Some(self);
        }
        table.give_up(self.arrival.number());
        let gone = TurnedAway::new(Reason::Gone, "gone while they waited");
        table.refuse(self.arrival.peer(), &gone, totals);
        None
    }
}

impl WaitingList {
    /// For `most` at once.
    pub fn new(most: usize) -> WaitingList {
        WaitingList { most, waiting: Vec::new(), refused: Vec::new(), unnamed: Vec::new() }
    }

    /// Whether nobody is here.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.refused.is_empty() && self.unnamed.is_empty()
    }

    /// One more that waits; or that is refused, if there is no room.
    pub fn wait(&mut self, waiting: Waiting, table: &SourceTable, totals: &Totals) {
        let Some(waiting) = waiting.unless_gone(table, totals) else { return };
        if !self.has_room_for(&waiting) {
            self.forget_gone(table, totals);
        }
        if self.has_room_for(&waiting) {
            return self.waiting.push(waiting);
        }
        self.add(waiting.refuse(table, totals));
    }

    fn has_room_for(&self, one: &Waiting) -> bool {
        let address = one.address();
        let from_there = self.waiting.iter().filter(|other| other.address() == address);
        let (here, all) = (from_there.count(), self.waiting.len() + self.refused.len());
        let most = if one.takes_turns { TURNS_MAX } else { self.most };
        here < most.min(self.most - self.most / OTHERS) && all < self.most
    }

    /// One more that is refused, and has still to go.
    pub fn refuse(
        &mut self,
        arrival: Arrival,
        why: &TurnedAway,
        table: &SourceTable,
        totals: &Totals,
    ) {
        self.add(arrival.refuse(why, table, totals));
    }

    /// The same for one that was told so.
    pub fn add(&mut self, refused: Refused) {
        if self.waiting.len() + self.refused.len() >= self.most {
            let now = Instant::now();
            self.refused.retain_mut(|refused| refused.look(now));
        }
        if self.waiting.len() + self.refused.len() < self.most && refused.is_ready() {
            self.refused.push(refused);
        }
    }

    /// One more of which a proxy has not said yet whose it is. A proxy says it at once. So if there
    /// are too many, the one goes that has been silent for longest.
    pub fn add_unnamed(&mut self, one: Unnamed) {
        if self.unnamed.len() >= self.most.div_ceil(2) {
            self.unnamed.remove(0);
        }
        self.unnamed.push(one);
    }

    /// Looks at those. Returns those of which it is known now.
    pub fn look_at_unnamed(&mut self) -> Vec<Whose> {
        let now = Instant::now();
        let mut known = Vec::new();
        for one in take(&mut self.unnamed) {
            match one.look(now) {
                Whose::NotYet(one) => self.unnamed.push(one),
                whose => known.push(whose),
            }
        }
        known
    }

    /// Looks at everybody else. Returns those who are let in, in the order in which they came, each with
    /// the client that has to give way.
    pub fn look(
        &mut self,
        table: &SourceTable,
        totals: &Totals,
    ) -> Vec<(Arrival, Option<ClientId>)> {
        let now = Instant::now();
        self.refused.retain_mut(|refused| refused.look(now));
        self.forget_gone(table, totals);
        let mut let_in = Vec::new();
        for mut one in take(&mut self.waiting) {
            let (number, peer) = (one.arrival.number(), one.arrival.peer());
            match table.admit(number, peer, one.takes_turns) {
                Admission::Place { gives_way } => let_in.push((one.arrival, gives_way)),
                Admission::Refused(why) => {
                    self.refuse(one.arrival, &why, table, totals);
                }
                Admission::Wait { request, refusal, takes_turns } => {
                    if takes_turns && !one.takes_turns {
                        one.request = Some(request);
                        one.tell();
                    }
                    (one.refusal, one.takes_turns) = (refusal, takes_turns);
                    self.waiting.push(one);
                }
            }
        }
        let_in
    }

    fn forget_gone(&mut self, table: &SourceTable, totals: &Totals) {
        let all = take(&mut self.waiting).into_iter();
        self.waiting = all.filter_map(|one| one.unless_gone(table, totals)).collect();
    }

    /// The server stops: whoever waits is refused.
    pub fn close(&mut self) {
        for waiting in self.waiting.drain(..) {
            drop(waiting.arrival.tell_last(&waiting.refusal.sentence, false));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::options::Options;
    use argh::FromArgs as _;
    use std::{
        io::Read as _,
        net::{SocketAddr, TcpListener, TcpStream},
    };

    /// One from this address that waits, and its other end.
    fn comes(host: u8, request: &str, takes_turns: bool) -> (Waiting, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let other_end = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, _) = listener.accept().unwrap();
        let peer = SocketAddr::from(([192, 0, 2, host], 4000)).into();
        let connection = Connection { number: 1, stream, peer, others: 0, kind: 0 };
        let refusal = TurnedAway::new(Reason::Address, "Too many.");
        let arrival = Arrival { connection, begun: None };
        (Waiting::new(arrival, request.to_owned(), refusal, takes_turns), other_end)
    }

    /// However many come from one address, others can wait, too.
    #[test]
    fn one_address_does_not_take_every_place_of_those_who_wait() {
        let (mut list, mut other_ends) = (WaitingList::new(40), Vec::new());
        loop {
            let (one, other_end) = comes(7, "", false);
            if !list.has_room_for(&one) {
                break;
            }
            list.waiting.push(one);
            other_ends.push(other_end);
        }
        assert!((20..40).contains(&list.waiting.len()), "{}", list.waiting.len());
        assert!(list.has_room_for(&comes(8, "", false).0));
    }

    /// From whatever addresses; and who is gone makes room.
    #[test]
    fn no_more_wait_than_there_are_places() {
        let options = Options::from_args(&["chatd"], &[]).unwrap();
        let (table, totals) = (SourceTable::new(&options), Totals::default());
        let mut list = WaitingList::new(40);
        let other_ends: Vec<_> = (1..=50)
            .map(|host| {
                let (one, other_end) = comes(host, "", false);
                list.wait(one, &table, &totals);
                other_end
            })
            .collect();
        assert_eq!(list.waiting.len(), 40);
        drop(other_ends);
        let (one, _other_end) = comes(60, "", false);
        list.wait(one, &table, &totals);
        assert_eq!(list.waiting.len(), 1);
    }

    #[test]
    fn who_waits_for_their_turn_is_told_so() {
        let (waiting, mut other_end) = comes(7, "Please wait.", true);
        drop(waiting);
        let mut told = String::new();
        other_end.read_to_string(&mut told).unwrap();
        assert_eq!(told, "*** Please wait.\n");
    }
}
