//! A number of the command line. No I/O.

use std::str::FromStr;

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
