//! Which certificate is accepted: the one that a person has named, or one that the machine's own
//! authorities have signed. The second is rustls's own to decide. That the server has the
//! certificate's key is verified in either case. No I/O.

use super::fingerprint::Fingerprint;
use chatd::core::wire::sanitize::replace_controls;
use jiff::{Timestamp, tz::TimeZone};
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use std::{fmt, net::IpAddr, sync::Arc};
use webpki::EndEntityCert;

/// The most names of a certificate that are told.
const NAMES_MAX: usize = 3;

/// Whom to believe that it is the server.
#[derive(Debug)]
pub(crate) enum Accepted {
    /// Whoever has one of these certificates, whatever stands in it.
    These(Vec<Fingerprint>),
    /// Whoever has a certificate for this name by one of the machine's authorities. `None`: it has none.
    Signed(Option<Arc<WebPkiServerVerifier>>),
}

#[derive(Debug)]
pub(crate) struct Verifier {
    pub(crate) accepted: Accepted,
    pub(crate) algorithms: WebPkiSupportedAlgorithms,
}

/// Why a certificate is not accepted.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub(crate) presented: Fingerprint,
    /// A sentence without its end: "it is self-signed".
    pub(crate) why: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.why, self.presented)
    }
}

impl std::error::Error for Refused {}

impl Refused {
    /// What [`Verifier`] has put into the error of a handshake.
    pub(crate) fn of(error: &Error) -> Option<&Refused> {
        let Error::InvalidCertificate(CertificateError::Other(OtherError(why))) = error else {
            return None;
        };
        why.downcast_ref()
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let presented = Fingerprint::of(certificate);
        let result = match &self.accepted {
            Accepted::These(these) if these.contains(&presented) => {
                return Ok(ServerCertVerified::assertion());
            }
            Accepted::These(_) => Err("it is another one".to_owned()),
            Accepted::Signed(Some(roots)) => roots
                .verify_server_cert(certificate, intermediates, name, ocsp_response, now)
                .map_err(|error| why(&error, certificate, name)),
            Accepted::Signed(None) => {
                Err("this machine has no list of authorities that could have signed it".to_owned())
            }
        };
        result.map_err(|why| {
            let refused = Refused { presented, why };
            Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(refused))))
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Why the machine's authorities are no help, for a person.
fn why(error: &Error, certificate: &CertificateDer<'_>, name: &ServerName<'_>) -> String {
    let Error::InvalidCertificate(error) = error else { return format!("{error}") };
    match error {
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("it expired on {}", day(*not_after))
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            let day = day(*not_before);
            format!("it is not valid before {day}, if the clock of this machine is right")
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            format!("it is for {}, and not for {}", names(presented), name.to_str())
        }
        CertificateError::UnknownIssuer | CertificateError::Other(_)
            if is_self_signed(certificate) =>
        {
            "it is self-signed, so no authority says whose it is".to_owned()
        }
        // The second calls itself like one of them, and has another key.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "it is signed by none of the authorities that this machine knows".to_owned()
        }
        error => format!("it cannot be verified ({error})"),
    }
}

fn is_self_signed(certificate: &CertificateDer<'_>) -> bool {
    EndEntityCert::try_from(certificate).is_ok_and(|it| it.issuer() == it.subject())
}

fn day(time: UnixTime) -> String {
    let time = i64::try_from(time.as_secs()).ok().and_then(|at| Timestamp::from_second(at).ok());
    time.map_or("a day far away".to_owned(), |at| at.to_zoned(TimeZone::UTC).date().to_string())
}

/// A stranger wrote these, and webpki shows each as `DnsName("example.org")`.
fn names(presented: &[String]) -> String {
    let bare = |name: &String| {
        let inner = name.split_once('(').map_or(&**name, |(_, inner)| inner);
        replace_controls(inner.trim_end_matches(')').trim_matches('"')).into_owned()
    };
    let mut names: Vec<String> = presented.iter().take(NAMES_MAX).map(bare).collect();
    match presented.len().saturating_sub(NAMES_MAX) {
        0 if names.is_empty() => return "no name".to_owned(),
        0 => {}
        more => names.push(format!("{more} more")),
    }
    names.join(", ")
}

/// The name that a certificate has to be for. `None`: there can be none for this host.
pub(crate) fn server_name(host: &str) -> Option<ServerName<'static>> {
    let address = host.split_once('%').map_or(host, |(address, _)| address); // fe80::1%eth0
    match address.parse::<IpAddr>() {
        Ok(address) => Some(address.into()),
        Err(_) => ServerName::try_from(host.to_owned()).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_stranger_are_few_and_harmless() {
        let names_of = |names: &[&str]| {
            super::names(&names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>())
        };
        let presented = ["DnsName(\"a.b\")", "IpAddress(::1)"].map(str::to_owned);
        assert_eq!(names(&presented), "a.b, ::1");
        assert_eq!(names(&[]), "no name");
        assert_eq!(names(&["DnsName(\"\u{1b}[2J\")".to_owned()]), "\u{fffd}[2J");
        assert_eq!(names_of(&["a", "b", "c", "d", "e"]), "a, b, c, 2 more");
    }

    #[test]
    fn a_host_in_numbers_is_a_name_too() {
        for (host, name) in [
            ("localhost", Some("localhost")),
            ("127.0.0.1", Some("127.0.0.1")),
            ("fe80::1%eth0", Some("fe80::1")),
            ("no..host", None),
        ] {
            let found = server_name(host);
            assert_eq!(found.as_ref().map(ServerName::to_str).as_deref(), name, "{host}");
        }
    }
}
