//! A library in C that is loaded before a program's own libraries (LD_PRELOAD): it stands between the program and the
//! system, and has calls fail.

use super::skip;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
};

/// Those that are built, by their sources; `None`: there is no compiler.
static BUILT: Mutex<BTreeMap<&str, Option<PathBuf>>> = Mutex::new(BTreeMap::new());

/// The library of this source, whose path begins at the root; built once by each test binary. `None`: there is no C
/// compiler here, and the test is skipped.
pub fn preload(source: &'static str) -> Option<PathBuf> {
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let library = built.entry(source).or_insert_with(|| build(source)).clone();
    if library.is_none() {
        skip(&format!("cc, which builds {source}"));
    }
    library
}

fn build(source: &str) -> Option<PathBuf> {
    let name = Path::new(source).file_stem()?.to_str()?;
    let library = format!("{name}-{}.so", std::process::id());
    let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join(library);
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o"])
        .arg(&library)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(source))
        .args(["-ldl", "-lpthread"])
        .output()
        .ok()?;
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    Some(library)
}
