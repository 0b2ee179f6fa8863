//! Not run here.
