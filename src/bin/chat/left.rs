//! Rooms that the person has left, and up to where everything of them has come: who comes back reads
//! what was said there meanwhile. No I/O.

/// The most rooms.
const ROOMS_MAX: usize = 100;

/// Where `/leave` leads.
const LOBBY: &str = "lobby";

/// Up to where everything that was said has come: line `last` of this room and this epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) room: String,
    pub(crate) last: u64,
    pub(crate) epoch: u64,
}

#[derive(Debug, Default)]
pub(crate) struct LeftRooms(Vec<Place>);

impl LeftRooms {
    /// The person is in `room` now, and was at `before`.
    pub(crate) fn moved(&mut self, before: Option<&Place>, room: &str) {
        let before = before.filter(|place| place.room != room);
        let is_old = |place: &Place| before.is_some_and(|before| before.room == place.room);
        self.0.retain(|place| place.room != room && !is_old(place));
        if self.0.len() == ROOMS_MAX {
            self.0.remove(0);
        }
        self.0.extend(before.cloned());
    }

    /// What is to be asked before a line that goes back to one of these rooms. Numbers are good within
    /// their epoch.
    pub(crate) fn question_before(&self, line: &str, epoch: u64) -> Option<String> {
        let mut words = line.split_whitespace();
        let room = match &*words.next()?.to_ascii_lowercase() {
            "/join" => words.next()?.trim_start_matches('#').to_lowercase(),
            "/leave" => LOBBY.to_owned(),
            _ => return None,
        };
        let is_it = |place: &&Place| place.room.to_lowercase() == room && place.epoch == epoch;
        let place = self.0.iter().find(is_it)?;
        Some(format!("/since {} {}", place.room, place.last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(room: &str, last: u64) -> Place {
        Place { room: room.to_owned(), last, epoch: 7 }
    }

    #[test]
    fn of_a_room_that_was_left_it_is_known_up_to_where_it_was_read() {
        let mut left = LeftRooms::default();
        left.moved(None, "lobby");
        left.moved(Some(&place("lobby", 5)), "Math");
        for line in ["/join lobby", "/JOIN  #Lobby", "/leave"] {
            assert_eq!(left.question_before(line, 7).as_deref(), Some("/since lobby 5"), "{line}");
            assert_eq!(left.question_before(line, 8), None, "its numbers are of other lines");
        }
        for line in ["/join math", "/join", "lobby", "/msg lobby x", ""] {
            assert_eq!(left.question_before(line, 7), None, "{line}");
        }
        left.moved(Some(&place("Math", 7)), "Math"); // the connection broke
        left.moved(Some(&place("Math", 9)), "lobby");
        assert_eq!(left.question_before("/join math", 7).as_deref(), Some("/since Math 9"));
        assert_eq!(left.question_before("/leave", 7), None, "that is where we are");
    }
}
