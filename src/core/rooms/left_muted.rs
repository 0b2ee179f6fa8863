//! Those who were muted and have left. Whoever comes from the same address soon after may be one of them,
//! under another name.

use crate::core::address::ClientAddress;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// How long that may be: a mute is meant to be waited for, and not to be left for another name. Who
/// comes later is rarely the same.
const SOON: SignedDuration = SignedDuration::from_mins(10);
/// The most that are remembered; the first one is forgotten then. It is more than a class.
const LEFT_MAX: usize = 100;

/// Somebody who was muted and has left.
#[derive(Serialize, Deserialize)]
pub(crate) struct Left {
    pub(super) address: ClientAddress,
    /// As they were called.
    pub(crate) name: String,
    /// The key of the name under which they are muted.
    pub(super) key: String,
    pub(super) at: Timestamp,
}

/// Those who were muted and have left a moment ago.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct LeftMuted(VecDeque<Left>);

impl LeftMuted {
    pub(super) fn note(&mut self, left: Left) {
        let is_another = |other: &Left| other.address != left.address || other.key != left.key;
        self.0.retain(is_another);
        if self.0.len() >= LEFT_MAX {
            self.0.pop_front();
        }
        self.0.push_back(left);
    }

    /// Those who left this address a moment ago, the last one first.
    pub(super) fn from(
        &self,
        address: ClientAddress,
        now: Timestamp,
    ) -> impl Iterator<Item = &Left> {
        let is_meant =
            move |left: &&Left| left.address == address && now.duration_since(left.at) <= SOON;
        self.0.iter().rev().filter(is_meant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_remembered_once_and_a_hundred_at_most() {
        let [here, there] = ["192.0.2.7", "192.0.2.8"].map(|it| it.parse().unwrap());
        let mut left = LeftMuted::default();
        let mut note = |address, key: &str| {
            let (name, key) = (key.to_owned(), key.to_owned());
            left.note(Left { address, name, key, at: Timestamp::UNIX_EPOCH });
            let from_here = left.from(here, Timestamp::UNIX_EPOCH);
            from_here.map(|left| left.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(note(here, "bob"), ["bob"]);
        assert_eq!(note(here, "bob"), ["bob"], "who comes and goes");
        assert_eq!(note(here, "carol"), ["carol", "bob"]);
        assert_eq!(note(there, "bob"), ["carol", "bob"]);
        for i in 0..LEFT_MAX - 2 {
            note(there, &format!("guest{i}"));
        }
        assert_eq!(note(there, "bob"), ["carol"], "the first one is forgotten");
    }
}
