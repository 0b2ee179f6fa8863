//! One connection's own, from its first line to its last. No I/O; the `socket` thread's.

use crate::arrivals::Arrivals;

/// Whether a connection has notes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Notes {
    /// Not known to be a chatd's, or one's that has none.
    #[default]
    Off,
    /// They are asked for. The first question for a name was asked before.
    Asked {
        was_name_asked: bool,
    },
    On,
}

/// One connection's own.
#[derive(Default)]
pub(crate) struct Visit {
    pub(crate) notes: Notes,
    /// A note that is longer than a line, as far as it has come.
    pub(crate) begun: String,
    /// The name we have given without asking the person.
    pub(crate) gave: Option<String>,
    /// The server noted that it refuses that name; it says why next.
    pub(crate) is_name_refused: bool,
    /// Where to go once we are in.
    pub(crate) room: Option<String>,
    pub(crate) arrivals: Arrivals,
    pub(crate) is_in: bool,
    /// As far as a server tells that notes nothing.
    pub(crate) is_let_in: bool,
    /// The answer to our own `/echo on` is not to be shown.
    pub(crate) asked_for_echo: bool,
    /// We have been here before.
    pub(crate) is_return: bool,
    /// What the server says to newcomers is not shown: we come back, and have read it.
    pub(crate) is_at_the_door: bool,
    /// The person is asked for something, so this connection is not given up for another try.
    pub(crate) is_asked: bool,
    /// The server was asked to let us go on as before.
    pub(crate) resumes: bool,
    /// Private lines that were told again, and had been read.
    pub(crate) told_before: usize,
    /// What was missed is being told.
    pub(crate) is_told_again: bool,
}

impl Visit {
    pub(crate) fn first(room: Option<String>) -> Visit {
        Visit { room, ..Visit::default() }
    }

    /// The next visit is to the same room.
    pub(crate) fn next(self, room: Option<String>) -> Visit {
        let (room, arrivals) = (room.or(self.room), self.arrivals);
        Visit { room, arrivals, is_return: true, is_at_the_door: true, ..Visit::default() }
    }
}
