//! The historian, called by the test: what it does while another program has the file locked.

use super::*;
use crate::{
    core::record::{Author, Change},
    server::clock::Clock,
};
use jiff::Timestamp;

/// A folder of this test's own, deleted at its end.
struct Folder(std::path::PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn tidying_up_does_not_wait_for_another_program() {
    let folder =
        Folder(std::env::temp_dir().join(format!("chatd-historian-{}", std::process::id())));
    std::fs::create_dir_all(&folder.0).unwrap();
    let file = folder.0.join("chatd.db");
    let config = StoreConfig { file: Some(file.clone()), ..StoreConfig::default() };
    let (_, _handle, _reader, mut historian) = open(&config, Clock::system()).unwrap();
    let author = Author { name: "alice".to_owned(), account: None };
    let change = Change::RoomMessage {
        id: LineId(1),
        room: "lobby".to_owned(),
        author,
        text: "<alice> not indexed yet\n".to_owned(),
    };
    historian.commit(&[Record { at: Timestamp::now(), change }]);
    let other = rusqlite::Connection::open(&file).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();

    let began = Instant::now();
    let locked = historian.tidy_up().unwrap_err();
    let took = began.elapsed();
    assert_eq!(locked.kind, StoreErrorKind::Locked);
    assert!(
        took < PATIENCE,
        "a line that is said meanwhile waits for {took:?} before its own wait"
    );
    historian.look_around();
    assert!(historian.outage.is_none(), "nothing had to be written");

    other.execute_batch("ROLLBACK").unwrap();
    historian.tidy_up().unwrap();
    assert_eq!(historian.store.as_mut().unwrap().index_some(1).unwrap(), 0, "all is indexed");
}
