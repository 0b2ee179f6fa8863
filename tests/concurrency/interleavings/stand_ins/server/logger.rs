//! No log.

pub(crate) fn record(_line: &crate::core::rooms::LogLine) {}
