//! The lines that were typed, kept between runs: where, how many, and which.

use crate::secrets;
use etcetera::BaseStrategy as _;
use std::{fs, path::PathBuf};

/// Typed lines that are remembered across runs.
pub(crate) const LINES_MAX: usize = 1000;

/// In the platform's folder for data, readable by its owner alone (rustyline sees to that).
pub(crate) fn file() -> Option<PathBuf> {
    let folder = etcetera::base_strategy::choose_native_strategy().ok()?.data_dir().join("chatd");
    fs::create_dir_all(&folder).ok()?;
    Some(folder.join("chat-history"))
}

/// Whether a line is to be remembered: no password, and not nothing.
pub(crate) fn is_worth_it(line: &str) -> bool {
    !line.trim().is_empty() && !secrets::carries_secret(line)
}
