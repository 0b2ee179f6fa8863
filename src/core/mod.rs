//! What a chat *is*, and no word of how it is served: no socket, thread, lock, channel, clock or database. A test
//! (`tests/house/main.rs`) reads these files to keep it so. The threaded server calls this core, and any other I/O
//! model can: the model is then the only difference between them.
//!
//! ```text
//!  bytes ─> LineBuffer ─> Session ── Event ──> Rooms::apply ... Rooms::flush ─> Delivery, one for each client
//!           (telnet,      (one client's         (everybody: names, rooms,
//!            lines)        dialogue)             order, who is told what)
//! ```
//!
//! Read in this order: [`mod@line`], [`text`], [`session`], [`rooms`], [`view`].

pub mod accounts;
pub mod administration;
pub mod classroom;
pub mod command;
pub mod delivery;
pub mod dialogue;
pub mod event;
pub mod farewell;
pub mod flood;
pub mod held;
pub mod history;
pub mod line;
pub mod mail;
pub mod membership;
pub mod name;
pub mod password_dialogue;
pub mod past;
pub mod recall;
pub mod record;
pub mod requests;
pub mod rooms;
pub mod secret;
pub mod sentences;
pub mod session;
pub mod source;
pub mod telling;
pub mod telnet;
pub mod text;
pub mod view;
