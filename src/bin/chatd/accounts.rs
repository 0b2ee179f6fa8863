//! `chatd account …`: lists accounts and changes them, also while a server runs on the same file.
//! Runs on thread `main`.

use crate::{
    database,
    forget::forget,
    import::{export, import},
    password::read_password,
    print::{print_line, zone},
};
use anyhow::{anyhow, bail, ensure};
use chatd::{
    core::{
        name::NameRule,
        notice::nearest,
        record::{Account, Change, PasswordHash},
        returning::TokenChange,
    },
    server::{
        auth::hash::Hasher,
        subcommands::{AccountAction, AccountCommand},
    },
    store::Store,
};
use jiff::Timestamp;
use std::path::Path;

/// Does what was asked. `path`: the database; `join`: how pupils join, if that is known.
pub(crate) fn run(command: &AccountCommand, path: &Path, join: Option<&str>) -> anyhow::Result<()> {
    ensure!(
        command.action == AccountAction::Forget || !command.yes,
        "--yes is for chatd account forget."
    );
    match (command.action, &command.names[..]) {
        (AccountAction::List, []) => list(path),
        (AccountAction::List, _) => {
            bail!("chatd account list lists all accounts: no name is needed.")
        }
        (AccountAction::Export, []) => export(path),
        (AccountAction::Export, _) => {
            bail!("chatd account export prints all accounts: no name is needed.")
        }
        (AccountAction::Import, []) => bail!("Which file? chatd account import class.csv"),
        (_, []) => bail!("Whose account? chatd account --help tells how it is written."),
        (AccountAction::Free, names) => free(path, names),
        (AccountAction::Import, [file]) => import(Path::new(file), path, join),
        (AccountAction::Import, [_, more, ..]) => bail!("One file at a time, and then {more}."),
        (_, [_, more, ..]) => bail!("One account at a time, and then {more}."),
        (AccountAction::Forget, [name]) => forget(name, command.yes, path),
        (AccountAction::Add, [name]) => add(path, name),
        (AccountAction::Passwd, [name]) => passwd(path, name),
        (AccountAction::Promote, [name]) => set_admin(path, name, true),
        (AccountAction::Demote, [name]) => set_admin(path, name, false),
        (AccountAction::Remove, [name]) => remove(path, name),
    }
}

fn list(path: &Path) -> anyhow::Result<()> {
    let accounts = database::accounts(&database::open(path)?)?;
    if accounts.is_empty() {
        print_line(&format!("There are no accounts in {}.", path.display()));
        return Ok(());
    }
    let zone = zone();
    print_line("NAME                  SINCE             MAIL");
    for Account { name, is_admin, since, mail, .. } in accounts {
        let since = since.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M");
        let administrator = if is_admin { "  administrator" } else { "" };
        print_line(&format!("{name:<20}  {since}  {mail:>4}{administrator}"));
    }
    Ok(())
}

/// The password is asked for before anything is made or changed.
fn add(path: &Path, name: &str) -> anyhow::Result<()> {
    NameRule::Ascii
        .check(name, "name")
        .or_else(|why| NameRule::Unicode.check(name, "name").map_err(|_| anyhow!(why)))?;
    let is_new = !path.exists();
    if !is_new {
        let accounts = database::accounts(&database::open(path)?)?;
        if let Some(account) = accounts.iter().find(|account| database::is_called(account, name)) {
            bail!("There is an account {} already.", account.name);
        }
    }
    let password = ask_for_password(name)?;
    database::open_or_create(path)?.add_account(name, password, Timestamp::now())?;
    database::write(path, Vec::new(), format!("made the account {name}"))?;
    if is_new {
        print_line(&format!("{} is new: there was no database.", path.display()));
    }
    print_line(&format!("{name} has an account now."));
    Ok(())
}

fn passwd(path: &Path, name: &str) -> anyhow::Result<()> {
    let account = find(&database::open(path)?, name)?;
    let password = ask_for_password(&account.name)?;
    let did = format!("gave {} another password", account.name);
    let changed = Change::PasswordChanged(account.id, password);
    database::write(path, vec![changed, Change::Token(TokenChange::EndedOf(account.id))], did)?;
    print_line(&format!(
        "{} has another password now. Whoever is logged in is sent away.",
        account.name
    ));
    Ok(())
}

fn set_admin(path: &Path, name: &str, is_admin: bool) -> anyhow::Result<()> {
    let mut store = database::open(path)?;
    let account = find(&store, name)?;
    let name = &account.name;
    store.set_admin(account.id, is_admin)?;
    if account.is_admin != is_admin {
        let is = if is_admin { "an administrator" } else { "no administrator" };
        database::write(path, Vec::new(), format!("made {name} {is}"))?;
    }
    print_line(&match (account.is_admin, is_admin) {
        (false, true) => format!("{name} is an administrator now."),
        (true, false) => format!("{name} is no administrator any more."),
        (true, true) => format!("{name} is an administrator already."),
        (false, false) => format!("{name} is no administrator."),
    });
    if account.is_admin && !is_admin {
        warn_of_no_administrator(&store)?;
    }
    Ok(())
}

fn remove(path: &Path, name: &str) -> anyhow::Result<()> {
    let account = find(&database::open(path)?, name)?;
    let did = format!("deleted the account {}", account.name);
    database::write(path, vec![Change::Unregistered(account.id)], did)?;
    print_line(&format!("{} has no account any more.{}", account.name, mail(&account)));
    if account.is_admin {
        warn_of_no_administrator(&database::open(path)?)?;
    }
    Ok(())
}

/// Takes names from accounts whose owners do not ask for it. It is no way to lose an administrator.
fn free(path: &Path, names: &[String]) -> anyhow::Result<()> {
    let store = database::open(path)?;
    let found: Vec<Account> =
        names.iter().map(|name| find(&store, name)).collect::<anyhow::Result<_>>()?;
    drop(store);
    if let Some(Account { name, .. }) = found.iter().find(|account| account.is_admin) {
        bail!(
            "{name} is an administrator, so nothing is done. chatd account remove {name} deletes the account all the same."
        );
    }
    for account in found {
        let did = format!("freed the name {}", account.name);
        database::write(path, vec![Change::Unregistered(account.id)], did)?;
        print_line(&format!(
            "{} is free: it has no account any more.{}",
            account.name,
            mail(&account)
        ));
    }
    print_line("Whoever is here under such a name goes on as a guest, until they leave.");
    Ok(())
}

/// What becomes of an account's mail.
fn mail(account: &Account) -> String {
    match account.mail {
        0 => String::new(),
        1 => " 1 message that nobody had read is gone with it.".to_owned(),
        n => format!(" {n} messages that nobody had read are gone with it."),
    }
}

fn warn_of_no_administrator(store: &Store) -> anyhow::Result<()> {
    if !database::accounts(store)?.iter().any(|account| account.is_admin) {
        print_line(
            "That was the last administrator: nobody can kick or ban now. \
             Make one: chatd account promote NAME",
        );
    }
    Ok(())
}

fn ask_for_password(name: &str) -> anyhow::Result<PasswordHash> {
    let password = read_password(name)?;
    Hasher::default().hash(&password).map_err(|sentence| anyhow!(sentence))
}

fn find(store: &Store, name: &str) -> anyhow::Result<Account> {
    let mut accounts = database::accounts(store)?;
    if let Some(found) = accounts.iter().position(|account| database::is_called(account, name)) {
        return Ok(accounts.swap_remove(found));
    }
    let names = accounts.iter().map(|account| account.name.as_str());
    let hint = match nearest(&name.to_lowercase(), names, 2) {
        Some(near) => format!("Did you mean {near}?"),
        None => "chatd account list shows them all.".to_owned(),
    };
    bail!("There is no account {name}. {hint}")
}
