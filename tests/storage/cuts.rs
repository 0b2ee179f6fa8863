//! The power fails while people talk. A server runs once at each `--durability`, all that it does with its
//! files and all that it sends is recorded, and then the power fails behind any of these calls, as often as
//! is wished for.

use crate::{
    Dice,
    disk::on_disk,
    harness::{Client, Folder, Server},
    rounds,
    trace::{Op, Trace, lay_out},
};
use chatd::store::{Durability, Sound, Store};
use std::{collections::HashMap, ops::ControlFlow, path::Path, thread, time::Duration};

/// Cuts of the power at each durability in CI.
const CUTS: usize = 20;
/// Lines of each talker: enough to bring the log into the file two times and more.
const LINES: usize = 500;

/// The lines of the lobby in a file that opens and is sound.
fn lobby(path: &Path) -> Result<(Vec<String>, Sound), String> {
    let store = Store::open(path, Durability::Normal, Duration::ZERO).map_err(|e| e.to_string())?;
    let sound = Sound::check(&store).map_err(|e| e.to_string())?;
    let mut lines = Vec::new();
    let take = |line: chatd::store::ExportedLine| {
        lines.push(line.shown().trim_end().to_owned());
        ControlFlow::<()>::Continue(())
    };
    store.export(Some("lobby"), take).map_err(|e| e.to_string())?;
    Ok((lines, sound))
}

/// Says lines and waits for each to come back; writes to somebody who is away now and then, and is told
/// that it is kept.
fn talks(mut client: Client, mail: usize) {
    client.asks_until("/echo on", "*** You read your own lines");
    for i in 0..LINES {
        let line = format!("{i}{}", " so it goes on and on".repeat(i % 7));
        client.says(&line);
        client.hears_until(&format!("<{}> {line}", client.name));
        if i % 50 == 25 && i / 50 < mail {
            client.asks_until(&format!("/msg away {i}"), "*** away is away: your message is kept");
        }
    }
}

/// A run of the server in which two talk and one listens, and what the file has in the end.
fn record(durability: &str) -> Option<(Trace, Vec<String>)> {
    let folder = Folder::with_accounts(&["away"]);
    let traces = Folder::new();
    let file = traces.path("trace");
    let mut trace = Trace::begin(&folder.path(""));
    let options = "--db chatd.db --listen 127.0.0.1:0 --web none --flood off --backlog-lines 0";
    let command = folder.chatd(&format!("{options} --durability {durability}"));
    let command = on_disk(command, &folder, &[("DISK_TRACE", file.to_str().unwrap())])?;
    let mut server = Server::start_program(command);
    let [ann, ben, mut lis] = server.enter(["ann", "ben", "lis"]);
    let talkers = [(ann, 10), (ben, 10)].map(|(who, mail)| thread::spawn(move || talks(who, mail)));
    talkers.into_iter().for_each(|talker| talker.join().unwrap());
    lis.has_read_everything();
    server.ends_on_ctrl_c();
    trace.read(&file);
    let (lines, _) = lobby(&folder.path("chatd.db")).unwrap();
    assert_eq!(lines.iter().filter(|line| line.contains("> ")).count(), 2 * LINES);
    Some((trace, lines))
}

/// What one cut has cost.
#[derive(Default)]
struct Cost {
    /// Lines that somebody was shown, and that the file does not have.
    lines: usize,
    mail: usize,
    /// The file could not be opened, or was not sound.
    is_damaged: bool,
}

/// Cuts the power behind `at` calls, and looks at what is there. `all`: what was said, in order.
fn cut(trace: &Trace, all: &[String], at: usize, keeps: usize, dice: &mut Dice) -> Cost {
    let shown = trace.shown(at);
    let place: HashMap<&str, usize> =
        all.iter().enumerate().map(|(i, line)| (&**line, i)).collect();
    let last_shown = |text: &String| text.lines().filter_map(|line| place.get(line)).max().copied();
    let shown_lines = shown.values().filter_map(last_shown).max().map_or(0, |last| last + 1);
    let kept = shown.values().flat_map(|text| text.lines());
    let shown_mail = kept.filter(|line| line.contains("your message is kept")).count();

    let folder = Folder::new();
    lay_out(&trace.cut(at, keeps, dice), &folder.path(""));
    let Ok((lines, sound)) = lobby(&folder.path("chatd.db")) else {
        return Cost { lines: shown_lines, mail: shown_mail, is_damaged: true };
    };
    let is_beginning = lines.len() <= all.len() && lines[..] == all[..lines.len()];
    assert!(
        is_beginning,
        "cut behind call {at}, {keeps}: the file has something else than was said"
    );
    Cost {
        lines: shown_lines.saturating_sub(lines.len()),
        mail: shown_mail.saturating_sub(sound.mail),
        is_damaged: false,
    }
}

/// Cuts the power as often as is wished for: half of the times just when somebody was shown something.
fn cut_often(durability: &str) -> Option<Vec<Cost>> {
    let (trace, all) = record(durability)?;
    let mut dice = Dice(0x5eed + durability.len() as u64);
    let shows: Vec<usize> = (0..trace.ops.len())
        .filter(|&at| matches!(trace.ops[at], Op::Shown(..)))
        .map(|at| at + 1)
        .collect();
    let costs: Vec<Cost> = (0..rounds(CUTS))
        .map(|round| {
            let at = match round % 2 {
                0 => shows[dice.roll(shows.len())],
                _ => dice.roll(trace.ops.len() + 1),
            };
            let keeps = [0, 50, 10, 90, 100][round / 2 % 5];
            cut(&trace, &all, at, keeps, &mut dice)
        })
        .collect();
    let damaged = costs.iter().filter(|cost| cost.is_damaged).count();
    let losing = costs.iter().filter(|cost| cost.lines + cost.mail > 0).count();
    let most = costs.iter().map(|cost| cost.lines).max().unwrap();
    println!(
        "--durability {durability}: {} calls recorded, {} lines said; {} cuts: {damaged} left a file that is not \
         sound, {losing} lost something that was shown, {most} lines at most",
        trace.ops.len(),
        all.len(),
        costs.len(),
    );
    Some(costs)
}

#[test]
fn at_full_durability_a_power_cut_loses_nothing_that_was_shown() {
    let Some(costs) = cut_often("full") else { return };
    for Cost { lines, mail, is_damaged } in costs {
        assert_eq!((lines, mail, is_damaged), (0, 0, false));
    }
}

/// And it does lose something, or this test would not see it.
#[test]
fn at_normal_durability_a_power_cut_loses_the_last_lines_and_the_file_is_sound() {
    let Some(costs) = cut_often("normal") else { return };
    assert!(!costs.iter().any(|cost| cost.is_damaged));
    assert!(costs.iter().any(|cost| cost.lines > 0), "the disk that forgets forgets nothing");
}

/// What is left is not promised; that it is recognised is.
#[test]
fn at_durability_off_a_power_cut_leaves_what_is_sound_or_is_left_alone() {
    let Some(costs) = cut_often("off") else { return };
    assert!(costs.iter().any(|cost| cost.is_damaged || cost.lines > 0));
}
