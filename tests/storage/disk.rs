//! The disk that fails, or that remembers: disk.c, loaded before a program's own libraries.

use crate::harness::{Folder, preload::preload};
use std::process::Command;

/// Has the program keep its files, which are in `folder`, on such a disk. `DISK_TRACE` and the others
/// say what it is to do: see disk.c.
pub fn on_disk(mut command: Command, folder: &Folder, does: &[(&str, &str)]) -> Option<Command> {
    command.env("LD_PRELOAD", preload("tests/storage/disk.c")?);
    let path = folder.path("");
    command.env("DISK_FOLDER", path.to_str().unwrap().trim_end_matches('/'));
    command.envs(does.iter().copied());
    Some(command)
}
