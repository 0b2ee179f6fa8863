//! TLS: the handshake, and whose certificate is accepted in it.
//!
//! A server that a person has named by a fingerprint, or accepted before, has to have that very
//! certificate. Any other has to have one that an authority of this machine has signed; if it has
//! not, a person may be asked (`ask.rs`). What they accept is remembered, and the connection is then
//! made anew: none is ever used on which something was not verified.

mod ask;
mod fingerprint;
mod known_servers;
mod stream;
mod trust;
mod verifier;

pub(crate) use ask::{ask, may_ask};
pub(crate) use fingerprint::Fingerprint;
pub(crate) use stream::TlsStream;
pub(crate) use trust::Trust;

use crate::{
    address::Address,
    ending::{CONNECT_LIMIT, Ending},
};
use rustls::{
    ClientConfig, ClientConnection, Error, RootCertStore,
    client::{Resumption, WebPkiServerVerifier},
    crypto::{CryptoProvider, ring},
};
use std::{
    io::{self, ErrorKind, IoSlice, Read, Write},
    net::TcpStream,
    sync::Arc,
    time::Instant,
};
use trust::Expected;
use verifier::{Accepted, Refused, Verifier, server_name};

/// What begins every TLS record by which a server complains that this is no TLS.
const ALERT: [u8; 2] = [21, 3];

/// Whether the first bytes from a server are TLS's, though none was spoken to it.
pub(crate) fn is_alert(first: &[u8]) -> bool {
    first.starts_with(&ALERT)
}

/// Makes a connection one that speaks TLS, with a server that is what it says.
///
/// # Errors
/// The [`Ending`] that this would be, if it was the first connection.
pub(crate) fn begin(
    tcp: TcpStream,
    to: &Address,
    trust: &Trust,
    deadline: Instant,
) -> Result<TlsStream, Ending> {
    let no_tls = |why: String| Ending::NoTls(to.clone(), why);
    let distrusted = Ending::Distrusted;
    let expected = trust.expected(to).map_err(|why| {
        distrusted(format!("it is not known which certificate {to} should have: {why}."))
    })?;
    let name = server_name(&to.host)
        .ok_or_else(|| distrusted(format!("no certificate can be for the host {:?}.", to.host)))?;
    let config = config(&expected).map_err(|error| no_tls(error.to_string()))?;
    let tls = ClientConnection::new(Arc::new(config), name);
    let mut tls = tls.map_err(|error| no_tls(error.to_string()))?;
    let mut limited = Limited { tcp: &tcp, deadline };
    while tls.is_handshaking() {
        if let Err(e) = tls.complete_io(&mut limited) {
            let inner = e.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
            return Err(match inner {
                Some(error) => match Refused::of(error) {
                    Some(refused) => trust.refusal(to, &expected, refused),
                    None if matches!(error, Error::InvalidCertificate(_)) => distrusted(format!(
                        "{to} has not shown that its certificate is its own: {error}."
                    )),
                    None => no_tls(why_no_tls(error)),
                },
                None => no_tls(why_no_answer(&e)),
            });
        }
    }
    TlsStream::new(tcp, tls).map_err(|e| no_tls(e.to_string()))
}

fn config(expected: &Expected) -> Result<ClientConfig, Error> {
    let provider = Arc::new(ring::default_provider());
    let accepted = match expected {
        Expected::Given(given) => Accepted::These(vec![given.clone()]),
        Expected::Known(known) => {
            Accepted::These(known.iter().map(|known| known.fingerprint.clone()).collect())
        }
        Expected::Nothing => Accepted::Signed(authorities(&provider)),
    };
    let algorithms = provider.signature_verification_algorithms;
    let verifier = Arc::new(Verifier { accepted, algorithms });
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous() // what we must not forget then is in verifier.rs
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.resumption = Resumption::disabled(); // or the next connection would not be verified
    Ok(config)
}

/// Those that this machine trusts, read anew for each connection: that takes milliseconds.
fn authorities(provider: &Arc<CryptoProvider>) -> Option<Arc<WebPkiServerVerifier>> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::clone(provider);
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().ok()
}

fn why_no_tls(error: &Error) -> String {
    match error {
        Error::InvalidMessage(_) => {
            "what it answers is no TLS. Leave TLS out, or give the port where it speaks it"
                .to_owned()
        }
        Error::AlertReceived(alert) => format!("it refuses ({alert:?})"),
        error => format!("{error}"),
    }
}

fn why_no_answer(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => {
            format!(
                "it does not answer within {} s. Is this the right port?",
                CONNECT_LIMIT.as_secs()
            )
        }
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => {
            "it closes the connection. Is this the right port?".to_owned()
        }
        _ => error.to_string(),
    }
}

/// Reads until a deadline, however slowly the bytes come.
struct Limited<'a> {
    tcp: &'a TcpStream,
    deadline: Instant,
}

impl Read for Limited<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        self.tcp.set_read_timeout(Some(left))?;
        self.tcp.read(into)
    }
}

impl Write for Limited<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.tcp.write(bytes)
    }

    /// All records at once: of the last ones, which say why we end, each would need a call else.
    fn write_vectored(&mut self, records: &[IoSlice<'_>]) -> io::Result<usize> {
        self.tcp.write_vectored(records)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
