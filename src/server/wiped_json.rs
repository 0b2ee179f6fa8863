//! JSON that is overwritten in memory when it is dropped: half a password may be in it.

use serde::Serialize;
use std::{
    io::{self, Write},
    mem::take,
};
use zeroize::Zeroizing;

/// The bytes that there is room for at first: a session fits as a rule.
const AT_FIRST: usize = 4096;

/// Writes a value as JSON.
pub(crate) fn to_json(value: &impl Serialize) -> serde_json::Result<Zeroizing<String>> {
    let mut json = Wiped(Zeroizing::new(Vec::with_capacity(AT_FIRST)));
    serde_json::to_writer(&mut json, value)?;
    let text = String::from_utf8(take(&mut *json.0));
    Ok(Zeroizing::new(text.expect("JSON is UTF-8")))
}

/// A vector that grows by itself would leave what it had behind.
struct Wiped(Zeroizing<Vec<u8>>);

impl Write for Wiped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let needed = self.0.len() + bytes.len();
        if needed > self.0.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(2 * needed));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_serde_writes_however_long_it_is() {
        for length in [0, AT_FIRST - 2, AT_FIRST - 1, 100_000] {
            let text = "x".repeat(length);
            assert_eq!(*to_json(&text).unwrap(), serde_json::to_string(&text).unwrap());
        }
    }
}
