//! Bytes as hexadecimal digits, where they are handed over: half as many as in a list of numbers, and they
//! are read into a vector of the right length. One that grew would leave copies behind, perhaps of
//! half a password.

use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};
use zeroize::Zeroizing;

const DIGITS: &[u8; 16] = b"0123456789abcdef";

pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    let mut digits = Zeroizing::new(String::with_capacity(2 * bytes.len()));
    for byte in bytes {
        let both = [byte >> 4, byte & 15].map(|half| char::from(DIGITS[usize::from(half)]));
        digits.extend(both);
    }
    serializer.serialize_str(&digits)
}

pub(crate) fn deserialize<'de, D, B>(deserializer: D) -> Result<B, D::Error>
where
    D: Deserializer<'de>,
    B: From<Vec<u8>>,
{
    let digits = Zeroizing::new(String::deserialize(deserializer)?);
    let mut bytes = Vec::with_capacity(digits.len() / 2);
    for pair in digits.as_bytes().chunks(2) {
        let pair = std::str::from_utf8(pair).map_err(D::Error::custom)?;
        bytes.push(u8::from_str_radix(pair, 16).map_err(D::Error::custom)?);
    }
    Ok(bytes.into())
}
