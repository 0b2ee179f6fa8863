//! What every source has used up, on its way from one server to another.

use super::SourceTable;
use crate::{
    core::{address::ClientAddress, event::ClientId},
    origin::Origin,
};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// What of a table is handed over, and its time.
#[derive(Serialize, Deserialize)]
pub(in crate::server) struct SavedSources {
    sources: String,
    places: String,
    now: Duration,
}

impl SourceTable {
    pub(in crate::server) fn save(&self) -> serde_json::Result<SavedSources> {
        let sources = serde_json::to_string(&*self.sources.lock())?;
        let places = serde_json::to_string(&*self.places.lock())?;
        Ok(SavedSources { sources, places, now: self.now() })
    }

    /// Takes up a table in which these clients have their places.
    pub(in crate::server) fn go_on(
        &mut self,
        saved: &SavedSources,
        clients: &[(ClientId, Origin)],
    ) -> serde_json::Result<()> {
        let addresses = clients.iter().map(|(_, origin)| ClientAddress::from(*origin));
        self.sources.lock().go_on(serde_json::from_str(&saved.sources)?, addresses);
        let numbers: Vec<_> = clients.iter().map(|(client, _)| *client).collect();
        self.places.lock().go_on(serde_json::from_str(&saved.places)?, &numbers);
        self.start = Instant::now().checked_sub(saved.now).unwrap_or(self.start);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::{options::Options, sources::Admission};
    use argh::FromArgs as _;
    use std::net::SocketAddr;

    #[test]
    fn another_table_goes_on_with_the_places_and_with_what_was_used_up() {
        let options = Options::from_args(&["chatd"], &["--threads-max", "1"]).unwrap();
        let from = |host| Origin::from(SocketAddr::from(([192, 0, 2, host], 4000)));
        let (before, mut after) = (SourceTable::new(&options), SourceTable::new(&options));
        let waits_for_names = |table: &SourceTable| {
            !table.sources.lock().refuse_name(from(1).into(), table.now()).is_zero()
        };
        assert!(matches!(before.admit(1, from(1), false), Admission::Place { .. }));
        while !waits_for_names(&before) {}
        assert!(!waits_for_names(&after));
        after.go_on(&before.save().unwrap(), &[(1, from(1))]).unwrap();
        assert!(waits_for_names(&after));
        assert!(matches!(after.admit(2, from(2), false), Admission::Wait { .. }), "it is full");
    }
}
