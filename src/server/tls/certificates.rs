//! The certificate and its key: read at the start, and again on SIGHUP. Runs on thread `main`, and
//! blocks on the disk.

use super::{connection::TlsConnection, fingerprint::fingerprint};
use crate::{
    lock::{LockKind, Locked},
    server::text_file,
};
use anyhow::{Context as _, anyhow, bail, ensure};
use jiff::Timestamp;
use rustls::{
    CertificateError, Error, RootCertStore, ServerConfig,
    client::verify_server_cert_signed_by_trust_anchor,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, UnixTime, pem::PemObject as _},
    server::{NoServerSessionStorage, ParsedCertificate},
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// The most bytes of a file: some hundred certificates.
const FILE_MAX: u64 = 1024 * 1024;
/// How long before its end a certificate is complained of: whoever renews them does it a month before.
const SOON: Duration = Duration::from_hours(14 * 24);
/// A time that no certificate reaches: the year 9999. Asked whether it holds then, rustls says until
/// when it does.
const NEVER: UnixTime = UnixTime::since_unix_epoch(Duration::from_secs(253_402_300_799));

/// Where the two are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// `--tls-cert`.
    pub cert: PathBuf,
    /// `--tls-key`.
    pub key: PathBuf,
}

/// What was read.
pub struct Certificate {
    config: Arc<ServerConfig>,
    /// Its fingerprint.
    pub fingerprint: String,
    /// What the operator has to know: it has expired, say.
    pub warnings: Vec<String>,
    path: PathBuf,
    chain: Vec<CertificateDer<'static>>,
}

/// The one that holds now, for every connection that begins.
pub(crate) struct Certificates {
    current: Locked<Certificate>,
    /// The chat's port without encryption, if there is one: for those who come to the wrong one.
    pub(crate) plain_port: Option<u16>,
}

impl Certificates {
    pub(crate) fn new(first: Certificate, plain_port: Option<u16>) -> Certificates {
        Certificates { current: Locked::new(LockKind::Settings, first), plain_port }
    }

    /// For a connection that begins. (`None`, and a line in the log: there can be no encryption.)
    pub(crate) fn begin(&self) -> Option<Box<TlsConnection>> {
        let config = Arc::clone(&self.current.lock().config);
        TlsConnection::new(config).inspect_err(|error| log::error!("TLS: {error}")).ok()
    }

    /// From now on another one holds, for connections that begin. Returns whether it is another one.
    pub(crate) fn replace(&self, next: Certificate) -> bool {
        let mut current = self.current.lock();
        let is_other = current.chain != next.chain;
        *current = next;
        is_other
    }

    /// What is wrong at this time with the one that holds, if something is.
    pub(crate) fn complaint(&self, now: Timestamp) -> Option<Complaint> {
        let current = self.current.lock();
        complaint(&current.chain, now, &current.path)
    }
}

/// What is wrong with a certificate that does not hold now, or not for long.
pub(crate) struct Complaint {
    /// For the operator.
    pub(crate) for_log: String,
    /// For administrators in the chat: they need not know where the file is.
    pub(crate) for_chat: String,
}

impl TlsFiles {
    /// Reads both, and sees whether they belong together.
    ///
    /// # Errors
    /// A sentence that names the file, and says what to do.
    pub fn read(&self) -> anyhow::Result<Certificate> {
        let (cert, key) = (self.cert.display(), self.key.display());
        let chain = self.read_chain()?;
        let fingerprint = fingerprint(&chain[0]);
        let complaint = complaint(&chain, Timestamp::now(), &self.cert);
        let warnings = complaint.map(|it| it.for_log).into_iter();
        let warnings = warnings.chain(open_to_everybody(&self.key)).collect();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain.clone(), self.read_key()?);
        let mut config = config.map_err(|error| match error {
            Error::InconsistentKeys(_) => anyhow!(
                "the key in {key} does not belong to the certificate in {cert}. Give the two that were made together."
            ),
            error => anyhow!("the certificate in {cert} and the key in {key} cannot be used: {error}."),
        })?;
        // Whoever comes back shakes hands anew: nothing of a connection is kept when it has ended, and
        // a certificate that is replaced is replaced for everybody.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        let (config, path) = (Arc::new(config), self.cert.clone());
        Ok(Certificate { config, fingerprint, warnings, path, chain })
    }

    fn read_chain(&self) -> anyhow::Result<Vec<CertificateDer<'static>>> {
        let text = read(&self.cert, "the certificate")?;
        let path = self.cert.display();
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
        let chain = chain.map_err(|error| anyhow!("{path} is no good PEM file: {error}."))?;
        ensure!(
            !chain.is_empty(),
            "{path} has no certificate in PEM. Give a file with a line -----BEGIN CERTIFICATE-----."
        );
        Ok(chain)
    }

    fn read_key(&self) -> anyhow::Result<PrivateKeyDer<'static>> {
        let text = read(&self.key, "the key")?;
        let path = self.key.display();
        if text.contains("ENCRYPTED") {
            bail!(
                "the key in {path} is protected by a passphrase, and nobody is there to type it. This takes it away: openssl pkey -in {path} -out FILE"
            );
        }
        PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|_| {
            anyhow!("{path} has no private key in PEM. Give a file with a line -----BEGIN PRIVATE KEY-----.")
        })
    }
}

fn read(path: &Path, what: &str) -> anyhow::Result<String> {
    let advice = "chatd tls make makes a certificate and its key";
    text_file::read(path, FILE_MAX)
        .with_context(|| format!("cannot read {what} from {} ({advice})", path.display()))
}

/// Complains of a chain that does not hold now, or not for long: of the server's own certificate if
/// clients refuse that, else of one that they may refuse, else of the one that ends first. It is used
/// all the same: it encrypts as well as ever, and whoever knows the fingerprint asks for no more.
fn complaint(chain: &[CertificateDer<'_>], now: Timestamp, path: &Path) -> Option<Complaint> {
    let limits = chain.iter().enumerate().filter_map(|(at, one)| Some((at, limit(one, now)?)));
    let urgency =
        |(at, limit): &(usize, Limit)| (!limit.is_refused, limit.is_refused && *at > 0, limit.time);
    let (at, Limit { says, is_refused, .. }) = limits.min_by_key(urgency)?;
    let path = path.display();
    let (for_log, for_chat) = match at {
        0 => (format!("the certificate in {path}"), "The server's certificate"),
        _ => {
            let number = at + 1;
            (
                format!("certificate {number} of the chain in {path}"),
                "The chain of the server's certificate",
            )
        }
    };
    let refused = match (is_refused, at) {
        (false, _) => "",
        (true, 0) => "; clients refuse it",
        (true, _) => "; clients may refuse it", // unless they trust one that stands before it
    };
    Some(Complaint {
        for_log: format!(
            "{for_log} {says}{refused}. Renew it, and have it read again: SIGHUP to a service, or a restart"
        ),
        for_chat: format!("{for_chat} {says}{refused}. Whoever runs it has to renew that."),
    })
}

/// That a certificate does not hold now, or not for long.
struct Limit {
    /// When it begins to hold, or ends.
    time: UnixTime,
    /// The end of a sentence about the certificate.
    says: String,
    is_refused: bool,
}

fn limit(certificate: &CertificateDer<'_>, now: Timestamp) -> Option<Limit> {
    let limit = |time, says: &str, is_refused| {
        Some(Limit { time, says: says.replace("{date}", &date(time)), is_refused })
    };
    if let Err(CertificateError::NotValidYetContext { not_before, .. }) =
        holds_at(certificate, unix_time(now))
    {
        return limit(not_before, "holds only from {date} on, says this machine's clock", true);
    }
    match holds_at(certificate, NEVER) {
        Err(CertificateError::ExpiredContext { not_after, .. }) if is_past(not_after, now) => {
            limit(not_after, "has expired on {date}", true)
        }
        Err(CertificateError::ExpiredContext { not_after, .. })
            if is_past(not_after, now + SOON) =>
        {
            limit(not_after, "expires on {date}", false)
        }
        _ => None,
    }
}

/// Whether it holds at this time. (That we do not know who has signed it is another question, which
/// rustls asks afterwards.)
fn holds_at(certificate: &CertificateDer<'_>, time: UnixTime) -> Result<(), CertificateError> {
    let Ok(parsed) = ParsedCertificate::try_from(certificate) else { return Ok(()) };
    let algorithms = ring::default_provider().signature_verification_algorithms.all;
    let roots = RootCertStore::empty();
    match verify_server_cert_signed_by_trust_anchor(&parsed, &roots, &[], time, algorithms) {
        Err(Error::InvalidCertificate(why)) => Err(why),
        _ => Ok(()),
    }
}

fn unix_time(at: Timestamp) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(at.as_second().unsigned_abs()))
}

fn is_past(time: UnixTime, now: Timestamp) -> bool {
    time < unix_time(now)
}

fn date(time: UnixTime) -> String {
    let at =
        i64::try_from(time.as_secs()).ok().and_then(|second| Timestamp::from_second(second).ok());
    at.map_or_else(|| "a day far away".to_owned(), |at| at.strftime("%Y-%m-%d").to_string())
}

/// Warns of a key that every user of this machine may read.
#[cfg(unix)]
fn open_to_everybody(key: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(key).ok()?.permissions().mode();
    let path = key.display();
    (mode & 0o004 != 0).then(|| {
        format!(
            "every user of this machine may read the key in {path}, and could pass for this server: chmod 600 {path}"
        )
    })
}

#[cfg(not(unix))]
fn open_to_everybody(_: &Path) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{
        BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd,
    };

    /// For localhost, from the one day on and to the other.
    fn params(from: (i32, u8, u8), to: (i32, u8, u8)) -> CertificateParams {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.not_before = date_time_ymd(from.0, from.1, from.2);
        params.not_after = date_time_ymd(to.0, to.1, to.2);
        params
    }

    #[test]
    fn what_is_wrong_is_said_from_two_weeks_before_the_end_on() {
        let now = "2026-11-28T12:00:00Z".parse().unwrap();
        for (from, to, says) in [
            ((2026, 1, 1), (2026, 12, 13), None),
            ((2026, 1, 1), (2026, 12, 12), Some("expires on 2026-12-12.")),
            ((2026, 1, 1), (2026, 11, 29), Some("expires on 2026-11-29.")),
            ((2026, 1, 1), (2026, 11, 28), Some("has expired on 2026-11-28; clients refuse it.")),
            (
                (2026, 11, 29),
                (2027, 1, 1),
                Some(
                    "holds only from 2026-11-29 on, says this machine's clock; clients refuse it.",
                ),
            ),
        ] {
            let made = params(from, to).self_signed(&KeyPair::generate().unwrap()).unwrap();
            let found = complaint(&[made.der().clone()], now, Path::new("cert.pem"));
            assert_eq!(found.is_some(), says.is_some(), "{from:?} to {to:?}");
            let (Some(found), Some(says)) = (found, says) else { continue };
            let (log, chat) = (found.for_log, found.for_chat);
            assert!(log.starts_with(&format!("the certificate in cert.pem {says} Renew")), "{log}");
            assert!(chat.starts_with(&format!("The server's certificate {says} ")), "{chat}");
        }
    }

    #[test]
    fn of_a_chain_the_worst_certificate_is_told_and_then_the_one_that_ends_first() {
        let now = "2026-11-28T12:00:00Z".parse().unwrap();
        let long = (2036, 1, 1);
        for (ends, says) in [
            ([long, long, long], None),
            (
                [long, (2026, 12, 5), long],
                Some("certificate 2 of the chain in x expires on 2026-12-05."),
            ),
            (
                [(2026, 12, 5), (2026, 12, 4), (2026, 12, 6)],
                Some("certificate 2 of the chain in x expires on 2026-12-04."),
            ),
            (
                [(2026, 12, 5), long, (2026, 12, 6)],
                Some("the certificate in x expires on 2026-12-05."),
            ),
            (
                [(2026, 12, 5), long, (2026, 11, 1)],
                Some(
                    "certificate 3 of the chain in x has expired on 2026-11-01; clients may refuse it.",
                ),
            ),
            (
                [(2026, 11, 10), long, (2026, 11, 1)],
                Some("the certificate in x has expired on 2026-11-10; clients refuse it."),
            ),
        ] {
            let authority = |at: usize| {
                let mut params = params((2026, 1, 1), ends[at]);
                params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
                CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
            };
            let (root, between) = (authority(2), authority(1));
            let own = params((2026, 1, 1), ends[0]);
            let own = own.signed_by(&KeyPair::generate().unwrap(), &between).unwrap();
            let chain = [own.der(), between.der(), root.der()].map(CertificateDer::clone);
            let found = complaint(&chain, now, Path::new("x")).map(|it| it.for_log);
            let told = found.as_deref().map(|it| it.split_once(" Renew").unwrap().0);
            assert_eq!(told, says, "{ends:?}");
        }
    }
}
