//! The files of a database: what they are called, who may read them, and which of them is which.
//! Runs on the caller's thread. Blocks on the disk; knows no SQLite.

use std::{
    fs::{self, File, OpenOptions},
    path::{Path, PathBuf},
};

/// A file that belongs to the database: `chatd.db-wal`, `chatd.db.lock`.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Makes an empty file that only its owner can read: it will hold what was said in private.
pub(super) fn create_private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// The names in the file's folder are on the disk when this returns.
pub(super) fn sync_folder(file: &Path) -> std::io::Result<()> {
    #[cfg(unix)] // elsewhere a folder cannot be opened
    File::open(file.canonicalize()?.parent().unwrap_or(Path::new("/")))?.sync_all()?;
    let _ = file;
    Ok(())
}

/// Which file it is, whatever its name; `None`: there is none.
pub(crate) type Identity = Option<(u64, u64)>;

#[cfg(unix)]
pub(super) fn identity(path: &Path) -> Identity {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

/// Outside Unix nobody can delete a file that is open.
#[cfg(not(unix))]
pub(super) fn identity(path: &Path) -> Identity {
    fs::metadata(path).ok().map(|_| (0, 0))
}

/// Whether this process may make files only so large (`ulimit -f`). Then SQLite reports that a file
/// cannot grow as it reports a broken disk.
#[cfg(unix)]
pub(super) fn is_size_limited() -> bool {
    use rustix::process::{Resource, getrlimit};
    getrlimit(Resource::Fsize).current.is_some()
}

/// Outside Unix there is no such limit.
#[cfg(not(unix))]
pub(super) fn is_size_limited() -> bool {
    false
}
