//! Bytes as hexadecimal digits, where they are handed over: they are read into a vector of the right
//! length. One that grew would leave copies behind, perhaps of half a password.

use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};
use std::fmt::Write as _;
use zeroize::Zeroizing;

pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    let mut digits = Zeroizing::new(String::with_capacity(2 * bytes.len()));
    bytes.iter().for_each(|byte| write!(digits, "{byte:02x}").expect("there is room"));
    serializer.serialize_str(&digits)
}

pub(super) fn deserialize<'de, D>(deserializer: D) -> Result<Vec<u8>, D::Error>
where
    D: Deserializer<'de>,
{
    let digits = Zeroizing::new(String::deserialize(deserializer)?);
    let mut bytes = Vec::with_capacity(digits.len() / 2);
    for pair in digits.as_bytes().chunks(2) {
        let pair = std::str::from_utf8(pair).map_err(D::Error::custom)?;
        bytes.push(u8::from_str_radix(pair, 16).map_err(D::Error::custom)?);
    }
    Ok(bytes)
}
