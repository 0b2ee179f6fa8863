//! `chatd config check` and `chatd config show`; and what SIGHUP does: the options are read again
//! while the server runs.

use super::{
    print::{print_error, print_line},
    upgrade::is_taking_over,
};
use anyhow::Context as _;
use chatd::server::{
    Chatd,
    config_file::Given,
    subcommands::{ConfigAction, ConfigCommand},
};
use std::{
    thread,
    time::{Duration, Instant},
};

/// How long a program that takes over tries to read its files, and how often.
const PATIENCE: Duration = Duration::from_secs(3);
const AGAIN: Duration = Duration::from_millis(100);
const LOG: &str = "log";
/// What changes while the server runs. The rest holds after a restart.
const AT_ONCE: [&str; 5] = ["motd", "flood", LOG, "tls-cert", "tls-key"];

pub(crate) fn run(command: &ConfigCommand, given: &Given) -> anyhow::Result<()> {
    match command.action {
        ConfigAction::Check => check(given),
        ConfigAction::Show => {
            print_line(given.describe().trim_end());
            Ok(())
        }
    }
}

/// What was typed, and what the file says. A program that takes over in an upgrade has found all of it
/// good a moment ago, in its rehearsal. If somebody is just changing one of the files, that is waited
/// for: whoever is connected would be hung up otherwise.
pub(crate) fn given() -> anyhow::Result<Given> {
    let (end, mut is_told) = (Instant::now() + PATIENCE, false);
    loop {
        let given = Given::from_command_line();
        if !is_taking_over() {
            return given;
        }
        let error = match given.and_then(|given| look_into(&given).map(|_| given)) {
            Err(error) if Instant::now() < end => error,
            given => return given,
        };
        if !std::mem::replace(&mut is_told, true) {
            print_error(&format!("{error:#} It is tried again for {PATIENCE:?}."));
        }
        thread::sleep(AGAIN);
    }
}

/// Reads whatever can be known before a server starts. Returns warnings.
fn look_into(given: &Given) -> anyhow::Result<Vec<String>> {
    let mut options = given.options.clone();
    options.command = None;
    options.check()?;
    options.session_config()?; // it reads the message of the day
    let certificate = options.tls_files().map(|files| files.read()).transpose()?;
    Ok(certificate.map_or(Vec::new(), |certificate| certificate.warnings))
}

fn check(given: &Given) -> anyhow::Result<()> {
    let file = given.options.config_file();
    let file = file.context("No file is given: chatd --config FILE config check looks at one.")?;
    look_into(given)?.iter().for_each(|warning| print_error(warning));
    let options = match given.settings.len() {
        1 => "1 option".to_owned(),
        count => format!("{count} options"),
    };
    print_line(&format!("{} is fine: it sets {options}.", file.display()));
    Ok(())
}

/// Reads the file again, and logs what that changes. If anything in it is wrong, nothing changes.
pub(crate) fn reload(before: Given, chatd: &Chatd) -> Given {
    let read = before.read_again().and_then(|now| {
        now.options.check()?;
        let changed = chatd.reload(&now.options)?;
        Ok((now, changed))
    });
    let (now, mut changed) = match read {
        Ok(read) => read,
        Err(error) => {
            log::error!(event = "options_wrong"; "the options were not read again, and are as before: {error:#}");
            return before;
        }
    };
    let in_file = now.differences(&before);
    changed.extend(in_file.contains(&LOG).then_some(LOG));
    log::set_max_level(now.options.log);
    let later: Vec<&str> = in_file.into_iter().filter(|it| !AT_ONCE.contains(it)).collect();
    log::info!(event = "options_read"; "the options were read again: {}", describe(&changed, &later));
    now
}

fn describe(changed: &[&str], later: &[&str]) -> String {
    let list = |names: &[&str]| names.join(", ");
    match (changed, later) {
        ([], []) => "nothing has changed".to_owned(),
        (_, []) => format!("changed: {}", list(changed)),
        ([], _) => format!("after a restart: {}", list(later)),
        _ => format!("changed: {}; after a restart: {}", list(changed), list(later)),
    }
}
