//! `chatd ban …`: lists bans and mutes, bans and lifts bans, also while a server runs on the same
//! file. It understands what `/ban` in the chat understands. Runs on thread `main`.

use crate::{
    database::{self, OPERATOR},
    print::{print_line, zone},
};
use anyhow::{anyhow, bail, ensure};
use chatd::{
    core::{
        address::ClientAddress,
        length_of_time,
        name::NameRule,
        record::{Change, Sanction, SanctionKind, Snapshot, Target},
        wire::sanitize::sanitize,
    },
    server::subcommands::{BanAction, BanCommand},
};
use jiff::{Timestamp, tz::TimeZone};
use std::path::Path;

/// The most bans and mutes: a server has no room for more.
const SANCTIONS_MAX: usize = 1_000;
/// The longest reason, in bytes: what a line of the chat can have.
const REASON_MAX: usize = 1_000;

/// Does what was asked. `path`: the database.
pub(crate) fn run(command: &BanCommand, path: &Path) -> anyhow::Result<()> {
    match (command.action, &command.words[..]) {
        (BanAction::List, []) => list(path),
        (BanAction::List, _) => bail!("chatd ban list lists all bans: no name is needed."),
        (_, []) => bail!("Whom? chatd ban --help tells how it is written."),
        (BanAction::Add, [who, terms @ ..]) => add(path, who, &terms.join(" ")),
        (BanAction::Lift, [who]) => lift(path, who),
        (BanAction::Lift, _) => bail!("chatd ban lift takes one name or one address."),
    }
}

fn list(path: &Path) -> anyhow::Result<()> {
    let mut sanctions = snapshot(path)?.sanctions;
    if sanctions.is_empty() {
        print_line("Nobody is banned or muted.");
        return Ok(());
    }
    sanctions.sort_by(|a, b| (a.kind, &a.target).cmp(&(b.kind, &b.target)));
    let zone = zone();
    print_line("WHO                        UNTIL             BY                    WHY");
    for Sanction { kind, target, until, by, why } in sanctions {
        let until = until.map_or_else(|| "for ever".to_owned(), |until| time(until, &zone));
        let muted = if kind == SanctionKind::Mute { "(muted) " } else { "" };
        let why = why.unwrap_or_default();
        let row = format!("{:<25}  {until:<16}  {by:<20}  {muted}{why}", shown(&target));
        print_line(row.trim_end());
    }
    Ok(())
}

fn add(path: &Path, who: &str, terms: &str) -> anyhow::Result<()> {
    let snapshot = snapshot(path)?;
    let target = target(&snapshot, who)?;
    let whom = shown(&target).to_owned();
    let account = snapshot.accounts.iter().find(|account| is_same(&account.name, &whom));
    let is_name = matches!(target, Target::Name(_));
    if is_name && account.is_some_and(|account| account.is_admin) {
        bail!(
            "{whom} is an administrator, and administrators are not banned. chatd account demote {whom}"
        );
    }
    let command = format!("chatd ban add {whom}");
    let (lasts, why) =
        length_of_time::before_a_reason(terms, &command).map_err(anyhow::Error::msg)?;
    let why = Some(sanitize(why.trim()).into_owned()).filter(|why| !why.is_empty());
    ensure!(
        why.as_ref().is_none_or(|why| why.len() <= REASON_MAX),
        "The reason has more than {REASON_MAX} bytes."
    );
    let is_old = |sanction: &Sanction| is_ban_of(sanction, &target);
    ensure!(
        snapshot.sanctions.len() < SANCTIONS_MAX || snapshot.sanctions.iter().any(is_old),
        "There are {SANCTIONS_MAX} bans and mutes, which is the most. chatd ban lift makes room."
    );
    let zone = zone();
    let until = lasts.and_then(|lasts| Timestamp::now().checked_add(lasts).ok());
    let end = until
        .map_or_else(|| " for ever".to_owned(), |until| format!(" until {}", time(until, &zone)));
    let reason = why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    let (kind, by) = (SanctionKind::Ban, OPERATOR.to_owned());
    let change = Change::Sanctioned(Sanction { kind, target, until, by, why });
    database::write(path, vec![change], format!("banned {whom}{end}{reason}"))?;
    print_line(&format!("{whom} is banned{end}{reason}"));
    if is_name && account.is_none() {
        print_line(&format!(
            "{whom} has no account, and can come again under another name, unless you ban their address."
        ));
    }
    Ok(())
}

fn lift(path: &Path, who: &str) -> anyhow::Result<()> {
    let snapshot = snapshot(path)?;
    let target = target(&snapshot, who)?;
    let whom = shown(&target);
    let is_meant = |sanction: &&Sanction| is_ban_of(sanction, &target);
    let lifted: Vec<Change> = snapshot
        .sanctions
        .iter()
        .filter(is_meant)
        .map(|ban| Change::SanctionLifted(ban.kind, ban.target.clone()))
        .collect();
    ensure!(!lifted.is_empty(), "{whom} is not banned. chatd ban list tells who is.");
    database::write(path, lifted, format!("lifted: {whom} is banned no longer"))?;
    print_line(&format!("{whom} is banned no longer."));
    Ok(())
}

/// What the file has, without the sanctions that have ended.
fn snapshot(path: &Path) -> anyhow::Result<Snapshot> {
    let (mut snapshot, now) = (database::open(path)?.snapshot(0, 0)?, Timestamp::now());
    snapshot.sanctions.retain(|sanction| sanction.until.is_none_or(|until| until > now));
    Ok(snapshot)
}

/// Who is meant: an address, an account in its owner's spelling, or anybody of that name.
fn target(snapshot: &Snapshot, typed: &str) -> anyhow::Result<Target> {
    if let Some(address) = ClientAddress::meant(typed).map_err(anyhow::Error::msg)? {
        return Ok(Target::Address(address.to_string()));
    }
    let typed = typed.strip_prefix('@').unwrap_or(typed); // an administrator's name as it is shown
    if let Some(account) = snapshot.accounts.iter().find(|account| is_same(&account.name, typed)) {
        return Ok(Target::Name(account.name.clone()));
    }
    let name = NameRule::Ascii
        .check(typed, "name")
        .or_else(|why| NameRule::Unicode.check(typed, "name").map_err(|_| anyhow!(why)))?;
    Ok(Target::Name(name.shown().to_owned()))
}

fn is_ban_of(sanction: &Sanction, target: &Target) -> bool {
    let is_target = match (&sanction.target, target) {
        (Target::Name(a), Target::Name(b)) => is_same(a, b),
        (a, b) => a == b,
    };
    sanction.kind == SanctionKind::Ban && is_target
}

fn is_same(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}

fn shown(target: &Target) -> &str {
    match target {
        Target::Name(name) | Target::Address(name) => name,
    }
}

fn time(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
}
