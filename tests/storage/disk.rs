//! The disk that fails, or that remembers: disk.c, loaded before a program's own libraries.

use crate::harness::{Folder, skip};
use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The library, built once by the C compiler; `None` where there is none, and then the test is skipped.
fn library() -> Option<&'static Path> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    let build = || {
        let name = format!("disk-{}.so", std::process::id());
        let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/storage/disk.c");
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o"])
            .arg(&library)
            .args([source, "-ldl", "-lpthread"])
            .output()
            .ok()?;
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        Some(library)
    };
    let library = BUILT.get_or_init(build).as_deref();
    if library.is_none() {
        skip("cc, which builds the disk that fails");
    }
    library
}

/// Has the program keep its files, which are in `folder`, on such a disk. `DISK_TRACE` and the others
/// say what it is to do: see disk.c.
pub fn on_disk(mut command: Command, folder: &Folder, does: &[(&str, &str)]) -> Option<Command> {
    command.env("LD_PRELOAD", library()?);
    let path = folder.path("");
    command.env("DISK_FOLDER", path.to_str().unwrap().trim_end_matches('/'));
    command.envs(does.iter().copied());
    Some(command)
}
