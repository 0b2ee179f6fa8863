//! What is known of a client before they have a name.

use crate::core::{
    close_reason::CloseReason, driver::Driver, name::Name, notice::notice, wire::opening::Seen,
};
use serde::{Deserialize, Serialize};

/// A client at the door.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Newcomer {
    /// `Some`: only a place for an administrator was left. The number is that of the ordinary
    /// places.
    pub(super) reserve_of: Option<usize>,
    pub(super) names_refused: u32,
    /// They gave the pairing code.
    pub(super) is_instructor: bool,
    /// They would have been hung up, under `--anonymous`, and may still give the pairing code.
    #[serde(skip)]
    pub(super) kept_out: Option<Box<KeptOut>>,
}

/// Under which name somebody would come in, and why they may not.
pub(super) struct KeptOut {
    pub(super) name: Name,
    pub(super) reason: CloseReason,
}

impl Newcomer {
    /// Without names, nothing is asked before a client comes in. One that may not can still be an
    /// instructor, so they are not hung up before they have typed something else. Returns what they
    /// read.
    pub(super) fn keep_out(&mut self, name: Name, reason: CloseReason) -> String {
        let why = match &reason {
            CloseReason::Banned(why) | CloseReason::Locked(why) => why.clone(),
            other => format!("{other}."),
        };
        self.kept_out = Some(Box::new(KeptOut { name, reason }));
        format!("You may not come in: {why} An instructor types /instructor CODE.")
    }
}

/// Deals with a first line that is no chat's, and with the one after it. Returns whether the line is
/// dropped.
#[inline(never)] // see `Session::hear`
pub(super) fn on_opening(
    seen: Seen,
    close: &mut Option<CloseReason>,
    driver: &mut dyn Driver,
) -> bool {
    match seen {
        Seen::Ordinary => return false,
        Seen::NotHeldBack => {
            driver.reply(notice("That was not said. Type it again to say it.").as_bytes());
            return false;
        }
        Seen::HeldBack => {}
        Seen::Other(protocol) => *close = Some(CloseReason::OtherProtocol(protocol)),
    }
    true
}
