//! A file in memory, of which each schedule has one. It keeps what is said, and may fail.

use crate::{
    core::record::{Change, Found, HistoryLine, LineId, Outcome, Query, Record, Snapshot},
    model::{point, random},
};
use jiff::Timestamp;
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

pub(crate) const INDEX_CHUNK: usize = 1;

pub(crate) type Identity = Option<(u64, u64)>;

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Durability;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoreError {
    pub(crate) path: PathBuf,
    pub(crate) kind: StoreErrorKind,
}

/// Those of them that the historian names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StoreErrorKind {
    CannotOpen(String),
    InUse,
    AnotherPrograms,
    CannotCopy { copy: PathBuf, why: String },
    ReadOnly,
    Locked,
    DiskFull,
    DiskFault,
    Other(String),
}

impl StoreErrorKind {
    pub(crate) fn brief(&self) -> &'static str {
        "the disk fails."
    }
}

impl std::error::Error for StoreError {}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.kind)
    }
}

pub(crate) struct ServerLock;

impl ServerLock {
    pub(crate) fn check(_file: &Path) -> Result<(), StoreError> {
        Ok(())
    }

    pub(crate) fn take(_file: &Path) -> Result<ServerLock, StoreError> {
        Ok(ServerLock)
    }
}

/// What is on the disk.
#[derive(Default)]
pub(crate) struct Disk {
    pub(crate) lines: Vec<HistoryLine>,
    /// How many of them are indexed.
    indexed: usize,
    /// How many writes are yet to fail, at random, and how.
    pub(crate) failures: usize,
    pub(crate) is_broken: bool,
    /// How many have it open.
    pub(crate) users: usize,
}

static DISK: Mutex<Option<Disk>> = Mutex::new(None);

/// An empty one, at the beginning of each schedule. (The one before may have failed with it.)
pub(crate) fn reset() {
    *DISK.lock().unwrap_or_else(PoisonError::into_inner) = None;
    DISK.clear_poison();
}

/// Calls this with the disk. Nobody else goes on meanwhile.
pub(crate) fn with_disk<R>(act: impl FnOnce(&mut Disk) -> R) -> R {
    act(DISK.lock().unwrap().get_or_insert_default())
}

pub(crate) struct Store(());

fn error(kind: StoreErrorKind) -> StoreError {
    StoreError { path: PathBuf::from("chatd.db"), kind }
}

/// A write. Others go on before it and behind it.
fn write<T>(write: impl FnOnce(&mut Disk) -> T) -> Result<T, StoreError> {
    point();
    let written = with_disk(|disk| {
        if disk.failures == 0 || random(2) == 0 {
            return Ok(write(disk));
        }
        disk.failures -= 1;
        Err(error(match disk.is_broken {
            true => StoreErrorKind::DiskFault,
            false => StoreErrorKind::DiskFull,
        }))
    });
    point();
    written
}

impl Store {
    pub(crate) fn open_unless(
        _file: &Path,
        _durability: Durability,
        _patience: Duration,
        _gives_up: impl FnMut() -> bool + Send + 'static,
    ) -> Result<Store, StoreError> {
        with_disk(|disk| disk.users += 1);
        Ok(Store(()))
    }

    pub(crate) fn in_memory() -> Result<Store, StoreError> {
        unreachable!("there is a file")
    }

    pub(crate) fn append(&mut self, records: &[Record]) -> Result<Vec<Outcome>, StoreError> {
        write(|disk| {
            for record in records {
                let Change::RoomMessage { id, text, .. } = &record.change else { continue };
                for (id, line) in (id.0..).zip(text.split_inclusive('\n')) {
                    crate::scenarios::note_written(line.trim_end());
                    let (id, text) = (LineId(id), line.to_owned());
                    disk.lines.push(HistoryLine { id, at: record.at, text });
                }
            }
            records.iter().filter(|record| record.change.may_fail()).map(|_| Ok(())).collect()
        })
    }

    pub(crate) fn try_to_write(&mut self) -> Result<(), StoreError> {
        write(|_| ())
    }

    pub(crate) fn index_some(&mut self, most: usize) -> Result<usize, StoreError> {
        write(|disk| {
            let some = most.min(disk.lines.len() - disk.indexed);
            disk.indexed += some;
            some
        })
    }

    /// All lines; to a search, those that are indexed.
    pub(crate) fn find(&mut self, query: &Query) -> Result<Found, StoreError> {
        point();
        Ok(with_disk(|disk| match query {
            Query::Password(_) => Found::Password(None),
            Query::Search { .. } => Found::Lines(disk.lines[..disk.indexed].to_vec()),
            _ => Found::Lines(disk.lines.clone()),
        }))
    }

    pub(crate) fn snapshot(&self, _rooms: usize, _lines: usize) -> Result<Snapshot, StoreError> {
        Ok(Snapshot { last_line: self.last_line()?, ..Snapshot::default() })
    }

    pub(crate) fn last_line(&self) -> Result<LineId, StoreError> {
        Ok(with_disk(|disk| disk.lines.last().map_or(LineId(0), |line| line.id)))
    }

    pub(crate) fn newest(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(with_disk(|disk| disk.lines.last().map(|line| line.at)))
    }

    pub(crate) fn has_line(&self, id: LineId, _at: Timestamp) -> Result<bool, StoreError> {
        Ok(with_disk(|disk| disk.lines.iter().any(|line| line.id == id)))
    }

    pub(crate) fn is_indexed(&self, last: LineId) -> Result<bool, StoreError> {
        Ok(with_disk(|disk| disk.lines[disk.indexed..].iter().all(|line| line.id > last)))
    }

    pub(crate) fn changed_by_others(&mut self) -> Result<bool, StoreError> {
        Ok(false)
    }

    pub(crate) fn without_waiting<T>(
        &mut self,
        work: impl FnOnce(&mut Store) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        work(self)
    }

    /// It may fail as a write may.
    pub(crate) fn set_patience(&mut self, _patience: Duration) -> Result<(), StoreError> {
        write(|_| ())
    }

    pub(crate) fn identity(&self) -> Identity {
        Some((1, 1))
    }

    pub(crate) fn can_be_read(&mut self) -> bool {
        true
    }

    pub(crate) fn is_read_only(&self) -> bool {
        false
    }

    pub(crate) fn read_only_error(&self) -> StoreError {
        error(StoreErrorKind::ReadOnly)
    }

    pub(crate) fn close(self) -> Result<(), StoreError> {
        Ok(())
    }

    pub(crate) fn abandon(self) {}
}

impl Drop for Store {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            with_disk(|disk| disk.users -= 1);
        }
    }
}
