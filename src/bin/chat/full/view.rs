//! Draws the model: the text, the people beside it, a status row, and the typed line below. No I/O.

use super::{model::Model, style};
use crate::{known::Known, secrets};
use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::Style,
    text::{Line, Span},
    widgets::Widget as _,
};
use std::time::{Duration, Instant};
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// From this width on the people stand beside the text.
const WIDTH_WITH_PEOPLE: u16 = 90;

/// Columns for people: the longest name that chatd takes.
const PEOPLE: u16 = 21;

/// A lag that is felt: a shorter one is not told.
const LAG_MIN: Duration = Duration::from_millis(300);

/// From this height on there is a status row.
const HEIGHT_WITH_STATUS: u16 = 4;

/// Where things stand.
struct Regions {
    text: Rect,
    people: Option<Rect>,
    status: Option<Rect>,
    typed: Rect,
}

fn regions(area: Rect) -> Regions {
    let has_status = area.height >= HEIGHT_WITH_STATUS;
    let below = 1 + u16::from(has_status);
    let rows = Rect { height: area.height.saturating_sub(below), ..area };
    let row = |at: u16| Rect { y: area.y + at, height: 1, ..area };
    let has_people = area.width >= WIDTH_WITH_PEOPLE;
    let beside = if has_people { PEOPLE + 1 } else { 0 };
    Regions {
        text: Rect { width: area.width - beside, ..rows },
        people: has_people.then(|| Rect { x: area.right() - PEOPLE, width: PEOPLE, ..rows }),
        status: has_status.then(|| row(rows.height)),
        typed: row(area.height.saturating_sub(1)),
    }
}

/// Draws all of it. Returns where the cursor stands.
pub(crate) fn draw(
    model: &mut Model,
    known: &Known,
    now: Instant,
    area: Rect,
    buffer: &mut Buffer,
) -> Position {
    let regions = regions(area);
    model.size = (usize::from(regions.text.width), usize::from(regions.text.height));
    for (row, line) in visible(model, known).into_iter().enumerate() {
        let y = regions.text.y + u16::try_from(row).unwrap_or(u16::MAX);
        line.render(Rect { y, height: 1, ..regions.text }, buffer);
    }
    if let Some(people) = regions.people {
        draw_people(model, known, people, buffer);
    }
    if let Some(status) = regions.status {
        draw_status(model, known, now, status, buffer);
    }
    draw_typed(model, known, regions.typed, buffer)
}

/// The rows that are seen, from the top; the last one at the bottom.
pub(crate) fn visible(model: &Model, known: &Known) -> Vec<Line<'static>> {
    let layout = model.layout(known);
    let from = model.bottom.map_or(u64::MAX - 1, |bottom| bottom.number);
    let mut entries = model
        .scrollback
        .back_from(from)
        .filter(|entry| entry.is_in(model.window.as_deref()))
        .peekable();
    let mut rows = Vec::new();
    if model.bottom.is_none() && model.window.is_none() {
        let on_their_way = known.heard_at.into_iter().flat_map(|at| known.own.on_their_way(at));
        rows = on_their_way.map(|line| layout.on_its_way(&line)).collect();
        rows.reverse();
    }
    while rows.len() < model.size.1
        && let Some(entry) = entries.next()
    {
        let mut these = layout.rows(entry, entries.peek().copied());
        if let Some(bottom) = model.bottom.filter(|bottom| bottom.number == entry.number) {
            these.truncate(bottom.rows.max(1));
        }
        rows.extend(these.into_iter().rev());
    }
    rows.truncate(model.size.1);
    rows.resize(model.size.1, Line::default());
    rows.reverse();
    rows
}

fn draw_people(model: &Model, known: &Known, area: Rect, buffer: &mut Buffer) {
    let mut people: Vec<&str> = known.people().chain(known.me.as_deref()).collect();
    people.sort_by_key(|name| name.to_lowercase());
    let height = usize::from(area.height);
    let is_cut = people.len() > height;
    let shown = if is_cut { height.saturating_sub(1) } else { people.len() };
    let rest = format!("and {} more: /names", people.len() - shown);
    for y in area.top()..area.bottom() {
        buffer.set_string(area.x.saturating_sub(1), y, "│", style::rule());
    }
    let names = people
        .iter()
        .take(shown)
        .map(|name| (*name, style::name(name, known.me.as_deref(), model.has_colours)));
    let rows = names.chain(is_cut.then_some((&*rest, style::sentence())));
    for (y, (text, style)) in (area.top()..area.bottom()).zip(rows) {
        buffer.set_stringn(area.x, y, text, usize::from(area.width), style);
    }
}

fn draw_status(model: &Model, known: &Known, now: Instant, area: Rect, buffer: &mut Buffer) {
    let style = style::status();
    buffer.set_style(area, style);
    let room = match (&known.room, known.is_connected) {
        (_, false) => "no connection".to_owned(),
        (Some(room), true) => room.clone(),
        (None, true) => "not in a room yet".to_owned(),
    };
    let mut windows = vec![room];
    for (number, talk) in model.talks.iter().enumerate() {
        let unread = if talk.unread > 0 { format!(" ({})", talk.unread) } else { String::new() };
        windows.push(format!("{} {}{unread}", number + 2, talk.name));
    }
    if !model.talks.is_empty() {
        windows[0].insert_str(0, "1 ");
    }
    if model.unread > 0 {
        windows[0].push_str(&format!(" ({})", model.unread));
    }
    let is_shown = |at: usize| match &model.window {
        None => at == 0,
        Some(name) => at > 0 && model.talks.get(at - 1).is_some_and(|talk| talk.name == *name),
    };
    let shown = windows.iter().enumerate().map(|(at, text)| {
        if is_shown(at) && !model.talks.is_empty() { format!("[{text}]") } else { text.clone() }
    });
    let left = format!(" {}", shown.collect::<Vec<_>>().join("  "));
    let mut right = Vec::new();
    if known.is_paused {
        right.push("paused".to_owned());
    }
    if known.is_away {
        right.push("away: /back".to_owned());
    }
    match (known.silence(now), known.lag(now)) {
        (Some(seconds), _) => right.push(format!("silent for {seconds} s")),
        (None, Some(lag)) if known.is_connected && lag >= LAG_MIN => {
            right.push(format!("lag {:.1} s", lag.as_secs_f32()));
        }
        (None, _) => {}
    }
    if model.bottom.is_some() {
        right.push("more below: Esc".to_owned());
    }
    if let Some((tries, since)) = known.outage {
        let seconds = now.saturating_duration_since(since).as_secs();
        let s = if tries == 1 { "y" } else { "ies" };
        right.push(format!("gone for {seconds} s, {tries} tr{s}"));
    } else if known.room.is_some() {
        right.push(format!("{} here", known.people().count() + 1));
    }
    let right = format!("{} ", right.join("  "));
    let width = usize::from(area.width);
    let topic = known.topic.as_deref().map(|topic| format!("  {topic}")).unwrap_or_default();
    let room_for_left = width.saturating_sub(right.width() + 1);
    buffer.set_string(area.x, area.y, cut(left + &topic, room_for_left), style);
    let x = width.saturating_sub(right.width());
    let x = area.x + u16::try_from(x).unwrap_or_default();
    buffer.set_stringn(x, area.y, &right, width, style);
}

/// A text in at most `columns` columns; one that is longer ends in dots.
fn cut(text: String, columns: usize) -> String {
    if text.width() <= columns {
        return text;
    }
    let mut used = 1;
    let fits = |cell: &&str| {
        used += cell.width();
        used <= columns
    };
    text.graphemes(true).take_while(fits).chain(["…"]).collect()
}

/// What stands in front of the typed line, and how.
fn prompt(model: &Model, known: &Known, width: usize) -> (String, Style) {
    if let Some(search) = &model.search {
        return (format!("earlier lines with {:?}: ", search.text), style::sentence());
    }
    let (name, place) = match &model.window {
        Some(to) if known.question.is_none() => ("to ".to_owned() + to, String::new()),
        _ if model.is_password => ("password".to_owned(), String::new()),
        _ => known.prompt(),
    };
    let style = style::name(&name, Some(&name), model.has_colours);
    let forms = [format!("{name}{place}> "), format!("{name}> ")];
    let fits = |form: &String| 3 * form.width() <= 2 * width;
    (forms.into_iter().find(fits).unwrap_or_else(|| "> ".to_owned()), style)
}

/// The typed line on one row, which follows the cursor sideways. Returns where the cursor stands.
fn draw_typed(model: &Model, known: &Known, area: Rect, buffer: &mut Buffer) -> Position {
    let width = usize::from(area.width);
    let (prompt, style) = prompt(model, known, width);
    let (text, pos) = (model.line.text(), model.line.pos());
    let hidden_from = if model.is_password { Some(0) } else { secrets::hidden_from(text) };
    let show = |(at, cell): (usize, &str)| match cell {
        _ if hidden_from.is_some_and(|from| at >= from) => "•".to_owned(),
        "\n" => "⏎".to_owned(),
        "\t" => "⇥".to_owned(),
        cell => cell.to_owned(),
    };
    let cells: Vec<(usize, String)> =
        text.grapheme_indices(true).map(|(at, cell)| (at, show((at, cell)))).collect();
    let room = width.saturating_sub(prompt.width()).max(2) - 1; // one for the cursor
    let cursor: usize =
        cells.iter().filter(|(at, _)| *at < pos).map(|(_, cell)| cell.width()).sum();
    // It moves by half the room, so that one sees what one comes from.
    let skipped = if cursor < room { 0 } else { (cursor - room) / (room / 2).max(1) + 1 };
    let skipped = skipped * (room / 2).max(1);
    let mut x = 0;
    let mut first = None;
    let mut line = vec![Span::styled(prompt.clone(), style)];
    for (_, cell) in cells {
        let end = x + cell.width();
        if x >= skipped && end <= skipped + room {
            first = first.or(Some(x));
            line.push(Span::raw(cell));
        }
        x = end;
    }
    let skipped = first.unwrap_or(skipped);
    Line::from(line).render(area, buffer);
    let column = (prompt.width() + cursor - skipped.min(cursor)).min(width.saturating_sub(1));
    Position { x: area.x + u16::try_from(column).unwrap_or_default(), y: area.y }
}

/// What the terminal's window is called.
pub(crate) fn title(model: &Model, known: &Known) -> String {
    let room = known.room.as_deref().unwrap_or("chat");
    let count = if model.unseen > 0 { format!("({}) ", model.unseen) } else { String::new() };
    format!("{count}{room} - chat")
}
