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

/// The most files of a folder that are looked at.
const FILES_MAX: usize = 10_000;

/// The platform's folder for our data.
pub(crate) fn folder() -> Option<PathBuf> {
    Some(etcetera::base_strategy::choose_native_strategy().ok()?.data_dir().join("chatd"))
}

/// Readable by its owner alone (rustyline sees to that).
pub(crate) fn file() -> Option<PathBuf> {
    let folder = folder()?;
    fs::create_dir_all(&folder).ok()?;
    Some(folder.join("chat-history"))
}

/// `~/` is the home folder.
fn path(name: &str) -> io::Result<PathBuf> {
    Ok(match name.strip_prefix("~/") {
        Some(rest) => etcetera::home_dir().map_err(io::Error::other)?.join(rest),
        None => PathBuf::from(name),
    })
}

/// Paths that begin so, folders with a `/` at their end; hidden files only if they are asked for.
pub(crate) fn files_like(typed: &str) -> Vec<String> {
    let (folder, start) = typed.split_at(typed.rfind('/').map_or(0, |at| at + 1));
    let place = path(if folder.is_empty() { "./" } else { folder });
    let entries = place.and_then(fs::read_dir).into_iter().flatten().flatten();
    let mut found: Vec<String> = entries
        .take(FILES_MAX)
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let is_like =
                name.starts_with(start) && (start.starts_with('.') || !name.starts_with('.'));
            let is_shown = is_like && !name.contains(char::is_control);
            let end = if entry.path().is_dir() { "/" } else { "" };
            is_shown.then(|| format!("{folder}{name}{end}"))
        })
        .collect();
    found.sort();
    found
}

/// The file that `/log` adds to, readable by its owner alone if it is new. `~/` is the home folder.
///
/// # Errors
/// The file cannot be made or written.
pub(crate) fn open_log(name: &str) -> io::Result<File> {
    let mut options = File::options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.append(true).create(true).open(path(name)?)
}

/// Whether a line is to be remembered: no password, and not nothing.
pub(crate) fn is_worth_it(line: &str) -> bool {
    !line.trim().is_empty() && !secrets::carries_secret(line)
}
