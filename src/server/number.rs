//! A number of the command line. No I/O.

use std::str::FromStr;

/// Reads a size: 500M, 2G, or a number of bytes.
pub fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &*text[digits.len()..].to_ascii_lowercase() {
        "" | "b" => Some(1),
        "k" | "kb" | "kib" => Some(1 << 10),
        "m" | "mb" | "mib" => Some(1 << 20),
        "g" | "gb" | "gib" => Some(1 << 30),
        _ => None,
    };
    unit.and_then(|unit| whole_number::<u64>(digits).ok()?.checked_mul(unit))
        .ok_or_else(|| format!("\"{text}\" is not a size. Give one like 500M or 2G."))
}

/// A size in the largest unit that fits.
pub fn size_shown(bytes: u64) -> String {
    match bytes {
        0..0x10_0000 => format!("{} KiB", bytes >> 10),
        0x10_0000..0x4000_0000 => format!("{} MiB", bytes >> 20),
        _ => format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30)),
    }
}

/// Reads the number of an option. (The library would say "invalid digit found in string".)
pub fn whole_number<T: FromStr>(text: &str) -> Result<T, String> {
    let is_a_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(number) if is_a_number => Ok(number),
        _ if is_a_number => {
            Err(format!("{text} is too large a number. Give a smaller one, like 512."))
        }
        _ => Err(format!("\"{text}\" is not a whole number. Give one in digits, like 512.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_shown_in_a_unit_that_can_be_typed() {
        for (bytes, shown) in [
            (20_000, "19 KiB"),
            ((1 << 20) - 1, "1023 KiB"),
            (500 << 20, "500 MiB"),
            (3 << 29, "1.5 GiB"),
        ] {
            assert_eq!(size_shown(bytes), shown);
        }
        assert_eq!(size(&size_shown(500 << 20).replace(' ', "")), Ok(500 << 20));
    }
}
