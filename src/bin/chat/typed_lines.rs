//! Files of what was typed and shown: the typed lines that are kept between runs, and the log.

use crate::secrets;
use etcetera::BaseStrategy as _;
use std::{
    fs::{self, File},
    io,
    path::PathBuf,
};

/// Typed lines that are remembered across runs.
pub(crate) const LINES_MAX: usize = 1000;

/// In the platform's folder for data, readable by its owner alone (rustyline sees to that).
pub(crate) fn file() -> Option<PathBuf> {
    let folder = etcetera::base_strategy::choose_native_strategy().ok()?.data_dir().join("chatd");
    fs::create_dir_all(&folder).ok()?;
    Some(folder.join("chat-history"))
}

/// The file that `/log` adds to, readable by its owner alone if it is new. `~/` is the home folder.
///
/// # Errors
/// The file cannot be made or written.
pub(crate) fn open_log(name: &str) -> io::Result<File> {
    let path = match name.strip_prefix("~/") {
        Some(rest) => etcetera::home_dir().map_err(io::Error::other)?.join(rest),
        None => PathBuf::from(name),
    };
    let mut options = File::options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.append(true).create(true).open(path)
}

/// Whether a line is to be remembered: no password, and not nothing.
pub(crate) fn is_worth_it(line: &str) -> bool {
    !line.trim().is_empty() && !secrets::carries_secret(line)
}
