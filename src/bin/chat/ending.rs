//! How a run of `chat` can end: each way its own sentence and its own exit code. docs/client.md has
//! the table.

use crate::{address::Address, tls::Fingerprint};
use std::{fmt, time::Duration};

/// How long looking the host up and connecting to it may take together.
pub(crate) const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// Why the program ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// As the person wished, or with the server's goodbye.
    Left,
    /// The host's name could not be looked up.
    UnknownHost(Address),
    /// The machine is there, and nothing listens on that port.
    Refused(Address),
    /// No answer within [`CONNECT_LIMIT`].
    TimedOut(Address),
    /// The system has no way there; with its words.
    Unreachable(Address, String),
    /// The server has no place left; with its reason.
    Full(String),
    /// The name given by `--name` is somebody else's already.
    NameTaken(String),
    /// The server refuses the name given by `--name`; with its sentence.
    NameRefused(String),
    /// The server went away, or hung up; with its reason, if it gave one.
    Gone(Address, Option<String>),
    /// The connection ended as it does when somebody on the way cuts it.
    Cut(Address),
    /// Nothing says yet whether the server's certificate is to be trusted. A person may.
    Unknown { server: Address, why: String, presented: Fingerprint },
    /// The server's certificate is not the right one; the whole sentence.
    Distrusted(String),
    /// TLS is wanted, and the server does not speak it; why.
    NoTls(Address, String),
    /// The server speaks TLS, and we do not.
    WantsTls(Address),
}

impl Ending {
    /// The exit code. 1 is any other error's, 2 a wrong option's, 101 a panic's, 128 + n a
    /// signal's.
    pub(crate) fn code(&self) -> i32 {
        match self {
            Ending::Left => 0,
            Ending::UnknownHost(_) => 3,
            Ending::Refused(_) => 4,
            Ending::TimedOut(_) => 5,
            Ending::Full(_) => 6,
            Ending::NameTaken(_) => 7,
            Ending::Gone(..) | Ending::Cut(_) => 8,
            Ending::Unreachable(..) => 9,
            Ending::NameRefused(_) => 10,
            Ending::Unknown { .. } | Ending::Distrusted(_) => 11,
            Ending::NoTls(..) | Ending::WantsTls(_) => 12,
        }
    }
}

/// The sentence says what happened and what to check; [`Ending::Left`] needs none.
impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ending::Left => Ok(()),
            Ending::UnknownHost(Address { host, .. }) => write!(
                f,
                "no host is called {host:?}. Check the spelling, or give its address in numbers."
            ),
            Ending::Refused(at) if at.file().is_some() => {
                write!(f, "nobody answers at {at}. Is the server started?")
            }
            Ending::Unreachable(at, why) if at.file().is_some() => {
                write!(f, "there is no way to {at}: {why}. Is that the server's socket?")
            }
            Ending::Refused(at) => write!(
                f,
                "{at} refused the connection: no server listens there. \
                 Is it started, and is {} its port?",
                at.port
            ),
            Ending::TimedOut(at) => write!(
                f,
                "{at} did not answer within {} s. \
                 Check the address, the network, and firewalls in between.",
                CONNECT_LIMIT.as_secs()
            ),
            Ending::Unreachable(at, why) => {
                write!(f, "there is no way to {at}: {why}. Is this machine on the network?")
            }
            Ending::Full(why) => write!(f, "the server is full. It said: {why}"),
            Ending::NameTaken(name) => {
                write!(f, "the name {name:?} is taken. Choose another with --name.")
            }
            Ending::NameRefused(why) => write!(f, "the server refused the name. It said: {why}"),
            Ending::Gone(at, None) => write!(
                f,
                "the server at {at} is gone: it closed the connection, or the network did."
            ),
            Ending::Gone(at, Some(why)) => {
                write!(f, "the server at {at} hung up. It said: {why}")
            }
            Ending::Cut(at) => write!(
                f,
                "the connection to {at} was cut on the way: the server did not announce its end \
                 (close_notify)."
            ),
            Ending::Unknown { server, why, presented } => write!(
                f,
                "the certificate of {server} is not trusted: {why}. Start with --fingerprint \
                 {presented} if the server's operator tells you the same."
            ),
            Ending::Distrusted(sentence) => f.write_str(sentence),
            Ending::NoTls(at, why) => write!(f, "there is no TLS with {at}: {why}."),
            Ending::WantsTls(at) => {
                write!(f, "the server at {at} speaks TLS, so start with --tls.")
            }
        }
    }
}
