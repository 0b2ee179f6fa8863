//! By what a person tells one certificate from another: its SHA-256, as `openssl x509 -fingerprint
//! -sha256` prints it. No I/O.

use chatd::server::tls::fingerprint::{PREFIX, fingerprint};
use std::fmt;

/// The hash of a certificate, as chatd writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint(String);

/// Bytes of a SHA-256.
const SIZE: usize = 32;

impl Fingerprint {
    /// A certificate's, in the form in which it is sent (DER).
    pub(crate) fn of(certificate: &[u8]) -> Fingerprint {
        Fingerprint(fingerprint(certificate))
    }

    /// Takes it in any form in which people find one: hexadecimal digits in large or small letters,
    /// with or without colons, behind `SHA256:` or openssl's `sha256 Fingerprint=`, or alone.
    ///
    /// # Errors
    /// A sentence that says what would be one.
    pub(crate) fn parse(text: &str) -> Result<Fingerprint, String> {
        let digits = text.trim().rsplit_once('=').map_or(text.trim(), |(_, digits)| digits);
        let digits = match digits.split_at_checked(PREFIX.len()) {
            Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) => rest,
            _ => digits,
        };
        let size = if digits.contains(':') { "AB:".len() } else { "AB".len() };
        let pairs: Vec<&[u8]> = digits.as_bytes().chunks(size).collect();
        let is_pair = |pair: &&[u8]| match **pair {
            [high, low] | [high, low, b':'] => high.is_ascii_hexdigit() && low.is_ascii_hexdigit(),
            _ => false,
        };
        if pairs.len() != SIZE || !pairs.iter().all(is_pair) || digits.ends_with(':') {
            return Err(format!(
                "{text:?} is no fingerprint: that is {PREFIX} and {} hexadecimal digits, like {PREFIX}5A:01:…",
                2 * SIZE
            ));
        }
        let pair = |pair: &&[u8]| String::from_utf8_lossy(&pair[..2]).to_ascii_uppercase();
        let pairs: Vec<String> = pairs.iter().map(pair).collect();
        Ok(Fingerprint(format!("{PREFIX}{}", pairs.join(":"))))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_in_every_form_in_which_people_find_it() {
        let shown = Fingerprint::of(b"abc").to_string();
        assert_eq!(
            shown,
            "SHA256:BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:\
             B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:15:AD"
        );
        let colons = &shown["SHA256:".len()..];
        let bare = colons.replace(':', "");
        for text in [
            shown.clone(),
            shown.to_lowercase(),
            colons.to_owned(),
            bare.to_lowercase(),
            format!("SHA256:{bare}"),
            format!("sha256 Fingerprint={colons}"),
            format!(" SHA256 Fingerprint={colons}\n"),
        ] {
            assert_eq!(Fingerprint::parse(&text), Ok(Fingerprint::of(b"abc")), "{text}");
        }
        for text in [
            "",
            "SHA256:",
            &colons[3..],
            &bare[1..],
            &format!("{bare}0"),
            &format!("{colons}:00"),
            &format!("{colons}:"),
            &colons.replacen("BA", "+A", 1),
            &colons.replacen("BA", "BÄ", 1),
            &format!("MD5:{bare}"),
        ] {
            assert!(Fingerprint::parse(text).is_err(), "{text}");
        }
    }
}
