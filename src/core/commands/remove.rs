//! `/remove`: an administrator takes what somebody said out of a room's past and its history. It
//! cannot be taken off the screens of those who have read it, and everybody is told so.

use super::{
    history::before,
    row::{CommandResult, Reply, RoomsCtx, Row, Who, first_word},
};
use crate::core::{
    event::{Lookup, Recalled},
    history_reply::{Gap, HistoryReply, author_and_words},
    length_of_time::begins_with_digit,
    notice::{Refusal, notice},
    record::{HistoryLine, LineId, Query},
    rooms::room::{Lines, SCROLLBACK_MAX},
    search_words::{SearchWord, fold, search_words},
    sentences::without_mark,
};

pub(super) const ROWS: &[Row] = &[Row::rooms(
    "remove",
    "NAME [COUNT|WORDS]",
    "takes NAME's last lines here, or the last with WORDS, out of the past",
    remove,
)
.only_for(Who::Administrators)
.example("bob 3")];

/// Which of somebody's lines are meant.
enum Which {
    Last(usize),
    LastWith(Vec<SearchWord>),
}

fn which(typed: &str) -> Result<Which, Refusal> {
    let misunderstood = |what: &str| {
        let examples = "/remove bob, /remove bob 3, /remove bob stupid idea";
        Refusal::from(format!("\"{typed}\" is no {what}. Like this: {examples}"))
    };
    if typed.is_empty() {
        return Ok(Which::Last(1));
    }
    // In quotes a number is a word.
    if begins_with_digit(typed) && !typed.starts_with('"') {
        return match typed.parse() {
            Ok(count @ 1..) => Ok(Which::Last(count)),
            _ => Err(misunderstood("number of lines")),
        };
    }
    match search_words(typed) {
        words if words.is_empty() => Err(misunderstood("word to look for")),
        words => Ok(Which::LastWith(words)),
    }
}

/// A room that made way for others remembers nothing of its past when it is there again. Then the
/// store is asked first.
fn remove(ctx: &mut RoomsCtx<'_>, arguments: &str) -> CommandResult {
    let (_, rest) = first_word(arguments)?;
    which(rest)?;
    let room = ctx.rooms.room_of(ctx.client);
    let has_most = room.remembers_all() || room.scrollback().is_full();
    if has_most || !ctx.rooms.config().keeps_talk {
        return remove_remembered(ctx, arguments);
    }
    let query = Query::Older {
        room: room.name().to_owned(),
        account: None,
        before: before(ctx.rooms, room.scrollback().lines()),
        since: ctx.rooms.config().told_from(ctx.rooms.now()),
        most: SCROLLBACK_MAX,
    };
    Ok(Reply::LookUp(Box::new(Lookup { query, arguments: arguments.to_owned() })))
}

/// Goes on when the store has answered.
pub(crate) fn recalled(ctx: &mut RoomsCtx<'_>, recalled: Recalled) -> CommandResult {
    if !ctx.rooms.is_admin(ctx.client) {
        return Err("That is for administrators.".into()); // no longer
    }
    ctx.rooms.remember_older(ctx.client, recalled.lines, recalled.is_all);
    remove_remembered(ctx, &recalled.arguments)
}

fn remove_remembered(ctx: &mut RoomsCtx<'_>, arguments: &str) -> CommandResult {
    let (typed, rest) = first_word(arguments)?;
    let lines = lines_meant(ctx, without_mark(typed), which(rest)?)?;
    let author = lines.last().and_then(|line| author_and_words(&line.text));
    let author = author.map_or(typed, |(author, _)| author).to_owned();
    let room = ctx.rooms.room_of(ctx.client).name().to_owned();
    let ids: Vec<LineId> = lines.iter().map(|line| line.id).collect();
    ctx.rooms.remove_lines(ctx.client, ids);
    let (some, were) = match lines.len() {
        1 => ("a line".to_owned(), "was"),
        count => (format!("{count} lines"), "were"),
    };
    ctx.audit(format!("removed {some} of {author}'s in {room}"));
    let mut sentence = format!("{some} of {author}'s {were} removed by {}.", ctx.name());
    sentence[..1].make_ascii_uppercase();
    ctx.rooms.tell_room(ctx.client, &Lines::of_server(&notice(sentence)));
    let reply = HistoryReply {
        heading: format!("Removed from {room}, but not from screens: {{}} of {author}'s"),
        if_none: String::new(),
        most: lines.len(),
        lines,
        query: None,
        told_from: None,
        removed: Vec::new(),
        heading_of_part: None,
        left_out: 0,
        gap: Gap::default(),
        hidden: Vec::new(),
        is_mail: false,
        now: ctx.rooms.now(),
        zone: ctx.rooms.config().zone.clone(),
        notes: String::new(),
    };
    Ok(Reply::Fetch(String::new(), Box::new(reply)))
}

/// The lines of this name's, in the room of whoever asks.
fn lines_meant(ctx: &RoomsCtx<'_>, name: &str, which: Which) -> Result<Vec<HistoryLine>, Refusal> {
    let (most, words) = match which {
        Which::Last(count) => (count, Vec::new()),
        Which::LastWith(words) => (1, words),
    };
    let names = ctx.rooms.config().names;
    let word_of = |name: &str| match names.check(name, "name") {
        Ok(name) => name.word().to_owned(),
        Err(_) => name.to_owned(), // an address
    };
    // The owner of that account may have said something under another name.
    let meant = names.check(name, "name").ok();
    let account = meant.as_ref().and_then(|name| ctx.rooms.accounts.spelt(name));
    let owner = account.and_then(|id| ctx.rooms.members().logged_in_to(id).next());
    let name_now = owner.map(|owner| ctx.rooms.members()[owner].name().word().to_owned());
    let wanted = [Some(word_of(name)), name_now];
    let is_theirs = |author: &str| wanted.contains(&Some(word_of(author)));
    let is_like_theirs = |author: &str| {
        let author = names.check(author, "name");
        meant.as_ref().is_some_and(|name| author.is_ok_and(|author| author.looks_like(name)))
    };
    let room = ctx.rooms.room_of(ctx.client);
    let pick = |is_meant: &dyn Fn(&str) -> bool| -> Vec<HistoryLine> {
        let is_it = |line: &&HistoryLine| {
            author_and_words(&line.text).is_some_and(|(author, text)| {
                let text = fold(text);
                is_meant(author) && words.iter().all(|word| word.is_in(&text))
            })
        };
        room.scrollback().lines().rev().filter(is_it).take(most).cloned().collect()
    };
    let (place, in_memory) = (room.name(), room.scrollback().lines().count());
    let mut lines = pick(&is_theirs);
    if lines.is_empty() {
        lines = pick(&is_like_theirs); // not every keyboard can type the name
    }
    lines.reverse();
    match lines.len() {
        found if found == most => Ok(lines),
        0 if most == 1 => {
            let with: Vec<String> =
                words.iter().map(|word| format!(" with {}", word.shown())).collect();
            let with = with.concat();
            Err(format!("No line of {name}'s{with} is in the last {in_memory} lines of {place}.")
                .into())
        }
        // The number may have been a word to look for.
        found => Err(format!(
            "{found} of {name}'s are in the last {in_memory} lines of {place}, and not {most}. /remove {name} \"{most}\" looks for that word."
        )
        .into()),
    }
}
