//! The code with which an instructor is known, on one connection: `K7MQ-2R4T`. It stands on the
//! server's console, and is typed by somebody who can read it there.

use super::password::Password;
use serde::{Deserialize, Serialize};
use std::fmt;
use unicode_normalization::UnicodeNormalization as _;

/// 31 digits and letters. Those that are missing look like one that is there: O like 0, I and L
/// like 1, S like 5, U like V.
const SIGNS: &[u8; 31] = b"0123456789ABCDEFGHJKMNPQRTVWXYZ";
/// Signs of a code: 31⁸ are 8.5 × 10¹¹ codes. Whoever guesses from one address tries 10,800 a day
/// (see `server::auth::throttle`).
const LENGTH: usize = 8;

/// A code. It has no `Debug`: it is shown to whoever may use it, and to nobody else.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairingCode([u8; LENGTH]);

impl PairingCode {
    /// The code of a `random` number: by the system's source of them, so that nobody can guess it.
    pub fn of(random: u64) -> PairingCode {
        let mut rest = random;
        PairingCode(std::array::from_fn(|_| {
            let sign = SIGNS[(rest % SIGNS.len() as u64) as usize];
            rest /= SIGNS.len() as u64;
            sign
        }))
    }

    /// What somebody typed in the signs of codes: for a hash of it.
    pub fn signs(typed: &Password) -> Password {
        let signs = typed.reveal().nfkc().filter(|c| c.is_alphanumeric());
        Password::new(&signs.map(read).collect::<String>())
    }

    /// Whether a text has the form of a code, exactly, with a digit in it (JEAN-MARC is a name).
    pub(crate) fn is_like(text: &str) -> bool {
        let is_sign = |byte: &u8| SIGNS.contains(byte);
        text.split_once('-').is_some_and(|(first, second)| {
            let halves = [first, second].map(str::as_bytes);
            halves.iter().all(|half| half.len() == LENGTH / 2 && half.iter().all(is_sign))
                && text.bytes().any(|byte| byte.is_ascii_digit())
        })
    }

    /// Whether that is what somebody typed: in small letters, without the dash, and with signs that
    /// look like those of the code. It takes equally long for every text of this length.
    pub fn is(&self, typed: &Password) -> bool {
        let signs = typed.reveal().nfkc().filter(|c| c.is_alphanumeric());
        let typed: Vec<char> = signs.map(read).take(LENGTH + 1).collect();
        let differ = |(own, typed): (&u8, &char)| usize::from(char::from(*own) != *typed);
        typed.len() == LENGTH && self.0.iter().zip(&typed).map(differ).sum::<usize>() == 0
    }
}

/// A sign as the code has it.
fn read(typed: char) -> char {
    match typed.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        'S' => '5',
        'U' => 'V',
        other => other,
    }
}

/// As it is shown: `K7MQ-2R4T`.
impl fmt::Display for PairingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, second) = self.0.split_at(LENGTH / 2);
        let text = [first, b"-", second].concat();
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> PairingCode {
        PairingCode(text.as_bytes().try_into().unwrap())
    }

    #[test]
    fn a_code_is_known_however_it_is_typed() {
        let code = code("K01Q25VT");
        assert_eq!(code.to_string(), "K01Q-25VT");
        for typed in [
            "K01Q-25VT",
            "k01q25vt",
            "  k01q 25vt ",
            "KOIQ-2SUT",
            "kolq-2sut",
            "K01Q\u{2013}25VT",
            "\u{ff2b}\u{ff10}\u{ff11}\u{ff31}-25VT",
        ] {
            assert!(code.is(&Password::new(typed)), "{typed}");
        }
        for typed in ["", "-", "K01Q-25V", "K01Q-25VTT", "K01Q-25VW", "new"] {
            assert!(!code.is(&Password::new(typed)), "{typed}");
        }
    }

    #[test]
    fn every_code_is_as_likely_and_none_has_a_sign_that_looks_like_another() {
        let codes = 31_u64.pow(8);
        assert!(codes > 850_000_000_000 && u64::MAX / codes > 20_000_000, "the rest is negligible");
        assert!(PairingCode::of(0) == PairingCode::of(codes), "each number below is another code");
        let signs: Vec<char> = SIGNS.iter().map(|&sign| char::from(sign)).collect();
        assert!(signs.iter().all(|&sign| read(sign) == sign));
        let mut seen = [0; 31];
        for i in 0..100_000_u64 {
            let code = PairingCode::of(i.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            assert!(code.is(&Password::new(&code.to_string())));
            code.0.iter().for_each(|sign| {
                seen[SIGNS.iter().position(|s| s == sign).unwrap()] += 1;
            });
        }
        assert!(seen.iter().all(|&n| (24_000..28_000).contains(&n)), "{seen:?}");
    }

    #[test]
    fn each_sign_is_a_digit_of_the_number() {
        let signs = SIGNS.len() as u64;
        assert_eq!(PairingCode::of(1 + 2 * signs + 30 * signs.pow(7)).to_string(), "1200-000Z");
    }

    #[test]
    fn a_name_is_no_code() {
        for text in ["F2TY-1E1Y", "0000-0000", "K7MQ-2R4T"] {
            assert!(PairingCode::is_like(text), "{text}");
        }
        for text in
            ["JEAN-MARC", "f2ty-1e1y", "F2TY1E1Y", "F2TY-1E1", "F2TY-1E1YX", "-", "É2TY-1E1Y"]
        {
            assert!(!PairingCode::is_like(text), "{text}");
        }
    }
}
