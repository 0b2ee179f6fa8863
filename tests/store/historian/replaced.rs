//! The file is deleted, moved or replaced while a historian has it open: what is missing then, and what is said of it.

use super::*;

#[test]
fn a_file_that_is_deleted_is_begun_anew() {
    let folder = Folder::new();
    let running = Running::start(&config(&folder));
    assert_eq!(running.commits(&[registered(1, "bob"), hi(1)]), [Ok(())]);
    fs::remove_file(folder.database()).unwrap();
    assert_eq!(running.cannot_commit(&[hi(2)]).0, "its file was deleted.");
    assert_eq!(running.hears_of_accounts(), [""; 0]);
    running.recovers(Some((Timestamp::MIN, at(2)))); // all that was said before is gone
    assert_eq!(running.lobby(), all(2..=2));
    running.ends();
}

#[test]
fn another_file_in_its_place_is_not_mixed_with_it() {
    // What the other file has: the number and the time of its last line; and what is missing then.
    for (last, said_at, missing_from) in [
        (1, 1, at(1)),              // a copy from before
        (150, 150, at(150)),        // the same
        (500, 500, Timestamp::MIN), // a file that others wrote
        (200, 500, Timestamp::MIN),
        (0, 0, Timestamp::MIN), // an empty one
    ] {
        let (folder, other) = (Folder::new(), Folder::new());
        let mut store = other.open();
        write(&mut store, [registered(1, "carol")]);
        write(
            &mut store,
            (last > 0).then(|| Record { at: at(said_at), ..said(last, "lobby", "other") }),
        );
        store.close().unwrap();
        let running = Running::start(&config(&folder));
        let many: Vec<Record> = (2..=200).map(hi).collect();
        assert_eq!(running.commits(&many), NONE);
        fs::rename(other.database(), folder.database()).unwrap(); // and the log of the old one still lies there
        running.hears_of_an_outage();
        assert_eq!(running.commits(&[hi(201), hi(202)]), NONE);
        assert_eq!(running.hears_of_accounts(), ["carol"]);
        let HistorianEvent::Recovered { gap: Some((from, _)) } = running.hears() else { panic!() };
        assert_eq!(from, missing_from, "{last}");
        assert_eq!(running.commits(&[hi(1000)]), NONE);
        let mut expected =
            vec!["<alice> other", "<alice> hi 201", "<alice> hi 202", "<alice> hi 1000"];
        expected.drain(..usize::from(last == 0));
        assert_eq!(running.lobby(), expected, "{last}: nothing is swallowed");
        running.ends();
        folder.open();
    }
}

/// It was moved away and back, or its copy was put in its place: nothing is missing.
#[test]
fn the_same_file_or_its_copy_in_its_place_has_everything() {
    for is_copied in [false, true] {
        let folder = Folder::new();
        let running = Running::start(&config(&folder));
        assert_eq!(running.commits(&[registered(1, "bob"), hi(1)]), [Ok(())]);
        folder.sqlite().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        let (file, away) = (folder.database(), folder.join("away.db"));
        if is_copied {
            fs::copy(&file, &away).unwrap();
            fs::rename(&away, &file).unwrap();
        } else {
            fs::rename(&file, &away).unwrap();
        }
        running
            .cannot_commit(&[hi(2), record(2, Change::Audit { by: "a".into(), what: "b".into() })]);
        if !is_copied {
            fs::rename(&away, &file).unwrap();
        }
        let event = loop {
            match running.hears() {
                HistorianEvent::Changed(_) => {}
                event => break event,
            }
        };
        // Unless the test was so slow that a new file was begun where there was none, and replaced.
        if is_copied || event == (HistorianEvent::Recovered { gap: None }) {
            assert_eq!(event, HistorianEvent::Recovered { gap: None });
            assert_eq!(running.lobby(), all(1..=2));
            let count: i64 = folder
                .sqlite()
                .query_row("SELECT count(*) FROM audit", [], |row| row.get(0))
                .unwrap();
            assert_eq!(count, 1);
        }
        running.ends();
    }
}
