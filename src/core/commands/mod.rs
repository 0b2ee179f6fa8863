//! The commands: one table. Each file beside this one has some of its rows, and the function that
//! each row names.

pub(crate) mod account;
mod class;
pub(crate) mod demo;
mod elsewhere;
pub(crate) mod entry;
mod help;
mod history;
pub(crate) mod instructor;
mod lock;
pub(crate) mod mail;
mod moderation;
mod people;
mod places;
pub(super) mod programs;
pub(super) mod questions;
mod quiz;
pub(super) mod remove;
mod resume;
pub(crate) mod row;
pub(crate) mod talk;
mod view;

pub use row::Table;

use crate::core::notice::Refusal;
use row::{Group, Row, SessionCtx, Who, none, optional};

/// Every command, in the order of `/help`.
const GROUPS: &[Group] = &[
    Group { name: "Talk", rows: talk::ROWS },
    Group { name: "People", rows: people::ROWS },
    Group { name: "Rooms", rows: places::ROWS },
    Group { name: "The past", rows: history::ROWS },
    Group { name: "Accounts", rows: account::ROWS },
    Group { name: "Accounts", rows: mail::ROWS },
    Group { name: "The class", rows: class::ROWS },
    Group { name: "The class", rows: quiz::ROWS },
    Group { name: "The class", rows: instructor::ROWS },
    Group { name: "The server", rows: ROWS },
    Group { name: "For programs", rows: programs::ROWS },
    Group { name: "For administrators", rows: moderation::ROWS },
    Group { name: "For administrators", rows: lock::ROWS },
    Group { name: "For administrators", rows: remove::ROWS },
];

const ROWS: &[Row] = &[
    help::ROW,
    Row::session("threads", "", "every thread of the server and what it does now", threads),
    Row::session("quit", "[WHY]", "leaves", quit).example("see you tomorrow").also_at_the_door(),
    view::ROW,
    demo::ROW,
    Row::session("crash", "", "panics your thread on the server", crash).only_for(Who::Demo),
];

/// All of them; without `/crash` and `/demo`.
impl Default for Table {
    fn default() -> Table {
        Table { groups: GROUPS, demo: false }
    }
}

fn threads(ctx: &mut SessionCtx<'_, '_>, arguments: &str) -> Result<String, Refusal> {
    none(arguments)?;
    Ok(ctx.driver.describe_threads())
}

fn quit(ctx: &mut SessionCtx<'_, '_>, why: &str) -> Result<String, Refusal> {
    ctx.session.close(crate::core::close_reason::CloseReason::Quit(optional(why)));
    Ok(String::new())
}

fn crash(_: &mut SessionCtx<'_, '_>, arguments: &str) -> Result<String, Refusal> {
    none(arguments)?;
    panic!("/crash was typed")
}
