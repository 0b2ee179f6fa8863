//! A question before something is done that cannot be undone. Runs on thread `main`.

use anyhow::{Context as _, ensure};
use std::io::{BufRead as _, IsTerminal as _, Read as _, Write as _, stderr, stdin};

/// Bytes read of an answer: more than anybody types.
const ANSWER_MAX: u64 = 256;

/// Asks at the terminal. Elsewhere nobody can answer: then the command `said_so` is what says that it
/// is meant.
///
/// # Errors
/// It is not meant: `nothing` is done.
pub(crate) fn confirm(question: &str, nothing: &str, said_so: &str) -> anyhow::Result<()> {
    ensure!(stdin().is_terminal(), "{nothing} If it is meant: {said_so}");
    let mut out = stderr(); // standard output may be redirected
    let _ = write!(out, "{question} [y/N] ").and_then(|()| out.flush());
    let mut answer = Vec::new();
    stdin().lock().take(ANSWER_MAX).read_until(b'\n', &mut answer).context("cannot read it")?;
    let answer = String::from_utf8_lossy(&answer).trim().to_lowercase();
    ensure!(matches!(&*answer, "y" | "yes"), "{nothing}");
    Ok(())
}
