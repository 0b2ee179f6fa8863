//! The command line, and what it means. Errors say what to do. Runs on thread `main`.

mod check;

pub use super::listen_on::{ChatOn, ListenOn, MetricsOn, WebOn};
use super::{
    client::outbox::SlowLimits,
    history::historian::StoreConfig,
    log_line::LogFormat,
    number::{size, size_shown, whole_number},
    proxies::{Network, Proxies},
    subcommands::Subcommand,
    switches::{OnOff, ViewAccess},
    text_file,
    tls::certificates::TlsFiles,
    zone::local_zone,
};
use crate::{
    core::{
        commands::Table,
        name::NameRule,
        places::RESERVED,
        rooms::RoomsConfig,
        sentences::talk_is_kept,
        session::{SessionConfig, flood::FloodOption},
        wire::sanitize::sanitize,
    },
    store::Durability,
};
use anyhow::{Context as _, ensure};
use argh::{ArgsInfo, FromArgs};
use log::LevelFilter;
use std::{
    io::IsTerminal as _,
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};

/// The most bytes of a message of the day: a few screens. More is probably a mistake, and everybody
/// who enters would be sent it.
const MOTD_MAX: u64 = 16 * 1024;
/// Threads of clients beyond the ordinary places: who tries for an administrator's place, and who
/// gave way there and still takes a moment to go.
const EXTRA_THREADS: usize = RESERVED + 2;
/// The most connections from one address, if browsers are not served.
const PER_SOURCE: usize = 256;

/// A chat server with one thread per connection. Start it, and let people join with: nc HOST 5000
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
pub struct Options {
    /// where to listen, as ADDR:PORT, or PORT for all interfaces; port 0 takes a free one; or as
    /// unix:PATH, a socket for this machine's users, unix:PATH,mode=660 for some of them; may be
    /// repeated (default: port 5000 on all interfaces, IPv4 and IPv6)
    #[argh(option, arg_name = "ADDR:PORT")]
    pub(crate) listen: Vec<ChatOn>,

    /// where to listen for clients that speak TLS, as ADDR:PORT, or PORT for all interfaces; needs
    /// --tls-cert and --tls-key; may be repeated (default: nowhere)
    #[argh(option, arg_name = "ADDR:PORT")]
    pub(crate) tls: Vec<ListenOn>,

    /// the certificate for TLS, and behind it those up to the root, in PEM; chatd tls make makes one
    /// (default: none)
    #[argh(option, arg_name = "FILE")]
    tls_cert: Option<PathBuf>,

    /// the key of that certificate, in PEM; SIGHUP has both files read again (default: none)
    #[argh(option, arg_name = "FILE")]
    tls_key: Option<PathBuf>,

    /// where browsers find the page, as ADDR:PORT or PORT, or none (default: port 5080 on the
    /// addresses of --listen)
    #[argh(option, arg_name = "ADDR:PORT", default = "WebOn::Usual")]
    pub(crate) web: WebOn,

    /// where browsers find the page over https, with the certificate of --tls-cert, as ADDR:PORT or PORT
    /// (default: none)
    #[argh(option, arg_name = "ADDR:PORT", default = "WebOn::Nowhere")]
    pub(crate) web_tls: WebOn,

    /// a name by which browsers may call this server, beside its addresses and this machine's own
    /// name; may be repeated
    #[argh(option, arg_name = "NAME")]
    pub(crate) web_name: Vec<String>,

    /// who may look at the view: ticket, whoever has one from /view in the chat; or open, everybody
    /// (default: ticket)
    #[argh(option, arg_name = "ticket|open", default = "ViewAccess::Ticket")]
    pub(crate) view: ViewAccess,

    /// the address of a proxy in front, or a network, ADDR/BITS: where its clients are, is what it
    /// says. On the chat's ports it has to speak the PROXY protocol, version 1 or 2; on the web port,
    /// what it says last in X-Forwarded-For counts. May be repeated
    #[argh(option, arg_name = "ADDR[/BITS]")]
    pub(crate) proxy_from: Vec<Network>,

    /// answer /metrics and /healthz here too, as ADDR:PORT or a port of this machine; at the page's
    /// port /metrics is answered to this machine alone (default: none)
    #[argh(option, arg_name = "ADDR:PORT")]
    pub(crate) metrics: Option<MetricsOn>,

    /// most clients at once, each with a thread of its own (default: 512)
    #[argh(option, arg_name = "N", default = "512", from_str_fn(whole_number))]
    pub threads_max: usize,

    /// ask nobody for a name: everybody is shown by address and may speak at once
    #[argh(switch)]
    pub(crate) anonymous: bool,

    /// admit names in every script, by the rules of RFC 8265; names that look like a present one
    /// are refused
    #[argh(switch)]
    unicode_names: bool,

    /// file with the message of the day, told to everybody who enters (default: none)
    #[argh(option, arg_name = "FILE")]
    pub(crate) motd: Option<PathBuf>,

    /// lines of a room's past told to everybody who enters it, 0 to 300 (default: 20)
    #[argh(option, arg_name = "N", default = "20", from_str_fn(whole_number))]
    pub(crate) backlog_lines: usize,

    /// bytes that may wait for a client that reads slowly; one more, and the client is
    /// hung up (default: 65536)
    #[argh(option, arg_name = "BYTES", default = "65536", from_str_fn(whole_number))]
    pub high_water: usize,

    /// seconds that lines may wait for a client that reads nothing, before the client is
    /// hung up (default: 10)
    #[argh(option, arg_name = "SECONDS", default = "10", from_str_fn(whole_number))]
    pub write_deadline: u64,

    /// seconds that a client may take to give their name (default: 30)
    #[argh(option, arg_name = "SECONDS", default = "30", from_str_fn(whole_number))]
    pub(crate) login_deadline: u64,

    /// lines that a client may send at once, and lines a second after that; a client who
    /// sends more is read more slowly; each KiB that makes no line counts as one; or off
    /// (default: 32/8)
    #[argh(
        option,
        arg_name = "BURST/PER_SECOND",
        default = "\"32/8\".parse().expect(\"is a limit\")"
    )]
    pub(crate) flood: FloodOption,

    /// most connections from one address at once, this machine exempt; a class behind one router
    /// has one address (default: as many as --threads-max; with --web none: 256)
    #[argh(option, arg_name = "N", from_str_fn(whole_number))]
    per_source: Option<usize>,

    /// on, or off: whether what one address uses up outlives a connection (lines, connections, names
    /// refused, names registered); off is for benchmarks (default: on)
    #[argh(option, arg_name = "on|off", default = "OnOff::On")]
    pub(crate) source_limits: OnOff,

    /// seconds after which a client that vanished without a word is found (default: 60)
    #[argh(option, arg_name = "SECONDS", default = "60", from_str_fn(whole_number))]
    pub ghost_after: u64,

    /// the database file; or none, which keeps accounts, mail and the last lines in memory, for a
    /// lesson (default: chatd.db)
    #[argh(option, arg_name = "FILE", default = "PathBuf::from(\"chatd.db\")")]
    pub(crate) db: PathBuf,

    /// what a power cut may cost: full, normal or off, see docs/operations.md (default: normal)
    #[argh(option, arg_name = "full|normal|off", default = "Durability::Normal")]
    pub(crate) durability: Durability,

    /// tell nobody what was said more than N days ago, and delete it from the file once the clock
    /// has been steady for ten minutes, see docs/operations.md (default: never)
    #[argh(option, arg_name = "N", from_str_fn(whole_number))]
    pub(crate) history_days: Option<u32>,

    /// keep the history below this size, as 500M or 2G, by deleting the oldest lines (default: nothing
    /// is deleted for its size)
    #[argh(option, arg_name = "SIZE", from_str_fn(size))]
    pub(crate) history_max: Option<u64>,

    /// print a code on standard output: whoever types /instructor CODE in the chat is an
    /// administrator until they leave (default: if standard output is a terminal)
    #[argh(switch)]
    pub instructor: bool,

    /// add the commands /demo, with which an administrator shows a class what happens when something
    /// goes wrong, and /crash, which panics the thread of whoever types it
    #[argh(switch)]
    pub(crate) demo: bool,

    /// what to log on standard error: off, error, warn, info, debug (default: info)
    #[argh(option, arg_name = "off|error|warn|info|debug", default = "LevelFilter::Info")]
    pub log: LevelFilter,

    /// how to log: text; json, an object a line; or journal, for systemd's, which has the time itself
    /// (default: text, or journal where that is read)
    #[argh(option, arg_name = "text|json|journal", default = "LogFormat::Text")]
    pub log_format: LogFormat,

    /// a file of options, by their names here (threads-max = 40); what is typed overrides it, see
    /// docs/operations.md (default: none)
    #[argh(option, arg_name = "FILE")]
    config: Option<PathBuf>,

    /// print the version and exit
    #[argh(switch)]
    pub version: bool,

    /// what to do instead of serving
    #[argh(subcommand)]
    pub command: Option<Subcommand>,
}

impl Options {
    /// A person at a terminal can read the instructor's code.
    pub fn look_for_terminal(&mut self) {
        self.instructor |= std::io::stdout().is_terminal();
    }

    /// How the server was started, for those who look at the view: no path, no address, no name.
    pub(crate) fn for_the_view(&self) -> Vec<String> {
        let SlowLimits { high_water, write_deadline } = self.slow_limits();
        let switches = [(self.anonymous, "--anonymous"), (self.demo, "--demo")];
        let mut options = vec![
            format!("--threads-max {}", self.threads_max),
            format!("--db {}", if self.database().is_some() { "FILE" } else { "none" }),
            format!("--high-water {high_water}"),
            format!("--write-deadline {}", write_deadline.as_secs()),
        ];
        options.extend(
            switches.iter().filter(|(is_on, _)| *is_on).map(|(_, name)| (*name).to_owned()),
        );
        options
    }

    /// `--config`.
    pub fn config_file(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    /// Where the chat listens.
    pub fn listen_on(&self) -> Vec<ChatOn> {
        match self.listen.is_empty() {
            true => vec![ChatOn::Port(ListenOn::everywhere(5000))],
            false => self.listen.clone(),
        }
    }

    /// The most threads of clients at once.
    pub(crate) fn client_threads(&self) -> usize {
        self.threads_max.saturating_add(EXTRA_THREADS)
    }

    /// The most connections from one address. A class of browsers comes from one address as a rule,
    /// and may fill the server.
    pub(crate) fn per_source(&self) -> usize {
        let usual = if self.serves_browsers() { self.threads_max } else { PER_SOURCE };
        self.per_source.unwrap_or(usual)
    }

    /// Whether browsers are to be served.
    pub fn serves_browsers(&self) -> bool {
        self.web != WebOn::Nowhere || self.web_tls != WebOn::Nowhere
    }

    /// For a server that cannot serve browsers.
    ///
    /// # Errors
    /// It was told to.
    pub fn serve_no_browsers(&mut self) -> anyhow::Result<()> {
        ensure!(
            !matches!(self.web, WebOn::At(_)),
            "--web: only chatd itself serves browsers. Leave it out, or give --web none."
        );
        self.web = WebOn::Nowhere;
        Ok(())
    }

    /// The certificate and its key; `None`: nothing is encrypted.
    pub fn tls_files(&self) -> Option<TlsFiles> {
        let (cert, key) = (self.tls_cert.clone()?, self.tls_key.clone()?);
        Some(TlsFiles { cert, key })
    }

    /// For a server that does not encrypt.
    ///
    /// # Errors
    /// It was told to.
    pub fn encrypt_nothing(&self) -> anyhow::Result<()> {
        ensure!(
            self.tls.is_empty() && self.web_tls == WebOn::Nowhere,
            "--tls: only chatd itself speaks TLS. Leave it out."
        );
        Ok(())
    }

    /// Whose word is taken for where others are.
    pub fn proxies(&self) -> Proxies {
        Proxies::new(&self.proxy_from)
    }

    /// What all sessions have in common.
    pub fn session_config(&self) -> anyhow::Result<SessionConfig> {
        Ok(SessionConfig {
            io_model: "one thread per connection, and yours is",
            talk_is_kept: talk_is_kept(self.store_config().keeps_talk(), self.history_days),
            anonymous: self.anonymous,
            has_code: self.instructor,
            names: self.name_rule(),
            motd: self.motd.as_deref().map(read_motd).transpose()?.unwrap_or_default(),
            flood: self.flood.0,
            is_forgotten: false,
        })
    }

    /// What the rooms have to know. Logs a warning if the time zone is not known.
    pub fn rooms_config(&self) -> RoomsConfig {
        let (zone, unknown) = local_zone();
        unknown.iter().for_each(|sentence| log::warn!("{sentence}"));
        RoomsConfig {
            backlog_lines: self.backlog_lines,
            names: self.name_rule(),
            anonymous: self.anonymous,
            has_code: self.instructor,
            zone,
            keeps_talk: self.store_config().keeps_talk(),
            epoch: 0,
            history_days: self.history_days,
            history_max: self.history_max.map(size_shown),
        }
    }

    /// When a client is a slow consumer.
    pub(crate) fn slow_limits(&self) -> SlowLimits {
        let write_deadline = Duration::from_secs(self.write_deadline);
        SlowLimits { high_water: self.high_water, write_deadline }
    }

    /// The commands there are.
    pub fn commands(&self) -> Table {
        Table { demo: self.demo, ..Table::default() }
    }

    /// The database, unless it is `--db none`.
    pub fn database(&self) -> Option<&Path> {
        Some(&*self.db).filter(|path| *path != Path::new("none"))
    }

    /// Where history is kept, and how.
    pub fn store_config(&self) -> StoreConfig {
        StoreConfig {
            file: self.database().map(Path::to_owned),
            durability: self.durability,
            history_days: self.history_days,
            history_max: self.history_max,
        }
    }

    fn name_rule(&self) -> NameRule {
        if self.unicode_names { NameRule::Unicode } else { NameRule::Ascii }
    }

    /// `--login-deadline` as a duration.
    pub fn login_deadline(&self) -> Duration {
        Duration::from_secs(self.login_deadline)
    }
}

fn read_motd(path: &Path) -> anyhow::Result<Vec<String>> {
    let wrong = || format!("cannot read the message of the day from {}", path.display());
    let text = text_file::read(path, MOTD_MAX).with_context(wrong)?;
    Ok(text.lines().map(|line| sanitize(line).into_owned()).collect())
}

/// An address of this machine that others can reach, to print at the start.
pub fn address_for_others() -> Option<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().ok()?;
    let usable =
        |ip: &IpAddr| !ip.is_loopback() && matches!(ip, IpAddr::V4(v4) if !v4.is_link_local());
    interfaces.iter().map(if_addrs::Interface::ip).find(usable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_work_is_refused_with_the_number_to_give() {
        let parse = |args: &[&str]| match Options::from_args(&["chatd"], args) {
            Ok(options) => options.check().map_err(|error| error.to_string()),
            Err(early) => Err(early.output),
        };
        assert!(parse(&[]).is_ok());
        for (option, value, says) in [
            ("--threads-max", "0", "Give 1 or more."),
            ("--history-days", "0", "--db none does."),
            ("--per-source", "0", "Give 1 or more."),
            ("--high-water", "9", "Give 2048 or more."),
            ("--high-water", "2047", "Give 2048 or more."),
            ("--backlog-lines", "301", "300 lines at most."),
            ("--write-deadline", "0", "give 1 to 86400 seconds"),
            ("--login-deadline", "86401", "give 1 to 86400 seconds"),
            ("--ghost-after", "18446744073709551615", "give 1 to 86400 seconds"),
            ("--flood", "0/1", "two numbers from 1 to 1000000"),
            ("--flood", "1/1000001", "two numbers from 1 to 1000000"),
            ("--flood", "1e3/1", "two numbers from 1 to 1000000"),
            ("--listen", "65536", "is not ADDR:PORT"),
            ("--listen", "127.0.0.1:-1", "is not ADDR:PORT"),
        ] {
            let said = parse(&[option, value]).unwrap_err();
            assert!(said.contains(option) && said.contains(says), "{option} {value}: {said}");
        }
    }

    #[test]
    fn a_number_that_is_none_is_refused_in_a_sentence() {
        for option in [
            "--threads-max",
            "--backlog-lines",
            "--high-water",
            "--write-deadline",
            "--login-deadline",
            "--ghost-after",
            "--per-source",
            "--history-days",
        ] {
            for (value, says) in [
                ("-1", "\"-1\" is not a whole number. Give one in digits"),
                ("", "\"\" is not a whole number."),
                ("1e3", "is not a whole number."),
                ("0x10", "is not a whole number."),
                ("+5", "is not a whole number."),
                ("5.0", "is not a whole number."),
                ("64k", "is not a whole number."),
                ("\u{664}", "is not a whole number."),
                ("99999999999999999999", "is too large a number."),
            ] {
                let said = Options::from_args(&["chatd"], &[option, value]).unwrap_err().output;
                assert!(said.contains(says) && said.contains(option), "{option} {value}: {said}");
            }
        }
    }
}
