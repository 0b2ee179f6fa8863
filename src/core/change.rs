//! What has to be known of a [`Change`] while it waits to be written: whether it may fail, its lines,
//! and its bytes.

use super::record::{Change, LineId};

impl Change {
    /// Whether the change may be refused when it is written, so that whoever asked for it waits for
    /// the outcome. Any other change is in force as soon as it is applied; if the disk fails, it is
    /// written later.
    pub fn may_fail(&self) -> bool {
        match self {
            Change::Registered(..) | Change::PasswordChanged(..) | Change::Unregistered(_) => true,
            Change::PrivateMessage { is_mail, .. } => *is_mail,
            Change::MailDeleted(..) => true,
            Change::RoomMessage { .. } | Change::RoomSetting { .. } => false,
            Change::LinesRemoved(_) | Change::Token(_) => false,
            Change::Sanctioned(_) | Change::SanctionLifted(..) | Change::Audit { .. } => false,
        }
    }

    /// The number of lines that somebody said with it.
    pub(crate) fn line_count(&self) -> usize {
        match self {
            Change::RoomMessage { text, .. } => text.matches('\n').count(),
            Change::PrivateMessage { .. } => 1,
            _ => 0,
        }
    }

    /// The number of its first line, if somebody said something.
    pub(crate) fn first_line(&self) -> Option<LineId> {
        match self {
            Change::RoomMessage { id, .. } | Change::PrivateMessage { id, .. } => Some(*id),
            _ => None,
        }
    }

    /// Adds `by` to the numbers of lines from `first` on.
    pub(crate) fn renumber(&mut self, first: LineId, by: i64) {
        let ids = match self {
            Change::RoomMessage { id, .. } | Change::PrivateMessage { id, .. } => {
                std::slice::from_mut(id)
            }
            Change::LinesRemoved(lines) => &mut lines[..],
            _ => return,
        };
        ids.iter_mut().filter(|id| **id >= first).for_each(|id| id.0 += by);
    }

    /// Bytes of the text that a client typed, for queues that are bounded in bytes. What else is in
    /// a change is short.
    pub(crate) fn text_bytes(&self) -> usize {
        match self {
            Change::RoomMessage { text, .. } | Change::PrivateMessage { text, .. } => text.len(),
            Change::RoomSetting { value, .. } => value.as_ref().map_or(0, |(text, _)| text.len()),
            Change::Registered(..) | Change::PasswordChanged(..) | Change::Unregistered(_) => 0,
            Change::MailDeleted(..) | Change::SanctionLifted(..) => 0,
            Change::Sanctioned(sanction) => sanction.why.as_ref().map_or(0, String::len),
            Change::LinesRemoved(lines) => size_of_val(&lines[..]),
            Change::Token(change) => change.bytes(),
            Change::Audit { what, .. } => what.len(),
        }
    }
}
