//! The certificate and its key: read at the start, and again on SIGHUP. Runs on thread `main`, and
//! blocks on the disk.

use super::fingerprint::fingerprint;
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
}

/// The one that holds now, for every connection that begins.
pub(crate) struct Certificates {
    current: Locked<Current>,
    /// The chat's port without encryption, if there is one: for those who come to the wrong one.
    pub(crate) plain_port: Option<u16>,
}

struct Current {
    config: Arc<ServerConfig>,
    fingerprint: String,
}

impl Certificates {
    pub(crate) fn new(first: Certificate, plain_port: Option<u16>) -> Certificates {
        let current = Current { config: first.config, fingerprint: first.fingerprint };
        Certificates { current: Locked::new(LockKind::Settings, current), plain_port }
    }

    /// For a connection that begins.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.lock().config)
    }

    /// From now on another one holds, for connections that begin. Returns whether it is another one.
    pub(crate) fn replace(&self, next: Certificate) -> bool {
        let mut current = self.current.lock();
        let is_other = current.fingerprint != next.fingerprint;
        *current = Current { config: next.config, fingerprint: next.fingerprint };
        is_other
    }
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
        let validity = validity(&chain[0], Timestamp::now(), &self.cert);
        let warnings = validity.into_iter().chain(open_to_everybody(&self.key)).collect();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, self.read_key()?);
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
        Ok(Certificate { config: Arc::new(config), fingerprint, warnings })
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

/// Warns of a certificate that does not hold now, or not for long. It is used all the same: it
/// encrypts as well as ever, and whoever knows its fingerprint asks for no more.
fn validity(certificate: &CertificateDer<'_>, now: Timestamp, path: &Path) -> Option<String> {
    let path = path.display();
    match holds_at(certificate, unix_time(now)) {
        Err(CertificateError::NotValidYetContext { not_before, .. }) => Some(format!(
            "the certificate in {path} holds only from {} on, says this machine's clock; clients will refuse it",
            date(not_before)
        )),
        _ => match holds_at(certificate, NEVER) {
            Err(CertificateError::ExpiredContext { not_after, .. }) if is_past(not_after, now) => {
                Some(format!(
                    "the certificate in {path} has expired on {}; clients will refuse it. Renew it, and send SIGHUP",
                    date(not_after)
                ))
            }
            Err(CertificateError::ExpiredContext { not_after, .. })
                if is_past(not_after, now + SOON) =>
            {
                Some(format!(
                    "the certificate in {path} expires on {}. Renew it, and send SIGHUP",
                    date(not_after)
                ))
            }
            _ => None,
        },
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
