//! The keys by which clients and rooms are found.

use slotmap::new_key_type;

new_key_type! {
    /// A client, from their first event to their last.
    pub(crate) struct ClientKey;
    /// A room.
    pub(crate) struct RoomKey;
}
