//! The fingerprint of a certificate, by which people recognise a server. No I/O.

use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;

/// What a fingerprint of ours begins with.
pub const PREFIX: &str = "SHA256:";

/// The fingerprint of a certificate in DER: the bytes of its SHA-256 in upper-case hexadecimal with
/// colons between, as `openssl x509 -fingerprint -sha256` prints them, behind [`PREFIX`].
pub fn fingerprint(certificate: &[u8]) -> String {
    let suite = TLS13_AES_128_GCM_SHA256.tls13().expect("it is one of TLS 1.3");
    let hash = suite.common.hash_provider.hash(certificate);
    let bytes: Vec<String> = hash.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    format!("{PREFIX}{}", bytes.join(":"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_sha_256_as_openssl_prints_it() {
        assert_eq!(
            fingerprint(b"abc"),
            "SHA256:BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:\
             B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:15:AD"
        );
    }
}
