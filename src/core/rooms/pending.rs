//! What is applied and waits to be written: the records of the batch that gathers, and of the one
//! that is sealed.
//!
//! Most records only have to be written before their batch is shown. Some may fail (a registration,
//! a message that is kept for somebody): those are marked with the client who waits for the
//! outcome, and what they need (a name, a place in a mailbox) stays reserved until then.

use super::ClientKey;
use crate::core::{
    name::Name,
    record::{Account, AccountId, Change, LineId, Outcome, Record},
    returning::TokenChange,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{collections::VecDeque, mem::take};

/// Bytes that a record counts for besides its text.
const RECORD_OVERHEAD: usize = 32;

/// Records that are not written yet, and the numbers of lines.
#[derive(Serialize, Deserialize)]
pub(crate) struct Pending {
    keeps_talk: bool,
    last_line: LineId,
    /// Something was recorded of tokens.
    has_tokens: bool,
    /// Those of the batch that gathers.
    #[serde(skip)]
    records: Vec<Record>,
    #[serde(skip)]
    reservations: Vec<Reservation>,
    /// Bytes of those records, approximately.
    #[serde(skip)]
    bytes: usize,
    /// Batches whose records were handed over, oldest first. Their outcomes are still to come.
    #[serde(skip)]
    sealed: VecDeque<Sealed>,
}

/// What is kept here of a batch whose records were handed over.
#[derive(Default)]
struct Sealed {
    reservations: Vec<Reservation>,
    /// Changes to merge with a snapshot from the file.
    sanctions: Vec<Change>,
}

/// What stays reserved until the outcome of its record is known.
#[derive(Debug)]
pub(crate) struct Reservation {
    /// The client that waits for the outcome.
    pub(crate) client: ClientKey,
    /// What they wait for.
    pub(crate) what: Reserved,
}

#[derive(Debug)]
pub(crate) enum Reserved {
    /// An account, and with it its name.
    Account(Account, Name),
    /// Another password for this account; and whether the client knows nothing of it.
    Password(AccountId, bool),
    /// The deletion of an account.
    Deletion(AccountId),
    /// A place in a mailbox; `by_guest`: one of those for people without an account.
    Mail { to: AccountId, by_guest: bool },
    /// The deletion of `count` messages.
    MailDeletion { account: AccountId, count: usize },
}

impl Pending {
    /// `keeps_talk`: what is said is written, too, and not only accounts, mail and sanctions.
    pub(super) fn new(keeps_talk: bool) -> Pending {
        Pending {
            keeps_talk,
            last_line: LineId(0),
            has_tokens: false,
            records: Vec::new(),
            reservations: Vec::new(),
            bytes: 0,
            sealed: VecDeque::new(),
        }
    }

    pub(crate) fn keeps_talk(&self) -> bool {
        self.keeps_talk
    }

    /// Takes numbers for new lines, and returns the first.
    pub(crate) fn line_ids(&mut self, lines: usize) -> LineId {
        let first = self.last_line.next();
        self.last_line.0 += lines as i64;
        first
    }

    /// The highest number of a line so far.
    pub(crate) fn last_line(&self) -> LineId {
        self.last_line
    }

    /// Takes numbers up to `last` out of use.
    pub(super) fn skip_lines(&mut self, last: LineId) {
        self.last_line = self.last_line.max(last);
    }

    /// Records a change that cannot be refused. It is written with its batch.
    pub(crate) fn record(&mut self, at: Timestamp, change: Change) {
        self.bytes += change.text_bytes() + RECORD_OVERHEAD;
        self.records.push(Record { at, change });
    }

    /// Records what has become of a token, if there is a file.
    pub(super) fn record_token(&mut self, at: Timestamp, change: TokenChange) {
        if self.keeps_talk {
            self.has_tokens = true;
            self.record(at, Change::Token(change));
        }
    }

    /// Whether anything was ever recorded of tokens.
    pub(super) fn has_tokens(&self) -> bool {
        self.has_tokens
    }

    /// Records a change that may fail. `client` is answered when its outcome is known.
    pub(crate) fn reserve(
        &mut self,
        at: Timestamp,
        change: Change,
        client: ClientKey,
        what: Reserved,
    ) {
        self.record(at, change);
        self.reservations.push(Reservation { client, what });
    }

    /// Bytes of records that have gathered, approximately.
    pub(in crate::core) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether the batch that gathers has no records.
    pub(in crate::core) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Whether nothing waits to be written, or for its outcome.
    pub(super) fn is_at_rest(&self) -> bool {
        self.records.is_empty() && self.sealed.is_empty()
    }

    /// Seals the batch, and returns its records, to be written in one transaction.
    pub(super) fn seal(&mut self) -> Vec<Record> {
        let records = take(&mut self.records);
        self.bytes = 0;
        let is_sanction =
            |change: &&Change| matches!(change, Change::Sanctioned(_) | Change::SanctionLifted(..));
        let changes = records.iter().map(|record| &record.change);
        let sanctions = changes.filter(is_sanction).cloned().collect();
        if !records.is_empty() {
            self.sealed.push_back(Sealed { reservations: take(&mut self.reservations), sanctions });
        }
        records
    }

    /// Takes the outcomes of the oldest sealed batch. Returns what was reserved for its records
    /// that may fail, each with its outcome, in their order.
    pub(in crate::core) fn settle(
        &mut self,
        outcomes: Vec<Outcome>,
    ) -> impl Iterator<Item = (Reservation, Outcome)> + use<> {
        let sealed = self.sealed.pop_front().unwrap_or_default();
        // After `give_up` there are no reservations: their clients were answered then.
        sealed.reservations.into_iter().zip(outcomes)
    }

    /// Gives up every outcome. Returns the clients that waited for one. What they reserved stays
    /// reserved.
    pub(in crate::core) fn give_up(&mut self) -> Vec<ClientKey> {
        let sealed = self.sealed.iter_mut().flat_map(|sealed| take(&mut sealed.reservations));
        let waiting: Vec<ClientKey> = sealed.map(|reservation| reservation.client).collect();
        let gathering = take(&mut self.reservations);
        waiting.into_iter().chain(gathering.into_iter().map(|one| one.client)).collect()
    }

    /// Changes of sanctions that are made and not written yet, in their order.
    pub(super) fn sanctions(&self) -> impl Iterator<Item = &Change> {
        let sealed = self.sealed.iter().flat_map(|sealed| &sealed.sanctions);
        sealed.chain(self.records.iter().map(|record| &record.change))
    }

    /// Everything that is reserved.
    pub(super) fn reserved(&self) -> impl Iterator<Item = &Reserved> {
        let sealed = self.sealed.iter().flat_map(|sealed| &sealed.reservations);
        sealed.chain(&self.reservations).map(|reservation| &reservation.what)
    }
}
