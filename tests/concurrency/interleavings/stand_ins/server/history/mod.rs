//! The fan-out's side of the historian; a scenario plays the other one.

mod handle;

pub(crate) mod historian {
    pub(crate) use super::handle::{HistorianEvent, HistorianHandle};
}
