//! Asks a person whether a server is the one that they mean. Runs on `main`, before the chat has the
//! terminal.

use super::{fingerprint::Fingerprint, trust::Trust};
use crate::address::Address;
use std::io::{self, BufRead as _, IsTerminal as _, Read as _, stderr, stdin};

/// The longest answer, in bytes: a fingerprint has 102.
const ANSWER_MAX: u64 = 1024;

/// Whether somebody is there to be asked.
pub(crate) fn may_ask() -> bool {
    stdin().is_terminal() && stderr().is_terminal()
}

/// Asks whether to trust a certificate, and remembers it. Returns whether it is trusted now.
///
/// # Errors
/// A sentence that says why it cannot be remembered.
pub(crate) fn ask(
    trust: &Trust,
    server: &Address,
    why: &str,
    presented: &Fingerprint,
) -> Result<bool, String> {
    eprintln!("chat: the certificate of {server} is not trusted: {why}. Its fingerprint is");
    eprintln!("  {presented}");
    eprintln!("Ask the server's operator for the fingerprint, and compare.");
    loop {
        eprint!("Is it the same? yes, no, or the one that you were told: ");
        let answer = answer().unwrap_or_default(); // a terminal that is gone says no
        match (answer.trim(), Fingerprint::parse(&answer)) {
            ("yes", _) => break,
            ("no" | "", _) => return Ok(false),
            (_, Ok(told)) if told == *presented => break,
            (_, Ok(_)) => {
                eprintln!("chat: that is another one, so this may not be your server.");
                return Ok(false);
            }
            (_, Err(_)) => {}
        }
    }
    trust.accept(server, presented)?;
    eprintln!("chat: remembered in {}.", trust.file());
    Ok(true)
}

/// What was typed, with its end; nothing at the end of the input.
fn answer() -> io::Result<String> {
    let mut line = String::new();
    stdin().lock().take(ANSWER_MAX).read_line(&mut line)?;
    Ok(line)
}
