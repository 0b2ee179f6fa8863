//! What `chatd` can do beside serving: the words of its command line. What they do is in
//! `src/bin/chatd/`. No I/O.

use super::number::whole_number;
use argh::{ArgsInfo, FromArgValue, FromArgs};
use std::path::PathBuf;

/// What to do instead of serving.
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(subcommand)]
pub enum Subcommand {
    /// `chatd account …`
    Account(AccountCommand),
    /// `chatd backup …`
    Backup(BackupCommand),
    /// `chatd ban …`
    Ban(BanCommand),
    /// `chatd check`
    Check(CheckCommand),
    /// `chatd config …`
    Config(ConfigCommand),
    /// `chatd history …`
    History(HistoryCommand),
    /// `chatd restore …`
    Restore(RestoreCommand),
    /// `chatd tls …`
    Tls(TlsCommand),
    /// `chatd upgrade`
    Upgrade(UpgradeCommand),
}

/// Copy the whole database, accounts and mail included, also while a server runs: as it is at one
/// moment. The copy is read and found sound before it has its name.
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(subcommand, name = "backup")]
pub struct BackupCommand {
    /// where the copy is to be; what is there is never overwritten
    #[argh(positional)]
    pub file: PathBuf,

    /// the database (default: chatd.db)
    #[argh(option, arg_name = "FILE")]
    pub db: Option<PathBuf>,
}

/// Put a backup in the place of the database, which is kept beside it under another name. The server
/// must not run meanwhile.
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(subcommand, name = "restore")]
pub struct RestoreCommand {
    /// the backup; it stays as it is
    #[argh(positional)]
    pub file: PathBuf,

    /// the database (default: chatd.db)
    #[argh(option, arg_name = "FILE")]
    pub db: Option<PathBuf>,
}

/// Read all of the database, say whether it is sound, and what is in it; also while a server runs.
/// It changes nothing. The exit code is 0 only if the file is sound.
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(subcommand, name = "check")]
pub struct CheckCommand {
    /// the database, or a backup (default: chatd.db)
    #[argh(option, arg_name = "FILE")]
    pub db: Option<PathBuf>,
}

/// Have the program that is installed now take over from the running server, which hangs nobody up
/// (SIGUSR2 does the same). If nothing comes of it, the server goes on as it was, and its log says
/// why. Linux only.
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(subcommand, name = "upgrade")]
pub struct UpgradeCommand {
    /// the server's database (default: chatd.db)
    #[argh(option, arg_name = "FILE")]
    pub db: Option<PathBuf>,
}

/// List accounts and change them, also while a server runs: it notices within a second. Passwords
/// are asked for, or read as one line from standard input.
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(subcommand, name = "account")]
pub struct AccountCommand {
    /// list; or with a NAME: add, passwd, promote (to administrator), demote, remove; or with NAMES
    /// that somebody keeps who should not: free; or import FILE, which makes accounts for a class
    /// list (a name a line, or CSV with a column "name") and prints a slip with a password for each;
    /// or export, which prints all accounts as CSV; or forget NAME, which takes somebody out of the
    /// database, says before how much that is, and needs the server stopped
    #[argh(
        positional,
        arg_name = "list|add|passwd|promote|demote|remove|free|import|export|forget"
    )]
    pub action: AccountAction,

    /// whose account
    #[argh(positional)]
    pub names: Vec<String>,

    /// the database (default: chatd.db)
    #[argh(option, arg_name = "FILE")]
    pub db: Option<PathBuf>,

    /// forget: do not ask whether it is meant
    #[argh(switch)]
    pub yes: bool,
}

/// What can be done with accounts.
#[derive(FromArgValue, Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "see the help text of AccountCommand")]
pub enum AccountAction {
    List,
    Add,
    Passwd,
    Promote,
    Demote,
    Remove,
    Free,
    Import,
    Export,
    Forget,
}

/// List who is banned or muted, ban somebody, or lift a ban, also while a server runs: it notices
/// within a second, and hangs up who is banned.
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(subcommand, name = "ban")]
pub struct BanCommand {
    /// list; add NAME|ADDRESS FOR WHY, where FOR is 30m, 12h, 7d, 2 days, or left out: for ever;
    /// lift NAME|ADDRESS
    #[argh(positional, arg_name = "list|add|lift")]
    pub action: BanAction,

    /// who, for how long, and why
    #[argh(positional)]
    pub words: Vec<String>,

    /// the database (default: chatd.db)
    #[argh(option, arg_name = "FILE")]
    pub db: Option<PathBuf>,
}

/// What can be done with bans.
#[derive(FromArgValue, Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "see the help text of BanCommand")]
pub enum BanAction {
    List,
    Add,
    Lift,
}

/// Look at the file that --config names: check says whether a server could start with it; show prints
/// every option, what it is, and where that is said.
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(subcommand, name = "config")]
pub struct ConfigCommand {
    /// check, or show
    #[argh(positional, arg_name = "check|show")]
    pub action: ConfigAction,
}

/// What can be done with a file of options.
#[derive(FromArgValue, Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "see the help text of ConfigCommand")]
pub enum ConfigAction {
    Check,
    Show,
}

/// Print every line that was said in rooms, with its time and its room; never what was said in
/// private. Or delete what is old. Also while a server runs.
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(subcommand, name = "history")]
pub struct HistoryCommand {
    /// export; or prune, which deletes what was said more than --days N ago, and says before how
    /// much that is
    #[argh(positional, arg_name = "export|prune")]
    pub action: HistoryAction,

    /// the database (default: chatd.db)
    #[argh(option, arg_name = "FILE")]
    pub db: Option<PathBuf>,

    /// export: only this room
    #[argh(option, arg_name = "ROOM")]
    pub room: Option<String>,

    /// export: text, a line for each line (default); json, an object a line with time, room, author,
    /// kind (said, did, announced, other) and text; or html, one page for a browser
    #[argh(option, arg_name = "text|json|html")]
    pub format: Option<ExportFormat>,

    /// export: the same as --format json
    #[argh(switch)]
    pub json: bool,

    /// export: write to this file, which must not be there; if that fails, none is left (default:
    /// standard output)
    #[argh(option, arg_name = "FILE")]
    pub to: Option<PathBuf>,

    /// prune: the age in days
    #[argh(option, arg_name = "N", from_str_fn(whole_number))]
    pub days: Option<u32>,

    /// prune: do not ask whether it is meant
    #[argh(switch)]
    pub yes: bool,
}

/// What can be done with the history.
#[derive(FromArgValue, Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "see the help text of HistoryCommand")]
pub enum HistoryAction {
    Export,
    Prune,
}

/// What an export looks like.
#[derive(FromArgValue, Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "see the help text of HistoryCommand")]
pub enum ExportFormat {
    Text,
    Json,
    Html,
}

/// Make a certificate of one's own for --tls, or show the one that --tls-cert names. Clients know such
/// a certificate by its fingerprint, which is printed: chat --fingerprint takes it.
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(subcommand, name = "tls")]
pub struct TlsCommand {
    /// make, which never overwrites a file; or show, which reads the certificate and its key, says
    /// what is wrong with them, and prints the fingerprint
    #[argh(positional, arg_name = "make|show")]
    pub action: TlsAction,

    /// make: the folder for chatd-cert.pem and chatd-key.pem (default: where --tls-cert and --tls-key
    /// say, or else the database's)
    #[argh(option, arg_name = "FOLDER", long = "in")]
    pub folder: Option<PathBuf>,

    /// make: a name or an address by which clients reach this server; may be repeated (default: this
    /// machine's names, localhost, and its addresses)
    #[argh(option, arg_name = "NAME")]
    pub name: Vec<String>,
}

/// What can be done with certificates.
#[derive(FromArgValue, Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "see the help text of TlsCommand")]
pub enum TlsAction {
    Make,
    Show,
}
