//! Many lines are asked for in pieces, so that what is said meanwhile waits for one piece, not for
//! all. Runs on the thread of whoever asks.

use crate::core::record::{Found, HistoryLine, LineId, Query};

/// The most lines that are asked for at once: the historian reads them in some 0.2 ms.
const PIECE: usize = 100;

/// Asks for the newest lines first, then for those before them, until there are as many as the
/// query wants. Any other query is asked as it is.
pub(super) fn find(mut query: Query, mut ask: impl FnMut(Query) -> Found) -> Found {
    let mut lines: Vec<HistoryLine> = Vec::new();
    loop {
        let Some((_, most)) = bounds(&mut query) else { return ask(query) };
        let left = *most;
        *most = left.min(PIECE);
        let mut found = match ask(query.clone()) {
            Found::Lines(found) => found,
            ended => return with_newer(ended, lines),
        };
        let (piece, oldest) = (found.len(), found.iter().map(|line| line.id).min());
        found.append(&mut lines);
        lines = found;
        match (oldest, bounds(&mut query)) {
            (Some(oldest), Some((before, most))) if piece >= *most && piece < left => {
                (*before, *most) = (oldest, left - piece);
            }
            _ => return Found::Lines(lines),
        }
    }
}

/// Before which line, and how many, if a query is for the newest lines of some.
fn bounds(query: &mut Query) -> Option<(&mut LineId, &mut usize)> {
    match query {
        Query::Older { before, most, .. } | Query::Since { before, most, .. } => {
            Some((before, most))
        }
        _ => None,
    }
}

/// An answer that ends the asking, and the lines that were found before it, which are newer.
fn with_newer(ended: Found, newer: Vec<HistoryLine>) -> Found {
    match ended {
        ended if newer.is_empty() => ended,
        Found::Unavailable(why) => Found::Partly { lines: newer, why },
        Found::Partly { lines, why } => Found::Partly { lines: [lines, newer].concat(), why },
        ended => ended,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn older(most: usize) -> Query {
        let (room, before) = ("lobby".to_owned(), LineId::MAX);
        Query::Older { room, account: None, before, since: None, most }
    }

    fn lines(ids: std::ops::Range<i64>) -> Vec<HistoryLine> {
        let line =
            |id| HistoryLine { id: LineId(id), at: Timestamp::UNIX_EPOCH, text: String::new() };
        ids.map(line).collect()
    }

    /// Asks a history of lines 1 to `last`, which fails at line `until`. Returns what is found, and
    /// how many lines each piece was to have.
    fn ask(query: Query, last: i64, until: i64) -> (Found, Vec<usize>) {
        let mut pieces = Vec::new();
        let found = find(query, |mut query| {
            let (before, most) = bounds(&mut query).unwrap();
            pieces.push(*most);
            let end = before.0.min(last + 1);
            match (end - *most as i64).max(1) {
                begin if begin < until => Found::Unavailable("the disk fails.".to_owned()),
                begin => Found::Lines(lines(begin..end)),
            }
        });
        (found, pieces)
    }

    #[test]
    fn the_pieces_have_all_lines_once_and_in_order() {
        assert_eq!(ask(older(250), 1000, 0), (Found::Lines(lines(751..1001)), vec![100, 100, 50]));
        assert_eq!(ask(older(100), 1000, 0), (Found::Lines(lines(901..1001)), vec![100]));
        assert_eq!(ask(older(1000), 150, 0), (Found::Lines(lines(1..151)), vec![100, 100]));
        assert_eq!(ask(older(1000), 200, 0), (Found::Lines(lines(1..201)), vec![100, 100, 100]));
        assert_eq!(ask(older(0), 200, 0), (Found::Lines(Vec::new()), vec![0]));
    }

    #[test]
    fn what_was_found_before_a_failure_is_not_lost() {
        let why = "the disk fails.".to_owned();
        let (found, _) = ask(older(1000), 150, 50);
        assert_eq!(found, Found::Partly { lines: lines(51..151), why: why.clone() });
        assert_eq!(ask(older(1000), 150, 200).0, Found::Unavailable(why));
    }

    #[test]
    fn more_lines_than_were_asked_for_are_all_of_them() {
        // In an outage what waits for the disk is added.
        let mut asked = 0;
        let found = find(older(1000), |_| {
            asked += 1;
            Found::Lines(if asked == 1 { lines(1..1201) } else { Vec::new() })
        });
        assert_eq!((found, asked), (Found::Lines(lines(1..1201)), 1));
    }

    #[test]
    fn any_other_query_is_asked_as_it_is() {
        let asked = std::cell::Cell::new(0);
        let found = find(Query::Mail(crate::core::record::AccountId(1)), |_| {
            asked.set(asked.get() + 1);
            Found::Lines(lines(1..301))
        });
        assert_eq!((found, asked.get()), (Found::Lines(lines(1..301)), 1));
    }
}
