//! Numbers that nobody can guess, from the system. Any thread.

use crate::core::token::Token;

/// A number for [`RoomsConfig::epoch`](crate::core::rooms::RoomsConfig). JavaScript has it exactly.
pub fn epoch() -> u64 {
    u64::from_ne_bytes(bytes()) >> 11
}

/// A token for [`Driver::draw_token`](crate::core::driver::Driver::draw_token).
pub fn token() -> Token {
    Token::of(u128::from_ne_bytes(bytes()))
}

/// # Panics
/// The system has no random numbers. Then there are no salts for passwords either.
fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has random numbers");
    bytes
}
