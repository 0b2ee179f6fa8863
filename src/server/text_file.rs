//! A small file that a person has written: options, settings, a message of the day. Runs on the
//! caller's thread, and blocks on the disk.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
};

/// Reads it. A pipe or a device is refused: it may keep the reader waiting for ever. (The one that is
/// empty is not.)
pub fn read(path: &Path, bytes_max: u64) -> io::Result<String> {
    if !fs::metadata(path)?.is_file() && path != Path::new("/dev/null") {
        return Err(io::Error::other("it is no ordinary file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(bytes_max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > bytes_max {
        return Err(io::Error::other(format!("it has more than {bytes_max} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| io::Error::other("it is not text in UTF-8"))
}

/// The line, from 1, in which a byte is.
pub fn line_at(text: &str, byte: usize) -> usize {
    1 + text.bytes().take(byte).filter(|&byte| byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_also_within_a_letter_and_behind_the_end() {
        let lines = [0, 1, 2, 3, 99].map(|byte| line_at("\u{e4}\nb\n", byte));
        assert_eq!(lines, [1, 1, 1, 2, 3]);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn what_never_ends_is_not_read() {
        assert!(read(Path::new("/dev/zero"), 10).is_err());
        assert_eq!(read(Path::new("/dev/null"), 10).unwrap(), "");
        assert!(read(Path::new("/proc/self/status"), 10).is_err(), "its length is told to be 0");
    }
}
