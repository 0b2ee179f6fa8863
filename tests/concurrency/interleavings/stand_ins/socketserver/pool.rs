//! Not run here.

/// As in chatd.
pub struct Pool;
