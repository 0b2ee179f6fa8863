//! The commands: one table. Each file beside this one has some of its rows, and the function that
//! each row names.

pub(crate) mod account;
mod class;
pub(crate) mod entry;
mod history;
pub(crate) mod mail;
mod moderation;
mod people;
mod places;
pub(crate) mod row;
mod talk;

pub use row::Table;

use crate::core::notice::{Refusal, notice};
use row::{Row, SessionCtx, Who, none, optional};
use std::iter::once;

/// Every command, in the order of `/help`.
const ROWS: &[&[Row]] = &[
    &[Row::session("help", "[COMMAND]", "lists the commands, or explains one", help)],
    talk::ROWS,
    people::ROWS,
    places::ROWS,
    history::ROWS,
    account::ROWS,
    mail::ROWS,
    class::ROWS,
    &[
        Row::session("threads", "", "every thread of the server and what it does now", threads),
        Row::session("quit", "[WHY]", "leaves", quit).also_at_the_door(),
        Row::session("crash", "", "panics your thread on the server", crash).only_for(Who::Demo),
    ],
    moderation::ROWS,
];

/// All of them; without `/crash`.
impl Default for Table {
    fn default() -> Table {
        Table { rows: ROWS, demo: false }
    }
}

fn help(ctx: &mut SessionCtx<'_, '_>, about: &str) -> Result<String, Refusal> {
    if !about.is_empty() {
        let (row, _) = ctx.table.find(about.trim_start_matches('/'))?;
        return Ok(notice(format_args!("{}: {}", row.usage(), row.does)));
    }
    let line = |row: &Row| format!("***   {:<26} {}\n", row.usage(), row.does);
    let lines_for = |is_admins: bool| {
        let of_table = ctx.table.rows();
        of_table.filter(move |row| (row.who == Who::Administrators) == is_admins).map(line)
    };
    Ok(once("*** What you type is said to your room. Commands:\n".to_owned())
        .chain(lines_for(false))
        .chain(once("***   //TEXT                     says /TEXT\n".to_owned()))
        .chain(once("*** Only for administrators:\n".to_owned()))
        .chain(lines_for(true))
        .collect())
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
