//! The few places where these tests look behind the protocol, all in this file.

pub use chatd::core::rooms::ROOMS_MAX;
