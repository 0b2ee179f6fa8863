//! A session on its way from one server to another.

use super::{Session, config::SessionConfig};
use crate::core::{name::Name, wire::opening::Opening};

/// Whether a session can be handed over as it is now: nothing that was heard waits to be dealt with.
pub(crate) fn is_at_rest(session: &Session<'_>) -> bool {
    let Session { next, close, talk, opening, newcomer, .. } = session;
    let has_heard = next.is_some() || close.is_some() || talk.lines > 0;
    !has_heard && !matches!(opening, Opening::HeldBack(_)) && newcomer.kept_out.is_none()
}

/// A session that was handed over goes on.
pub(crate) fn go_on<'a>(session: Session<'a>, config: &'a SessionConfig) -> Box<Session<'a>> {
    Box::new(Session { config, ..session })
}

/// The client's name, once they have one.
pub(crate) fn name<'a>(session: &'a Session<'_>) -> Option<&'a Name> {
    session.name.as_ref()
}
