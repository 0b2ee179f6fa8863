//! One server for one file, whatever the file is called. Runs on the caller's thread.
//!
//! SQLite itself would let two servers write in turns. Then both would hand out the same numbers
//! for lines, and each would have accounts that the other does not know. And under two names of one
//! file (hard links) it would keep two logs, which damages the file.
//!
//! So a server holds two locks of its own: on a file beside the database, and on the database file
//! itself, which is the same under every name. The command line takes neither, because an
//! administrator is promoted while the server runs; but it has to use the name that the server uses.

use super::{StoreError, StoreErrorKind, file::beside};
use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

/// How long a server tries for a lock: a command that looks whether one runs has it for a moment, and
/// is no server.
const PATIENCE: Duration = Duration::from_millis(200);
/// How long it waits before it tries again.
const AGAIN: Duration = Duration::from_millis(1);

/// The locks of the one server for a file. Any thread may take them; they end when this is dropped,
/// or with its process.
#[derive(Debug)]
pub struct ServerLock {
    _beside: Option<File>,
    _itself: Option<File>,
}

impl ServerLock {
    /// Takes the locks for the database at `path`.
    ///
    /// # Errors
    /// Another server has one of them, or the file beside the database cannot be made.
    pub fn take(path: &Path) -> Result<ServerLock, StoreError> {
        let lock = lock_of(path);
        let cannot =
            |e: io::Error| StoreError::new(&lock, StoreErrorKind::CannotOpen(e.to_string()));
        let in_use = || StoreError::new(path, StoreErrorKind::InUse);
        let beside = match OpenOptions::new().write(true).create(true).truncate(false).open(&lock) {
            Ok(file) => file,
            // Nothing can be written here, so no other server can write, either.
            Err(e) if is_refused(e.kind()) && path.exists() => {
                return Ok(ServerLock { _beside: None, _itself: None });
            }
            Err(e) => return Err(cannot(e)),
        };
        if !take(&beside).map_err(cannot)? {
            return Err(in_use());
        }
        let itself = File::open(path).ok().filter(can_be_locked);
        if itself.as_ref().is_some_and(is_kept) {
            return Err(in_use());
        }
        Ok(ServerLock { _beside: Some(beside), _itself: itself })
    }

    /// Fails if another server has the file, under whatever name. It makes no file.
    pub(crate) fn check(path: &Path) -> Result<(), StoreError> {
        match File::open(path).is_ok_and(|file| can_be_locked(&file) && is_kept(&file)) {
            true => Err(StoreError::new(path, StoreErrorKind::InUse)),
            false => Ok(()),
        }
    }

    /// The process that has the locks for the database at `path`, as the kernel lists it; `None`, too,
    /// if the caller may not look into that process.
    #[cfg(target_os = "linux")]
    pub fn holder(path: &Path) -> Option<i32> {
        use std::os::linux::fs::MetadataExt as _;
        let place =
            |file: &Path| Some(std::fs::metadata(file).ok()?).map(|it| (it.st_dev(), it.st_ino()));
        let lock = place(&lock_of(path))?;
        let locks = std::fs::read_to_string("/proc/locks").ok()?;
        // 1: FLOCK  ADVISORY  WRITE 4711 fe:00:131090 0 EOF
        let processes = locks.lines().filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let [_, "FLOCK", _, _, process, place, ..] = fields[..] else { return None };
            place.ends_with(&format!(":{}", lock.1)).then(|| process.parse().ok())?
        });
        // Another disk may have a file of this number, and not every file system tells its device there.
        let has_it_open = |process: &i32| {
            let open = std::fs::read_dir(format!("/proc/{process}/fd")).ok();
            open.into_iter().flatten().flatten().any(|file| place(&file.path()) == Some(lock))
        };
        processes.into_iter().find(has_it_open)
    }

    /// Leaves a line in the file beside the database, in the place of what stood there: for a command
    /// that has asked the server something. To be called by whoever has the locks.
    #[cfg(target_os = "linux")]
    pub fn leave_word(path: &Path, line: &str) -> io::Result<()> {
        use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
        let mut options = OpenOptions::new();
        options.write(true).truncate(true);
        options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits() as i32); // nobody leads us elsewhere
        options.open(lock_of(path))?.write_all(format!("{line}\n").as_bytes())
    }

    /// The line that a server has left there last, if there is a whole one.
    #[cfg(target_os = "linux")]
    pub fn word_left(path: &Path) -> Option<String> {
        let text = std::fs::read_to_string(lock_of(path)).ok()?;
        text.split_once('\n').map(|(line, _)| line.to_owned())
    }

    /// Fails if a server has the file under another name.
    pub fn check_name(path: &Path) -> Result<(), StoreError> {
        let has_this_name = || File::open(lock_of(path)).is_ok_and(|lock| is_locked(&lock));
        match is_served(path) && !has_this_name() {
            true => Err(StoreError::new(path, StoreErrorKind::OtherName)),
            false => Ok(()),
        }
    }
}

/// Symbolic links of one file have one lock.
fn lock_of(path: &Path) -> PathBuf {
    beside(&path.canonicalize().unwrap_or_else(|_| path.to_owned()), ".lock")
}

fn is_served(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| is_taken(&file))
}

/// Whether another chatd has locked this file. If not, it is locked now, where that is possible.
pub(super) fn is_taken(file: &File) -> bool {
    can_be_locked(file) && is_locked(file)
}

/// Locks it, unless somebody keeps it locked; returns whether it is locked now.
fn take(file: &File) -> io::Result<bool> {
    let end = Instant::now() + PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::Error(e)) => return Err(e),
            Err(TryLockError::WouldBlock) if Instant::now() >= end => return Ok(false),
            Err(TryLockError::WouldBlock) => thread::sleep(AGAIN),
        }
    }
}

/// Whether somebody keeps it locked. If not, it is locked now, where that is possible.
fn is_kept(file: &File) -> bool {
    matches!(take(file), Ok(false))
}

/// Whether somebody else has locked it. If not, it is locked now.
fn is_locked(file: &File) -> bool {
    matches!(file.try_lock(), Err(TryLockError::WouldBlock))
}

fn is_refused(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem)
}

/// Whether a lock on the file itself is another one than those that SQLite takes. It is on Linux; but
/// on a disk of the network it would keep SQLite out.
#[cfg(target_os = "linux")]
fn can_be_locked(file: &File) -> bool {
    /// NFS, SMB (two of them), and Plan 9's, as `statfs` numbers them.
    const OF_THE_NETWORK: [u32; 4] = [0x6969, 0xff53_4d42, 0xfe53_4d42, 0x0102_1997];
    rustix::fs::fstatfs(file).is_ok_and(|found| !OF_THE_NETWORK.contains(&(found.f_type as u32)))
}

#[cfg(not(target_os = "linux"))]
fn can_be_locked(_file: &File) -> bool {
    false
}
