//! The entrance: an administrator can lock it, and then nobody new comes in.

use super::row::{CommandResult, Reply, RoomsCtx, Row, Who, none, optional};
use crate::core::{notice::notice, rooms::lasting::Lock};

pub(super) const ROWS: &[Row] = &[
    Row::rooms("lock", "[WHY]", "lets nobody new in, but administrators", lock)
        .example("exam")
        .only_for(Who::Administrators),
    Row::rooms("unlock", "", "ends /lock", unlock).only_for(Who::Administrators),
];

/// Locks the entrance. Whoever is here stays.
fn lock(ctx: &mut RoomsCtx<'_>, why: &str) -> CommandResult {
    if let Some(lock) = &ctx.rooms.lasting.lock {
        return Err(format!("The entrance is locked already{}.", lock.by()).into());
    }
    let lock = Lock { by: ctx.name(), why: optional(why) };
    let why = lock.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
    ctx.audit(format!("locked the entrance{why}"));
    let line = notice(format_args!(
        "{} locked the entrance{why}: whoever is here stays, and nobody new comes in but administrators.",
        lock.by
    ));
    ctx.rooms.lasting.lock = Some(lock);
    ctx.rooms.tell_everybody(&line);
    Ok(Reply::Now(String::new()))
}

fn unlock(ctx: &mut RoomsCtx<'_>, arguments: &str) -> CommandResult {
    none(arguments)?;
    if ctx.rooms.lasting.lock.take().is_none() {
        return Err("The entrance is not locked.".into());
    }
    ctx.audit("unlocked the entrance".to_owned());
    let by = ctx.name();
    ctx.rooms.tell_everybody(&notice(format_args!(
        "{by} unlocked the entrance: everybody may come in."
    )));
    Ok(Reply::Now(String::new()))
}
