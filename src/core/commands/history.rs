//! What was said before: the backlog at joining, `/history`, `/search`.
//!
//! The rooms remember the last lines themselves, and show them at a definite place in the one
//! order: so past and present meet without a gap or a repeat. Older lines are in the store. The
//! reply then carries a query, which is asked when the reply's batch is shown: by then everything
//! that was said before is written.

use super::{
    people::names_of,
    row::{CommandResult, Reply, RoomsCtx, Row, required},
};
use crate::core::{
    history_reply::{Gap, HistoryReply, merge},
    length_of_time::{self, begins_with_digit},
    notice::{Refusal, notice},
    record::{HistoryLine, LineId, Query, REMEMBERED_MAX},
    rooms::{ClientKey, Rooms, scrollback::Scrollback},
    search_words::{SearchWord, fold, search_words},
    sentences,
};
use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, Time},
};

pub(super) const ROWS: &[Row] = &[
    Row::rooms("history", "[N|2h|since TIME]", "past lines: the last N, or since 10:30", history)
        .example("since 10:30"),
    Row::rooms("search", "WORDS", "past lines with these words (wor*: a beginning)", search)
        .example("exam fri*"),
];

/// The most past lines shown at once: at 1.1 KiB each, with their times, 1.1 MiB, and only their
/// reader waits for them.
const LINES_MAX: usize = 1_000;
const _: () = {
    let line = "(2026-11-20 12:30) \r".len() + REMEMBERED_MAX;
    assert!(LINES_MAX * line <= 11 * 1024 * 1024 / 10);
};
/// Which rooms they were of is not known.
const MAY_BE_DELETED: &str =
    "*** Lines that were said since you left may have been deleted from the history.\n";
/// The most lines found by `/search`.
const SEARCH_MAX: usize = 50;

/// What a newcomer is shown of their room's past. They are told nothing if there is none.
pub(super) fn backlog(rooms: &Rooms, client: ClientKey) -> Box<HistoryReply> {
    let (room, most) = (rooms.room_of(client), rooms.config().backlog_lines);
    let mut lines: Vec<HistoryLine> = room.scrollback().lines().rev().take(most).cloned().collect();
    lines.reverse();
    let is_enough = lines.len() >= most || room.remembers_all();
    let mut reply = HistoryReply { if_none: String::new(), ..reply(rooms, client, most, lines) };
    if rooms.config().keeps_talk && !is_enough {
        let (room, before) = (room.name().to_owned(), before(rooms, &reply.lines));
        reply.query =
            Some(Query::Older { room, account: None, before, since: reply.told_from, most });
    }
    Box::new(reply)
}

/// What was said in the client's room after a line, and to them in private.
pub(super) fn since(rooms: &Rooms, client: ClientKey, after: LineId) -> Box<HistoryReply> {
    let (room, member) = (rooms.room_of(client), &rooms.members()[client]);
    let mut lines = merge(room.scrollback().lines(), member.private().lines());
    lines.retain(|line| line.id > after);
    // Whether nothing between that line and the first one that is remembered can be missing.
    let first = |lines: &Scrollback| lines.lines().next().map(|line| line.id);
    let first_of_room = first(room.scrollback());
    let has_room = room.remembers_all() || first_of_room.is_some_and(|first| first <= after.next());
    let first_private = first(member.private());
    let has_private =
        !member.private().is_full() || first_private.is_some_and(|first| first <= after.next());
    let name = room.name();
    let mut reply = reply(rooms, client, LINES_MAX, lines);
    reply.heading = format!("{{}} {{were}} said in {name} since you left");
    reply.heading_of_part =
        Some(format!("{{all}} lines were said in {name} since you left; the last {{}}"));
    reply.if_none = notice(format_args!("Nothing was said in {name} since you left."));
    reply.gap = gap(rooms, client, after);
    if after > rooms.pending.last_line() {
        reply.if_none = notice(format_args!(
            "There is no line {after} here: lines are counted anew. What was said in {name} since you left is not known."
        ));
    } else if rooms.config().keeps_talk && !(has_room && has_private) {
        reply.query = Some(Query::Since {
            room: name.to_owned(),
            account: member.account(),
            after,
            before: before_both(rooms, client),
            most: LINES_MAX,
        });
    } else if !has_room {
        reply.heading = format!("Of what was said in {name} since you left, the last {{}}");
        reply.if_none = notice(format_args!("What was said in {name} since you left is not kept."));
    }
    Box::new(reply)
}

/// What is missing of what was said in the client's room after a line.
fn gap(rooms: &Rooms, client: ClientKey, after: LineId) -> Gap {
    let mut known = match rooms.room_of(client).removed().iter().filter(|&&it| it > after).count() {
        0 => String::new(),
        1 => notice("1 line that was said since you left was removed by an administrator."),
        count => notice(format_args!(
            "{count} lines that were said since you left were removed by an administrator."
        )),
    };
    let zone = &rooms.config().zone;
    let too_old = rooms.config().told_from(rooms.now()).map(|from| {
        let from = zone.to_datetime(from).strftime("%Y-%m-%d %H:%M").to_string();
        notice(format_args!("What was said before {from} is no longer kept."))
    });
    if after < rooms.deleted {
        known.push_str(too_old.as_deref().unwrap_or(MAY_BE_DELETED));
        return Gap { known, if_too_old: String::new() };
    }
    Gap { known, if_too_old: too_old.unwrap_or_default() }
}

/// The room's lines, and among them what the client wrote and was told in private.
fn history(ctx: &mut RoomsCtx<'_>, wanted: &str) -> CommandResult {
    let (most, since) = match wanted_lines(ctx.rooms, wanted)? {
        Wanted::Usual => (ctx.rooms.config().backlog_lines, None),
        Wanted::Last(most) => (most, None),
        Wanted::Since(since) => (LINES_MAX, Some(since)),
    };
    let (room, member) = (ctx.rooms.room_of(ctx.client), ctx.member());
    let mut lines = merge(room.scrollback().lines(), member.private().lines());
    lines.retain(|line| since.is_none_or(|since| line.at >= since));
    let is_all = room.remembers_all() && !member.private().is_full();
    let is_enough = lines.len() >= most || is_all;
    let mut reply = reply(ctx.rooms, ctx.client, most, lines);
    if let (Some(most), 1..) = (&ctx.rooms.config().history_max, ctx.rooms.deleted.0) {
        reply.gap.known =
            notice(format_args!("Older lines may be deleted: the history has {most} at most."));
    }
    if since.is_some_and(|since| reply.told_from.is_none_or(|from| since >= from)) {
        reply.if_none = notice(format_args!("Nothing was said in {} since then.", room.name()));
    }
    if ctx.rooms.config().keeps_talk && !is_enough {
        // From `before` on, both lists are complete. A line in both is shown once.
        reply.query = Some(Query::Older {
            room: room.name().to_owned(),
            account: member.account(),
            before: before_both(ctx.rooms, ctx.client),
            since: since.max(reply.told_from),
            most,
        });
    }
    Ok(Reply::Fetch(String::new(), Box::new(reply)))
}

/// Searches the store if talk is kept there, otherwise the lines that the rooms remember.
fn search(ctx: &mut RoomsCtx<'_>, typed: &str) -> CommandResult {
    let words = search_words(required(typed)?);
    if words.is_empty() {
        return Err("There is no word in that to look for. Like this: /search exam fri*".into());
    }
    let shown: Vec<String> = words.iter().map(SearchWord::shown).collect();
    let shown = shown.join(" ");
    let (room, member) = (ctx.rooms.room_of(ctx.client), ctx.member());
    let mut reply = reply(ctx.rooms, ctx.client, SEARCH_MAX, Vec::new());
    reply.heading = format!("The newest {{}} of {} with {shown}", room.name());
    let lately = lately(ctx.rooms.config().history_days);
    reply.if_none = notice(format_args!(
        "Nothing with {shown} was said in {} or to you alone{lately}.",
        room.name()
    ));
    // The store has private lines of those who are logged in, and the rooms the last ones of all.
    reply.lines = merge([].iter(), member.private().lines());
    if ctx.rooms.config().keeps_talk {
        let (room, account) = (room.name().to_owned(), member.account());
        reply.query =
            Some(Query::Search { room, account, words: typed.to_owned(), most: SEARCH_MAX });
    } else {
        reply.lines = merge(room.scrollback().lines(), reply.lines.iter());
        if !room.remembers_all() {
            let (name, lines) = (room.name(), room.scrollback().lines().count());
            reply.if_none = notice(format_args!(
                "Nothing with {shown} is in the last {lines} lines of {name}; older ones are not kept."
            ));
        }
    }
    reply.lines.retain(|line| {
        let text = fold(&line.text);
        words.iter().all(|word| word.is_in(&text))
    });
    Ok(Reply::Fetch(String::new(), Box::new(reply)))
}

/// A reply with these lines of the client's room.
fn reply(rooms: &Rooms, client: ClientKey, most: usize, lines: Vec<HistoryLine>) -> HistoryReply {
    let (room, told_from) = (rooms.room_of(client).name(), rooms.config().told_from(rooms.now()));
    let ignored = rooms.members()[client].ignored();
    HistoryReply {
        heading: sentences::last_lines(room),
        if_none: nothing_said(room, rooms.config().history_days),
        lines,
        query: None,
        most,
        told_from,
        removed: rooms.room_of(client).removed().to_vec(),
        heading_of_part: None,
        left_out: 0,
        gap: Gap::default(),
        hidden: ignored.iter().flat_map(|ignored| names_of(rooms, ignored)).collect(),
        is_mail: false,
        now: rooms.now(),
        zone: rooms.config().zone.clone(),
        notes: String::new(),
    }
}

fn nothing_said(room: &str, history_days: Option<u32>) -> String {
    notice(match history_days {
        None => format!("Nothing was said in {room} yet."),
        days => format!("Nothing was said in {room}{}.", lately(days)),
    })
}

/// In how many days: what is older is forgotten.
fn lately(history_days: Option<u32>) -> String {
    match history_days {
        None => String::new(),
        Some(1) => " in the last day".to_owned(),
        Some(days) => format!(" in the last {days} days"),
    }
}

/// The number before which the store is asked: that of the first line here, or of the next line
/// that will be said.
pub(super) fn before<'a>(
    rooms: &Rooms,
    lines: impl IntoIterator<Item = &'a HistoryLine>,
) -> LineId {
    let first = lines.into_iter().next().map(|line| line.id);
    first.unwrap_or(LineId(rooms.pending.last_line().0 + 1))
}

/// The same, for the client's room and their private lines: from there on nothing of both is missing here.
fn before_both(rooms: &Rooms, client: ClientKey) -> LineId {
    let (room, private) = (rooms.room_of(client).scrollback(), rooms.members()[client].private());
    match private.is_full() {
        true => before(rooms, room.lines()).max(before(rooms, private.lines())),
        false => before(rooms, room.lines()),
    }
}

/// Which lines `/history` is to tell.
enum Wanted {
    /// As many as a newcomer is told.
    Usual,
    Last(usize),
    Since(Timestamp),
}

fn wanted_lines(rooms: &Rooms, typed: &str) -> Result<Wanted, Refusal> {
    if typed.is_empty() {
        return Ok(Wanted::Usual);
    }
    if typed.bytes().all(|b| b.is_ascii_digit()) {
        return match typed.parse().unwrap_or(LINES_MAX) {
            0 => Err(misunderstood(typed)),
            lines => Ok(Wanted::Last(lines.min(LINES_MAX))),
        };
    }
    let (word, rest) = typed.split_once(char::is_whitespace).unwrap_or((typed, ""));
    let time = if word.eq_ignore_ascii_case("since") { rest.trim() } else { typed };
    let ago = length_of_time::whole(time).ok().and_then(|ago| rooms.now().checked_sub(ago).ok());
    match ago.or_else(|| last_time_of(rooms, time)) {
        Some(since) => Ok(Wanted::Since(since)),
        None if begins_with_digit(time) => Err(misunderstood(time)),
        None => Err(Refusal::Usage),
    }
}

fn misunderstood(typed: &str) -> Refusal {
    let examples = "/history 50, /history 2h, /history since 10:30, /history since 2026-11-20";
    format!("\"{typed}\" is no number of lines and no time. Like this: {examples}").into()
}

/// The last time that it was `10:30`, `2026-11-20` or `2026-11-20 10:30`; `None`: it is no time.
fn last_time_of(rooms: &Rooms, typed: &str) -> Option<Timestamp> {
    let (zone, now) = (&rooms.config().zone, rooms.now());
    let time = |text: &str| Time::strptime("%H:%M", text).ok();
    // (As such, "2026-11-20T23:00" would be a date, too: its time would be left out.)
    let date = |text: &str| Date::strptime("%Y-%m-%d", text).ok();
    let moment = |date: Date, time| zone.to_timestamp(date.to_datetime(time)).ok();
    if let Some((day, clock)) = typed.split_once(|c: char| c.is_whitespace() || c == 'T') {
        return moment(date(day)?, time(clock.trim())?);
    }
    let Some(time) = time(typed) else { return moment(date(typed)?, Time::midnight()) };
    let today = zone.to_datetime(now).date();
    match moment(today, time)? {
        later if later > now => moment(today.saturating_sub(1.day()), time),
        moment => Some(moment),
    }
}
