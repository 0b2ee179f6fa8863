//! The servers that are compared: chatd, the same chat on select and on epoll, and the floor.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::cli::target::Target;

/// Clients of one select: descriptors 0 to 1,023, less the 32 that chatd-select keeps for itself and the newcomers.
const SELECT_MOST: usize = 992;

/// A server that is compared.
pub struct Model {
    pub target: Target,
    /// The most clients it can have.
    pub most: usize,
}

/// The names of the models, in the order of all tables.
pub const NAMES: [&str; 4] = ["threads", "select", "epoll", "floor"];

/// The servers as they are built beside this program.
pub fn all() -> Result<Vec<Model>> {
    let this = std::env::current_exe()?;
    let chat = |program| Target::chat(&this.with_file_name(program));
    let targets = [
        chat("chatd"),
        chat("examples/chatd-select"),
        chat("examples/chatd-epoll"),
        Target::floor()?,
    ];
    let model = |(name, target): (&str, Target)| Model {
        most: if name == "select" { SELECT_MOST } else { usize::MAX },
        target: Target { name: name.into(), ..target },
    };
    Ok(NAMES.into_iter().zip(targets).map(model).collect())
}

/// Builds the servers as this program was built, so that none of them is missing or older than its source.
pub fn build() -> Result<()> {
    let this = std::env::current_exe()?;
    let profile = this.parent().context("this program lies in no folder")?;
    let target = profile.parent().context("this program was not built by cargo")?;
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let mut build = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    build.args([
        "build",
        "--quiet",
        "--bin",
        "chatd",
        "--example",
        "chatd-select",
        "--example",
        "chatd-epoll",
    ]);
    build.args(if profile.ends_with("release") { &["--release"][..] } else { &[] });
    build.arg("--manifest-path").arg(source).arg("--target-dir").arg(target);
    eprintln!("building chatd, chatd-select and chatd-epoll");
    let by_hand = "build them with `cargo build --release --bins --examples`, and give --built";
    let status = build.status().with_context(|| format!("cannot run cargo: {by_hand}"))?;
    ensure!(status.success(), "cargo could not build the servers: {by_hand}");
    Ok(())
}
