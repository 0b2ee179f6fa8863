//! By what clients and rooms are found.

use slotmap::new_key_type;

new_key_type! {
    /// Where a client is found, from their first event to their last.
    pub(crate) struct ClientKey;
    /// Where a room is found.
    pub(crate) struct RoomKey;
}
