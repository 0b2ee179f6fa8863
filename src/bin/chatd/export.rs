//! `chatd history export`: what was said in rooms, for people, programs and browsers. Runs on thread
//! `main`.

use crate::{
    database,
    print::{print_line, zone},
};
use anyhow::{Context as _, ensure};
use chatd::{
    core::json::Object,
    server::subcommands::{ExportFormat, HistoryCommand},
    store::{ExportedLine, Form, Store},
};
use jiff::{Zoned, civil::Date};
use std::{
    fs::{self, File},
    io::{self, BufWriter, ErrorKind, Write},
    ops::ControlFlow,
    path::Path,
};

/// Writes it to a file, or prints it on standard output. `path`: the database.
pub(crate) fn export(command: &HistoryCommand, path: &Path) -> anyhow::Result<()> {
    let store = database::open_to_read(path)?;
    if let Some(room) = &command.room {
        ensure!(store.has_room(room)?, "Nothing was ever said in a room called {room}.");
    }
    let Some(to) = &command.to else {
        return match write(&store, command, io::stdout().lock())? {
            Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(()), // the reader has seen enough
            result => result.context("cannot write to standard output"),
        };
    };
    ensure!(!to.exists(), "{} is there already. Give another name.", to.display());
    let unfinished = to.with_added_extension("unfinished");
    let _ = fs::remove_file(&unfinished); // a crash left it; or it is a link to some other file
    let written = File::create_new(&unfinished).map_err(Into::into).and_then(|file| {
        write(&store, command, &file)?.and_then(|()| file.sync_all())?;
        Ok(fs::rename(&unfinished, to)?)
    });
    let _ = fs::remove_file(&unfinished); // unless it has its name
    written
        .map_err(|why: anyhow::Error| why.context(format!("{} cannot be written", to.display())))?;
    print_line(&format!("{} is written.", to.display()));
    Ok(())
}

/// The outer error is the database's.
fn write(
    store: &Store,
    command: &HistoryCommand,
    out: impl Write,
) -> anyhow::Result<io::Result<()>> {
    let mut out = BufWriter::new(out);
    let mut page = Page::default();
    let room = command.room.as_deref();
    let format = match (command.format, command.json) {
        (Some(format), _) => format,
        (None, true) => ExportFormat::Json,
        (None, false) => ExportFormat::Text,
    };
    let zone = zone();
    let is_page = format == ExportFormat::Html;
    if is_page && let Err(error) = out.write_all(Page::head(room).as_bytes()) {
        return Ok(Err(error));
    }
    let failed = store.export(room, |line| {
        let at = line.at.to_zoned(zone.clone());
        let text = match format {
            ExportFormat::Text => format!("{} {} {}", time(&at), line.room, line.shown()),
            ExportFormat::Json => as_json(&line, &at),
            ExportFormat::Html => page.line(&line, &at, room.is_none()),
        };
        match out.write_all(text.as_bytes()) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    })?;
    let end = if is_page { page.end() } else { "" };
    Ok(failed
        .map_or(Ok(()), Err)
        .and_then(|()| out.write_all(end.as_bytes()))
        .and_then(|()| out.flush()))
}

fn time(at: &Zoned) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

fn as_json(line: &ExportedLine, at: &Zoned) -> String {
    let kind = match line.form {
        Form::Said => "said",
        Form::Did => "did",
        Form::Announced => "announced",
        Form::Other => "other",
    };
    Object::of("time", time(at))
        .and("room", line.room.as_str())
        .and("author", line.author.as_str())
        .and("kind", kind)
        .and("text", line.body.as_str())
        .line()
}

/// A page for a browser: one file, without a script, a day under each heading. What people said is
/// text in it and never anything else.
#[derive(Default)]
struct Page {
    day: Option<Date>,
}

impl Page {
    fn head(room: Option<&str>) -> String {
        let title = escaped(room.unwrap_or("All rooms"));
        include_str!("export.html").replace("TITLE", &title)
    }

    fn line(&mut self, line: &ExportedLine, at: &Zoned, is_of_all: bool) -> String {
        let mut html = String::new();
        if self.day != Some(at.date()) {
            html.push_str(self.end_of_day());
            html.push_str(&format!("<h2>{}</h2>\n<table>\n", at.strftime("%A, %-d %B %Y")));
            self.day = Some(at.date());
        }
        let (author, body) = (escaped(&line.author), escaped(&line.body));
        let said = match line.form {
            Form::Said => format!("<th scope=\"row\">{author}</th><td dir=\"auto\">{body}</td>"),
            Form::Did => format!("<th>*</th><td><b>{author}</b> <bdi>{body}</bdi></td>"),
            Form::Announced => {
                format!("<th>***</th><td><b>{author}</b> announced: <bdi>{body}</bdi></td>")
            }
            Form::Other => format!("<th></th><td dir=\"auto\">{body}</td>"),
        };
        let room = match is_of_all {
            true => format!("<td class=\"room\">{}</td>", escaped(&line.room)),
            false => String::new(),
        };
        html + &format!(
            "<tr><td><time datetime=\"{}\">{}</time></td>{room}{said}</tr>\n",
            time(at),
            at.strftime("%H:%M")
        )
    }

    fn end_of_day(&self) -> &'static str {
        if self.day.is_some() { "</table>\n" } else { "" }
    }

    fn end(&self) -> &'static str {
        match self.day {
            Some(_) => "</table>\n</main>\n</body>\n</html>\n",
            None => "<p>Nothing was said.</p>\n</main>\n</body>\n</html>\n",
        }
    }
}

fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            c => html.push(c),
        }
    }
    html
}
