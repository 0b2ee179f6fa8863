//! The rooms as they go from one server to another. They are plain data, so `serde` writes them and
//! reads them: everything but what the options say, and what is on its way.

use super::{Rooms, config::RoomsConfig};

/// The version of what is handed over: of a chat, and of all that goes with it. It is raised with every
/// change of a type that is in it: a test notices one. Another version is refused.
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "nothing is handed over there"))]
pub(crate) const VERSION: u32 = 3;

/// Whether the rooms can be handed over now: nothing is on its way, to clients or to the file, and
/// nothing is under way that belongs to this server.
///
/// # Errors
/// Why not: the end of a sentence.
pub(in crate::core) fn check_rest(rooms: &Rooms) -> Result<(), &'static str> {
    let Rooms { lasting, config, accounts, .. } = rooms;
    let reasons = [
        (!lasting.shown.is_empty(), "a demonstration is under way."),
        (lasting.is_outage(), "the history is not written."),
        (lasting.stop_at.is_some() || rooms.is_closing, "the server is about to stop."),
        (!config.keeps_talk && accounts.has_any(), "its accounts are in no file (--db none)."),
        (!rooms.output.is_at_rest(), "what was said is not delivered yet."),
        (!rooms.pending.is_at_rest(), "what was said is not written yet."),
    ];
    let reason = reasons.into_iter().find_map(|(holds, reason)| holds.then_some(reason));
    reason.map_or(Ok(()), Err)
}

/// Rooms that were handed over go on under these options.
///
/// # Errors
/// Some of what they have would not be possible under these.
pub(in crate::core) fn go_on(rooms: &mut Rooms, config: RoomsConfig) -> Result<(), &'static str> {
    if config.names != rooms.members.rule() {
        return Err("--unicode-names was changed");
    }
    if config.keeps_talk != rooms.pending.keeps_talk() {
        return Err("--db was changed");
    }
    rooms.output.set_zone(config.zone.clone());
    rooms.config = config;
    Ok(())
}
