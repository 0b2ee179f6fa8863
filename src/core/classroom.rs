//! For a class: questions to the administrators alone, and raised hands. Part of [`Rooms`].

use super::{
    event::Answer,
    requests::Sentence,
    rooms::{Member, Rooms},
};

impl<H: Clone> Rooms<H> {
    /// `/ask`. `Ok(None)`: the answer comes when it is written.
    pub(super) fn ask_administrators(
        &mut self,
        asker: usize,
        text: String,
    ) -> Result<Option<Answer>, Sentence> {
        self.may_write(asker)?;
        let present = |&(slot, _): &(usize, &Member<H>)| slot != asker && self.is_admin(slot);
        let mut administrators: Vec<usize> =
            self.members.iter().filter(present).map(|(slot, _)| slot).collect();
        administrators.sort_by_key(|&slot| self.members[slot].name.key());
        if administrators.is_empty() {
            return Err("No administrator is here. /msg NAME TEXT leaves a message."
                .to_owned()
                .into());
        }
        Ok(self.tell_alone(asker, &administrators, text, true))
    }

    /// `/hand`: raises it, or lowers it. The administrators of the room are told.
    pub(super) fn hand(&mut self, asker: usize) -> String {
        let Member { hand, room, .. } = &mut self.members[asker];
        let room = *room;
        *hand = if hand.is_none() { Some(self.now) } else { None };
        let is_up = hand.is_some();
        let (place, name) = (self.raised(room).len(), self.members[asker].name.shown().to_owned());
        let line = match is_up {
            true => format!("*** {name} raised a hand ({place} up in {})\n", self.rooms[room].name),
            false => {
                format!("*** {name} lowered the hand ({place} up in {})\n", self.rooms[room].name)
            }
        };
        for member in self.rooms[room].members.clone() {
            if member != asker && self.is_admin(member) {
                self.tell(member, &line);
            }
        }
        match is_up {
            true => format!(
                "*** Your hand is up, number {place} in {}. /hand lowers it.\n",
                self.rooms[room].name
            ),
            false => "*** Your hand is down.\n".to_owned(),
        }
    }

    /// `/hands`.
    pub(super) fn hands(&self, asker: usize) -> String {
        let room = self.members[asker].room;
        let raised = self.raised(room);
        let name = &self.rooms[room].name;
        if raised.is_empty() {
            return format!("*** No hand is up in {name}.\n");
        }
        let mut text = format!("*** Hands up in {name}, the first raised first:\n");
        for (i, member) in raised.into_iter().enumerate() {
            text.push_str(&format!("*** {:>4}. {}\n", i + 1, self.members[member].name.shown()));
        }
        text
    }

    /// Who has a hand up in a room, in the order they were raised.
    fn raised(&self, room: usize) -> Vec<usize> {
        let mut raised: Vec<usize> = self.rooms[room]
            .members
            .iter()
            .copied()
            .filter(|&member| self.members[member].hand.is_some())
            .collect();
        raised.sort_by_key(|&member| (self.members[member].hand, self.members[member].client));
        raised
    }
}
