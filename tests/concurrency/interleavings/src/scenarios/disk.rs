//! The disk fails for a while, as two talk and one asks what was said.

use super::{
    fanout::{departs, four_enter, says, start, talk},
    read::{Wire, text},
};
use crate::{
    core::{
        close_reason::CloseReason,
        record::{Found, LineId, Query},
    },
    model::{point, random, time},
    store::with_disk,
};
use shuttle::thread::spawn;
use std::time::Duration;

/// The historian tries again as often, and time passes at most three times.
const SECOND: Duration = Duration::from_secs(1);

pub(super) fn run() {
    let failures = random(5);
    with_disk(|disk| (disk.failures, disk.is_broken) = (failures, random(2) == 0));
    let running = start::<()>();
    let (handles, peers) = four_enter(&running.events);
    let talking: Vec<_> = handles[..2]
        .iter()
        .map(|handle| {
            let (handle, events) = (handle.clone(), running.events.clone());
            spawn(move || {
                let said: Vec<_> = (0..3).map(|i| says(&handle, &events, &i.to_string())).collect();
                departs(&handle, &events, CloseReason::Closed);
                said
            })
        })
        .collect();
    let [_, _, listener, asker] = <[_; 4]>::try_from(peers).ok().unwrap();
    let asking = spawn({
        let reader = running.reader.clone();
        move || {
            let shown = String::from_utf8_lossy(&asker.read()).into_owned();
            [true, false].map(|is_search| (shown.clone(), reader.find(question(is_search))))
        }
    });
    let clock = spawn(|| {
        for _ in 0..random(4) {
            (0..random(100)).for_each(|_| point());
            time::pass(SECOND);
        }
    });
    let said: Vec<Vec<String>> = talking.into_iter().map(|talks| talks.join().unwrap()).collect();
    clock.join().unwrap();
    // What was shown is found, on the disk or in what waits for it.
    for (shown, found) in asking.join().unwrap() {
        let whole = shown.rfind('\n').map_or("", |end| &shown[..end]);
        match found {
            Found::Lines(lines) => talk(whole).iter().for_each(|line| {
                assert!(
                    lines.iter().any(|found| found.text.trim_end() == *line),
                    "{line} is not found"
                )
            }),
            other => assert!(failures > 0, "{other:?}"),
        }
    }
    let loss = running.reader.loss();
    running.ends();
    drop(handles);
    let read = text(Wire::Plain, &listener.read_all());
    let read = talk(&read);
    let all: Vec<&str> = said.iter().flatten().map(|line| &**line).collect();
    assert!(read.len() == all.len() && all.iter().all(|line| read.contains(line)), "{read:?}");
    let written: Vec<String> = with_disk(|disk| {
        assert!(disk.lines.is_sorted_by(|a, b| a.id < b.id), "{:?}", disk.lines);
        disk.lines.iter().map(|line| line.text.trim_end().to_owned()).collect()
    });
    match loss().expect("the historian has ended") {
        Err(lost) => {
            assert!(failures > 1, "it could have been written at the end: {lost}");
            let mut rest = read.iter();
            assert!(written.iter().all(|line| rest.any(|other| other == line)), "{written:?}");
        }
        Ok(()) => assert_eq!(read, written),
    }
}

fn question(is_search: bool) -> Query {
    let (room, account, most) = ("lobby".to_owned(), None, 50);
    match is_search {
        true => Query::Search { room, account, words: "user*".to_owned(), most },
        false => Query::Older { room, account, before: LineId::MAX, since: None, most },
    }
}
