//! Options: as words of the command line, as chatd's file of options, as chat's file of settings. The
//! first byte says as what the rest is taken.
//!
//! What is wrong is told with the file and its line. What holds is told again as a file that says the
//! same.

#![no_main]

#[macro_use]
#[path = "../common/files_of_chat.rs"]
mod files_of_chat;

files_of_chat! {
    address: "../../../src/bin/chat/address.rs",
    commands: "../../../src/bin/chat/commands.rs",
    config: "../../../src/bin/chat/config.rs",
    fingerprint: "../../../src/bin/chat/tls/fingerprint.rs",
    secrets: "../../../src/bin/chat/secrets.rs",
    settings: "../../../src/bin/chat/settings.rs",
}

/// As `chat` has it.
mod tls {
    pub(crate) use crate::fingerprint::Fingerprint;
}

use argh::FromArgs as _;
use chatd::server::{config_file::Given, options::Options};
use libfuzzer_sys::fuzz_target;
use std::{fs, path::PathBuf, sync::LazyLock};

/// In memory: a file for each input.
static FILE: LazyLock<PathBuf> =
    LazyLock::new(|| PathBuf::from(format!("/dev/shm/chatd-fuzz-{}.toml", std::process::id())));

fuzz_target!(|data: &[u8]| {
    let Some((&kind, rest)) = data.split_first() else { return };
    match kind % 3 {
        0 => typed(rest),
        1 => file(rest),
        _ => settings(rest),
    }
});

/// Words, with a NUL or a line end in between.
fn typed(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let words: Vec<&str> = text.split(['\0', '\n']).collect();
    if let Ok(options) = Options::from_args(&["chatd"], &words) {
        if let Err(error) = options.check() {
            assert!(!format!("{error:#}").is_empty());
        }
        options.proxies();
        options.store_config();
        options.listen_on();
    }
}

fn given(bytes: &[u8]) -> anyhow::Result<Given> {
    fs::write(&*FILE, bytes)?;
    let words = ["--config", FILE.to_str().unwrap_or_default()];
    let options = Options::from_args(&["chatd"], &words).expect("they are words of ours");
    Given::read(options, words.map(str::to_owned).to_vec())
}

fn file(bytes: &[u8]) {
    match given(bytes) {
        Err(error) => {
            let sentence = format!("{error:#}");
            assert!(sentence.contains(&*FILE.to_string_lossy()), "{sentence}");
        }
        Ok(first) => {
            let said = first.describe();
            let again = given(said.as_bytes()).unwrap_or_else(|e| panic!("{e:#}\n{said}"));
            assert!(first.differences(&again).is_empty(), "{said}");
            let _ = first.options.check();
        }
    }
}

fn settings(bytes: &[u8]) {
    if fs::write(&*FILE, bytes).is_err() {
        return;
    }
    match config::load(Some(&*FILE), true) {
        Err(sentence) => assert!(sentence.contains(&*FILE.to_string_lossy()), "{sentence}"),
        Ok(settings) => {
            for row in settings.rows() {
                assert!(!row.contains('\n'), "{row:?}");
            }
            settings.aliases().for_each(|(name, text)| {
                settings.expand(&format!("/{name} x"));
                assert!(text.starts_with('/') || !text.is_empty());
            });
        }
    }
}
