//! `/help`: which commands there are, and what one of them does.

use super::row::{Row, SessionCtx, Table};
use crate::core::{
    event::{Answer, Event, Question},
    notice::{Refusal, notice},
};

pub(super) const ROW: Row =
    Row::session("help", "[COMMAND|all]", "lists the commands, or explains one, or all", help)
        .example("msg");

/// Columns of a line: a terminal has 80.
const WIDTH: usize = 79;

fn help(ctx: &mut SessionCtx<'_, '_>, about: &str) -> Result<String, Refusal> {
    let about = about.trim_start_matches('/');
    if !about.is_empty() && !about.eq_ignore_ascii_case("all") {
        let (row, _) = ctx.table.find(about)?;
        return Ok(explain(row));
    }
    let answer = ctx.driver.ask(Event::Ask(Question::MayAdminister));
    let is_admin = matches!(answer, Answer::MayAdminister(true));
    Ok(match about.is_empty() {
        true => groups(ctx.table, is_admin),
        false => all(ctx.table, is_admin),
    })
}

/// What one command does, in one line, with an example.
fn explain(row: &Row) -> String {
    let whom = if row.who.are_administrators() {
        " Only administrators may, and whoever typed /instructor CODE."
    } else {
        ""
    };
    let example = match row.example {
        "" => String::new(),
        example => format!(" For example: /{} {example}", row.name),
    };
    notice(format_args!("{}: {}.{whom}{example}", row.usage(), row.does))
}

/// The names alone, in groups. It fits a terminal of 24 lines.
fn groups(table: Table, is_admin: bool) -> String {
    let mut text =
        notice("What you type is said to your room, unless it begins with /. The commands:");
    let (mut last, mut column) = ("", 0);
    for group in table.groups {
        for row in table.rows_of(group).filter(|row| is_for(row, is_admin)) {
            if group.name != last {
                text.push_str(&format!(
                    "{}***   {:<18}",
                    if last.is_empty() { "" } else { "\n" },
                    group.name
                ));
                (last, column) = (group.name, 24);
            } else if column + 2 + row.name.len() > WIDTH {
                text.push_str(&format!("\n***   {:<18}", ""));
                column = 24;
            }
            text.push_str(&format!(" /{}", row.name));
            column += 2 + row.name.len();
        }
    }
    text.push('\n');
    text + &notice("/help COMMAND explains one, with an example; /help all explains every one.")
        + &notice("//TEXT says /TEXT.")
}

/// A line for each command.
fn all(table: Table, is_admin: bool) -> String {
    let line = |row: &Row| format!("***   {:<26} {}\n", row.usage(), row.does);
    let lines_for = |administrators: bool| {
        table.rows().filter(move |row| row.who.are_administrators() == administrators).map(line)
    };
    let mut text = notice("What you type is said to your room. Commands:");
    text.extend(lines_for(false));
    text.push_str("***   //TEXT                     says /TEXT\n");
    if is_admin {
        text.push_str(&notice("Only for administrators:"));
        text.extend(lines_for(true));
    }
    text
}

fn is_for(row: &Row, is_admin: bool) -> bool {
    is_admin || !row.who.are_administrators()
}
