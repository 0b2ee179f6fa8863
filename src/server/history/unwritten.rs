//! What is asked of talk that waits for the disk: during an outage it is nowhere else. Runs on thread
//! `historian`.

use crate::core::{
    record::{AccountId, Author, Change, Found, HistoryLine, LineId, Query, Record},
    search_words::{fold, search_words},
};
use std::collections::HashSet;

/// The lines among these records that a query is about, in the order in which they were said. There
/// may be more of them than the query wants.
pub(super) fn find<'a>(
    records: impl Iterator<Item = &'a Record> + Clone,
    query: &Query,
) -> Vec<HistoryLine> {
    let mut removed: HashSet<LineId> = HashSet::new();
    for record in records.clone() {
        if let Change::LinesRemoved(lines) = &record.change {
            removed.extend(lines);
        }
    }
    let (of_room, of_account) = match query {
        Query::Older { room, account, .. }
        | Query::Since { room, account, .. }
        | Query::Search { room, account, .. } => (Some(room.to_lowercase()), *account),
        Query::Private { account, .. } => (None, Some(*account)),
        Query::Password(_) | Query::Mail(_) | Query::AuthorOf(_) | Query::CountSince { .. } => {
            return Vec::new();
        }
    };
    let is_wanted = |line: &HistoryLine| match query {
        Query::Older { before, since, .. } => {
            line.id < *before && since.is_none_or(|since| line.at >= since)
        }
        Query::Since { after, before, .. } => line.id > *after && line.id < *before,
        Query::Search { words, .. } => {
            let (words, text) = (search_words(words), fold(&line.text));
            words.iter().all(|word| word.is_in(&text))
        }
        _ => true,
    };
    records
        .flat_map(|record| lines(record, of_room.as_deref(), of_account))
        .filter(|line| !removed.contains(&line.id) && is_wanted(line))
        .collect()
}

/// What was found in the file, and these lines too, which are newer.
pub(super) fn add(found: Found, newer: Vec<HistoryLine>) -> Found {
    let with = |mut lines: Vec<HistoryLine>, newer| {
        lines.extend(newer);
        lines
    };
    match found {
        found if newer.is_empty() => found,
        Found::Lines(lines) => Found::Lines(with(lines, newer)),
        Found::Partly { lines, why } => Found::Partly { lines: with(lines, newer), why },
        Found::Unavailable(why) => Found::Partly { lines: newer, why },
        found => found,
    }
}

/// The lines of a record, if it is of this room, or in private of this account.
fn lines(record: &Record, room: Option<&str>, account: Option<AccountId>) -> Vec<HistoryLine> {
    let line = |id, text| HistoryLine { id: LineId(id), at: record.at, text };
    match &record.change {
        Change::RoomMessage { id, room: said_in, text, .. }
            if room.is_some_and(|room| said_in.to_lowercase() == room) =>
        {
            let lines = text.split_inclusive('\n');
            (id.0..).zip(lines).map(|(id, text)| line(id, text.to_owned())).collect()
        }
        Change::PrivateMessage { id, from, to, text, .. } => {
            let is_mine = |author: &Author| author.account.is_some() && author.account == account;
            let shown = match (is_mine(from), is_mine(to)) {
                (true, _) => format!("[to {}] {text}\n", to.name),
                (false, true) => format!("[from {}] {text}\n", from.name),
                (false, false) => return Vec::new(),
            };
            vec![line(id.0, shown)]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn author(name: &str, account: i64) -> Author {
        Author { name: name.to_owned(), account: (account > 0).then_some(AccountId(account)) }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// Lines 1 to 8: of the lobby, of another room, and private ones; the last is removed.
    fn records() -> Vec<Record> {
        let (alice, bob, eve) = (author("alice", 1), author("bob", 2), author("eve", 0));
        let said = |id, room: &str, text: &str| {
            let (id, room, text) = (LineId(id), room.to_owned(), text.to_owned());
            Change::RoomMessage { id, room, author: alice.clone(), text }
        };
        let private = |id, from: &Author, to: &Author, text: &str| {
            let (id, from, to, text) = (LineId(id), from.clone(), to.clone(), text.to_owned());
            Change::PrivateMessage { id, from, to, text, is_mail: false }
        };
        let changes = [
            said(1, "Lobby", "<alice> one\n<alice> Two trees\n"),
            said(3, "math", "<alice> three\n"),
            private(4, &alice, &bob, "four"),
            private(5, &eve, &alice, "five trees"),
            private(6, &eve, &eve, "six"),
            said(7, "lobby", "<alice> seven\n<alice> gone\n"),
            Change::LinesRemoved(vec![LineId(8)]),
        ];
        (1..).zip(changes).map(|(second, change)| Record { at: at(second), change }).collect()
    }

    fn older(account: Option<i64>, before: i64, since: Option<i64>) -> Query {
        let (room, account, before) = ("lobby".to_owned(), account.map(AccountId), LineId(before));
        Query::Older { room, account, before, since: since.map(at), most: 9 }
    }

    fn since(account: Option<i64>, after: i64, before: i64) -> Query {
        let (room, account) = ("lobby".to_owned(), account.map(AccountId));
        Query::Since { room, account, after: LineId(after), before: LineId(before), most: 9 }
    }

    fn search(account: Option<i64>, words: &str) -> Query {
        let (room, words) = ("lobby".to_owned(), words.to_owned());
        Query::Search { room, account: account.map(AccountId), words, most: 9 }
    }

    #[test]
    fn what_waits_is_found_as_in_the_file() {
        let records = records();
        for (query, expected) in [
            (older(None, 99, None), &[1, 2, 7][..]),
            (older(None, 7, None), &[1, 2]),
            (older(Some(1), 99, None), &[1, 2, 4, 5, 7]),
            (older(Some(2), 99, Some(3)), &[4, 7]),
            (since(Some(1), 1, 7), &[2, 4, 5]),
            (since(None, 2, 99), &[7]),
            (search(None, "trees"), &[2]),
            (search(Some(1), "TREES"), &[2, 5]),
            (search(None, "tre*"), &[2]),
            (search(None, "gone"), &[]),
            (Query::Private { account: AccountId(1), most: 9 }, &[4, 5]),
            (Query::Mail(AccountId(1)), &[]),
        ] {
            let ids: Vec<i64> = find(records.iter(), &query).iter().map(|line| line.id.0).collect();
            assert_eq!(ids, expected, "{query:?}");
        }
        let found = find(records.iter(), &older(Some(1), 6, Some(3)));
        let texts: Vec<&str> = found.iter().map(|line| &*line.text).collect();
        assert_eq!(texts, ["[to bob] four\n", "[from eve] five trees\n"]);
    }
}
