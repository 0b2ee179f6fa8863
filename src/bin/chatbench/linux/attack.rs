//! What do the others wait while somebody attacks? Each run is made twice, on two fresh servers:
//! undisturbed, and under attack. The crowd checks every line at every receiver in both.
//!
//! The server has the limits that it has by default, and a history on disk; the attackers share its
//! core, so what they cost themselves counts against it, too.

use super::{
    attackers::{ATTACKS, Attack, Attackers},
    figures::Figures,
    latency::Latency,
    load::{Load, Settings},
    report::{self, Row},
    server::Target,
    wire::Peer,
};
use anyhow::{Context as _, Result};
use argh::FromArgs;
use chatd::socketserver::program;
use std::{env, fs, path::PathBuf, process, thread};

/// Clients who talk, and deliveries a second: 4 lines a second from each of 50, so that no limit
/// meets them.
const CROWD: Latency = Latency { clients: 100, senders: 50, rate: 20_000.0, stuck: 0 };

/// How long a line takes to its readers while somebody attacks, against an undisturbed run.
#[derive(FromArgs)]
#[argh(subcommand, name = "attack")]
pub struct Attacked {
    /// idle, loris, endless-line, subnegotiation, flood, reset-storm, hello-storm, login-storm,
    /// door-storm, search, history, threads, names, reset-in-answer, stuck, pastes; or all, one
    /// after the other
    #[argh(positional, arg_name = "NAME", from_str_fn(known))]
    name: String,
}

fn known(name: &str) -> Result<String, String> {
    let is_known = name == "all" || ATTACKS.iter().any(|attack| attack.name == name);
    is_known.then(|| name.to_owned()).ok_or(format!("there is no attack {name:?}"))
}

impl Attacked {
    /// Measures them. Returns whether no run has failed.
    pub fn run(&self, server: Option<&str>, settings: &Settings) -> Result<bool> {
        let database = Database::new()?;
        let servers = [database.server(server)?];
        let chosen = ATTACKS.iter().filter(|attack| self.name == "all" || attack.name == self.name);
        let mut rows: Vec<Row> =
            chosen.map(|attack| Row::new(attack.name, Box::new(One(attack)), &[])).collect();
        rows.iter_mut().for_each(|row| row.measure(&servers, settings));
        program::say(&report::markdown(&rows, &servers, settings)?);
        Ok(rows.iter().all(|row| row.failures().next().is_none()))
    }
}

/// A folder for a database, which goes when it is dropped.
pub struct Database(PathBuf);

impl Database {
    pub fn new() -> Result<Database> {
        let folder = env::temp_dir().join(format!("chatbench-{}", process::id()));
        fs::create_dir(&folder).context("no folder for the database")?;
        Ok(Database(folder))
    }

    pub fn file(&self) -> PathBuf {
        self.0.join("chatd.db")
    }

    /// The server that is given; or the chatd beside chatbench, as people run it, with its database
    /// here.
    pub fn server(&self, given: Option<&str>) -> Result<Target> {
        let chatd = env::current_exe()?.with_file_name("chatd");
        let usual = || {
            format!(
                "chatd={} --listen 127.0.0.1:0 --threads-max 1024 --source-limits on --db {}",
                chatd.display(),
                self.file().display()
            )
        };
        Target::parse(&given.map_or_else(usual, str::to_owned), Peer::Chatd)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // What cannot be removed stays in the folder for such things.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// One attack.
#[derive(Clone, Copy)]
struct One(&'static Attack);

impl Load for One {
    fn clients(&self) -> usize {
        CROWD.clients
    }

    fn run(&self, target: &Target, settings: &Settings) -> Result<Figures> {
        let undisturbed = CROWD.run_beside(target, settings, |_| Ok(()))?;
        let core = settings.pin.map(|(server, _)| server);
        let under_attack = CROWD
            .run_beside(target, settings, |server| {
                let attackers = Attackers::start(vec![self.0], server.address, core)?;
                thread::sleep(self.0.ahead);
                Ok(attackers)
            })
            .with_context(|| format!("under {}", self.0.name))?;
        let ratio = |key| under_attack.get(key) / undisturbed.get(key);
        Ok(Figures(vec![
            ("undisturbed_p99_ms", undisturbed.get("p99_ms")),
            ("p99_ms", under_attack.get("p99_ms")),
            ("p99_ratio", ratio("p99_ms")),
            ("p50_ratio", ratio("p50_ms")),
            ("max_ms", under_attack.get("max_ms")),
            ("server_busy", under_attack.get("server_busy")),
        ]))
    }
}
