//! A program of docs/, always as its source is now. With a name (`cargo test NAME`, `--test course`) cargo builds no
//! examples, and the program of before would be tested: so the test looks for itself, and builds what it is to test.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
};

/// Those that are known to be as their sources are. Held while one is built: two tests may want the same.
static FRESH: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// The path of an example, which is built first if it is older than its source. (Examples have no `CARGO_BIN_EXE_…`.)
#[track_caller]
pub fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().and_then(Path::parent).unwrap(); // target/debug
    let path = folder.join("examples").join(name).with_extension(std::env::consts::EXE_EXTENSION);
    let mut fresh = FRESH.lock().unwrap_or_else(PoisonError::into_inner);
    if !fresh.contains(name) {
        if !is_fresh(&path) {
            build(name, folder);
        }
        fresh.insert(name.to_owned());
    }
    path
}

/// Whether a program is newer than everything it was made of. Cargo writes that down beside it: `PROGRAM: FILE FILE …`.
fn is_fresh(program: &Path) -> bool {
    let changed = |file: &Path| fs::metadata(file).and_then(|about| about.modified());
    let Ok(built) = changed(program) else { return false };
    let Ok(made_of) = fs::read_to_string(program.with_extension("d")) else { return false };
    let files = made_of.trim_end().replace("\\ ", "\0"); // a blank in a name
    let files = files.split(' ').skip(1).map(|file| PathBuf::from(file.replace('\0', " ")));
    files.into_iter().all(|file| changed(&file).is_ok_and(|changed| changed < built))
}

/// With the profile, the features and the folder of this test.
#[track_caller]
fn build(name: &str, folder: &Path) {
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(profile) => profile,
    };
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo.args(["build", "--quiet", "--profile", profile, "--example", name]);
    cargo.arg("--target-dir").arg(folder.parent().unwrap());
    if cfg!(feature = "bench") {
        cargo.args(["--features", "bench"]);
    }
    let built = cargo.output().unwrap_or_else(|e| panic!("{name} cannot be built: {e}"));
    assert!(built.status.success(), "{name}: {}", String::from_utf8_lossy(&built.stderr));
}
