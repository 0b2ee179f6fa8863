//! Mistakes that are easy to make in these files. Each is planted in the copy behind a switch, and its scenario has to
//! find it. Where the source has changed, so that `right` is not there any more, the build says so.

#![allow(dead_code, reason = "build.rs and the program each read a part")]

mod clients;
mod server;

pub(crate) struct Planted {
    pub(crate) name: &'static str,
    /// The scenario that finds it.
    pub(crate) scenario: &'static str,
    pub(crate) file: &'static str,
    pub(crate) right: &'static str,
    pub(crate) wrong: &'static str,
}

/// All of them.
pub(crate) fn planted() -> impl Iterator<Item = &'static Planted> {
    clients::ALL.iter().chain(server::ALL)
}
