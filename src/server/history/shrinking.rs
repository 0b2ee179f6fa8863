//! `--history-max`: when the database has more than that, the oldest lines go, a piece at a time, and
//! the disk gets the space back. Without that option nothing is ever deleted for its size; above a
//! gibibyte the log and the administrators are asked whether that is meant. Runs on thread `historian`.

use crate::{
    server::number::size_shown,
    store::{LARGE, Size, Store, StoreError},
};
use std::time::Duration;

/// How often the log says what was deleted.
const TOLD_EVERY: Duration = Duration::from_hours(1);

/// What is deleted for the size.
pub(super) struct Shrinking {
    most: Option<u64>,
    /// Lines that were deleted, and are not told.
    deleted: usize,
    /// The uptime at which the log may say something again.
    next_told: Duration,
    has_news: bool,
}

impl Shrinking {
    pub(super) fn new(most: Option<u64>) -> Shrinking {
        Shrinking { most, deleted: 0, next_told: Duration::ZERO, has_news: false }
    }

    /// See [`Size::prepare`].
    pub(super) fn prepare(&self, store: &Store) {
        if self.most.is_none() || store.is_read_only() {
            return;
        }
        match Size::prepare(store) {
            Ok(true) => log::info!("the database is written anew, so that it can become smaller"),
            Ok(false) => {}
            Err(error) => log::warn!("the database will not become smaller: {error}"),
        }
    }

    /// Does one piece. Returns whether there may be more.
    pub(super) fn go_on(
        &mut self,
        store: &mut Store,
        uptime: Duration,
    ) -> Result<bool, StoreError> {
        let size = Size::of(store)?;
        let Some(most) = self.most else {
            self.warn(size, uptime);
            return Ok(false);
        };
        if size.used > most {
            let deleted = Size::delete_oldest(store)?;
            self.deleted += deleted;
            return Ok(deleted > 0);
        }
        if self.deleted > 0 && uptime >= self.next_told {
            log::info!(
                "deleted: the oldest {} lines, because the history may have {}",
                self.deleted,
                size_shown(most)
            );
            (self.deleted, self.has_news, self.next_told) = (0, true, uptime + TOLD_EVERY);
        }
        size.give_back(store)
    }

    pub(super) fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.has_news)
    }

    /// Once, when it has become large.
    fn warn(&mut self, size: Size, uptime: Duration) {
        if size.is_large() && self.next_told == Duration::ZERO {
            (self.has_news, self.next_told) = (true, uptime.max(TOLD_EVERY));
            log::warn!(
                "the database has more than {}. Nothing is deleted for that, unless --history-max or --history-days says so",
                size_shown(LARGE)
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::record::{Author, Change, LineId, Record};

    #[test]
    fn it_goes_on_until_the_file_is_small_enough_and_says_so_once() {
        let mut store = Store::in_memory().unwrap();
        let said = |id| {
            let (room, text) = ("lobby".to_owned(), format!("<alice> {}\n", "x".repeat(500)));
            let author = Author { name: "alice".to_owned(), account: None };
            let change = Change::RoomMessage { id: LineId(id), room, author, text };
            Record { at: jiff::Timestamp::UNIX_EPOCH, change }
        };
        store.append(&(1..2_000).map(said).collect::<Vec<_>>()).unwrap();
        let most = Size::of(&store).unwrap().used / 2;
        let mut shrinking = Shrinking::new(Some(most));
        while shrinking.go_on(&mut store, Duration::ZERO).unwrap() {
            assert!(!shrinking.take_news(), "it is not said of each piece");
        }
        assert!(Size::of(&store).unwrap().used <= most);
        assert!(shrinking.take_news());
        assert!(!shrinking.go_on(&mut store, 2 * TOLD_EVERY).unwrap());
        assert!(!shrinking.take_news());
    }

    #[test]
    fn a_large_file_is_news_once() {
        let mut shrinking = Shrinking::new(None);
        for (used, is_news) in [(LARGE, false), (LARGE + 1, true), (LARGE + 2, false)] {
            shrinking.warn(Size::with(used), Duration::ZERO);
            assert_eq!(shrinking.take_news(), is_news, "{used} bytes");
        }
    }
}
