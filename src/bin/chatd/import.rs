//! `chatd account import` and `export`: the accounts of a class. Runs on thread `main`.

use crate::{class_list, database, print::print_error};
use anyhow::{Context as _, anyhow, ensure};
use chatd::{
    core::{
        pairing_code::PairingCode,
        password::Password,
        record::{ACCOUNTS_MAX, Account, Change, PasswordHash},
    },
    server::auth::hash::Hasher,
};
use jiff::Timestamp;
use std::{
    collections::HashSet,
    fs::File,
    io::{Read as _, Write as _, stdout},
    path::Path,
    thread::{self, Builder},
};

/// The most bytes of a class list: more than 1,000 names and what stands beside them.
const FILE_MAX: u64 = 1024 * 1024;
/// Threads that hash at once: each needs 19 MiB.
const HASHING_MAX: usize = 4;

/// Makes an account for each name that has none, and prints a slip for its owner. `path`: the
/// database; `join`: how to join, if that is known.
pub(crate) fn import(file: &Path, path: &Path, join: Option<&str>) -> anyhow::Result<()> {
    let name = file.display().to_string();
    let mut bytes = Vec::new();
    let opened = File::open(file).and_then(|file| file.take(FILE_MAX + 1).read_to_end(&mut bytes));
    opened.with_context(|| format!("{name} cannot be read, and nothing is changed"))?;
    ensure!(bytes.len() as u64 <= FILE_MAX, "{name} is larger than 1 MiB, and no class list.");
    let names = class_list::names(&bytes, &name)?;

    let accounts = match path.exists() {
        true => database::accounts(&database::open(path)?)?,
        false => Vec::new(),
    };
    let there: HashSet<String> =
        accounts.iter().map(|account| account.name.to_lowercase()).collect();
    let (known, new): (Vec<_>, Vec<_>) =
        names.into_iter().partition(|name| there.contains(&name.to_lowercase()));
    ensure!(
        there.len() + new.len() <= ACCOUNTS_MAX,
        "That would be more than {ACCOUNTS_MAX} accounts, and nothing is changed."
    );
    let slips = new.into_iter().map(Slip::draw).collect::<anyhow::Result<Vec<Slip>>>()?;
    let hashed = hash(&slips)?;
    // Printed before anything is made: a password that nobody can read is of no use.
    print_slips(&slips, join).context("the slips cannot be printed, and nothing is changed")?;
    let accounts = if slips.len() == 1 { "account" } else { "accounts" };
    let what = format!("made {} {accounts} from {name}", slips.len());
    let by = database::OPERATOR.to_owned();
    if !slips.is_empty() {
        database::open_or_create(path)?
            .add_accounts(hashed, Timestamp::now(), Change::Audit { by, what })
            .context("no account is made, and the slips are good for nothing")?;
    }
    if !known.is_empty() {
        print_error(&format!(
            "with an account already, which stays as it is: {}",
            known.join(", ")
        ));
    }
    print_error(&format!("accounts made: {}", slips.len()));
    Ok(())
}

/// Prints the accounts as a table that [`import`] takes, without passwords.
pub(crate) fn export(path: &Path) -> anyhow::Result<()> {
    let accounts = database::accounts(&database::open(path)?)?;
    let mut table = csv::Writer::from_writer(stdout().lock());
    table.write_record(["name", "administrator", "since"])?;
    for Account { name, is_admin, since, .. } in accounts {
        let is_admin = if is_admin { "yes" } else { "no" };
        table.write_record([&name, is_admin, &since.strftime("%Y-%m-%d").to_string()])?;
    }
    table.flush().context("cannot write to standard output")
}

/// What one of the class is given.
struct Slip {
    name: String,
    code: PairingCode,
}

impl Slip {
    fn draw(name: String) -> anyhow::Result<Slip> {
        let random = getrandom::u64().context("the system has no random number for a password")?;
        Ok(Slip { name, code: PairingCode::of(random) })
    }
}

/// Hashes the passwords, several at once.
fn hash(slips: &[Slip]) -> anyhow::Result<Vec<(String, PasswordHash)>> {
    let cores = thread::available_parallelism().map_or(1, usize::from).min(HASHING_MAX);
    let hash_some = |slips: &[Slip]| {
        let hasher = Hasher::default();
        let hash = |slip: &Slip| {
            let password = PairingCode::signs(&Password::new(&slip.code.to_string()));
            let hash = hasher.hash(&password).map_err(|sentence| anyhow!(sentence))?;
            Ok((slip.name.clone(), hash.for_one_time()))
        };
        slips.iter().map(hash).collect::<anyhow::Result<Vec<_>>>()
    };
    let share = slips.len().div_ceil(cores).max(1);
    thread::scope(|scope| {
        let start = |slips| Builder::new().spawn_scoped(scope, move || hash_some(slips));
        let threads = slips.chunks(share).map(start).collect::<std::io::Result<Vec<_>>>();
        let threads = threads.context("the machine cannot start one more thread")?;
        let hashed: anyhow::Result<Vec<Vec<_>>> = threads
            .into_iter()
            .map(|thread| thread.join().map_err(|_| anyhow!("a thread has panicked"))?)
            .collect();
        Ok(hashed?.concat())
    })
}

/// To be cut along the lines.
fn print_slips(slips: &[Slip], join: Option<&str>) -> std::io::Result<()> {
    let mut out = stdout().lock();
    let join = join.map(|join| format!("    Join by:  {join}\n")).unwrap_or_default();
    for Slip { name, code } in slips {
        write!(
            out,
            "{name}\n{join}    password for the first time:  {code}\n    \
             You are asked for one of your own then.\n{}\n",
            "- ".repeat(30).trim_end()
        )?;
    }
    out.flush()
}
