//! Builds the exercises (docs/course/exercises), plays their checks, and gives points.
//! `cargo run --example grade [STEP] [--hint N] [--handin FILE]`

use anyhow::{Context as _, ensure};
use chatd::socketserver::program;
use exercise::{Exercise, exercises};
use std::{fmt::Write as _, fs, path::PathBuf};

#[path = "grade/exercise.rs"]
mod exercise;
#[path = "grade/player.rs"]
mod player;

/// Builds exercises, plays their checks and gives points.
#[derive(argh::FromArgs)]
struct Options {
    /// the number of an exercise: 1, or 01; all without it
    #[argh(positional)]
    step: Option<u32>,
    /// show this hint of the exercise: 1, 2 …
    #[argh(option)]
    hint: Option<usize>,
    /// write what was written, and the points, to this file
    #[argh(option)]
    handin: Option<PathBuf>,
    /// for instructors: grade the solutions instead
    #[argh(switch)]
    solved: bool,
    /// for instructors: write the exercises with their solutions into this folder
    #[argh(option)]
    solutions: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let options: Options = program::options();
    let mut chosen = exercises()?;
    chosen.retain(|exercise| options.step.is_none_or(|step| step == exercise.number));
    ensure!(!chosen.is_empty(), "there is no such exercise: grade 1 is the first one");
    if let Some(number) = options.hint {
        ensure!(options.step.is_some(), "a hint of which exercise? grade 1 --hint {number}");
        let hint = number.checked_sub(1).and_then(|index| chosen[0].hints.get(index));
        let last = chosen[0].hints.len();
        program::say(
            hint.with_context(|| format!("there is no such hint: the last one is {last}"))?,
        );
        return Ok(());
    }
    if let Some(folder) = options.solutions {
        fs::create_dir_all(&folder)?;
        for exercise in &chosen {
            fs::write(folder.join(format!("{}.rs", exercise.name)), exercise.solved()?)?;
        }
        program::say(&format!("{} solutions are in {}", chosen.len(), folder.display()));
        return Ok(());
    }
    let (mut points, mut of, mut handed_in) = (0, 0, String::new());
    for exercise in &chosen {
        let source = if options.solved { exercise.solved()? } else { exercise.source.clone() };
        let (reached, report) = grade(exercise, &source)?;
        program::say(report.trim_end());
        points += reached;
        of += exercise.points();
        write!(handed_in, "{report}\n{source}\n")?;
    }
    let _ = fs::remove_dir_all(Exercise::folder());
    program::say(&format!("{points} of {of} points"));
    if let Some(file) = options.handin {
        fs::write(&file, format!("{points} of {of} points\n\n{handed_in}"))
            .with_context(|| format!("cannot write {}", file.display()))?;
        program::say(&format!("written to {}: hand that in", file.display()));
    }
    Ok(())
}

/// The points, and what is to be said of each check.
fn grade(exercise: &Exercise, source: &str) -> anyhow::Result<(u32, String)> {
    let mut report = format!("{} {}\n", exercise.name, exercise.title);
    let program = match exercise.builds(source)? {
        Ok(program) => program,
        Err(errors) => return Ok((0, format!("{report}  it cannot be built:\n{errors}\n"))),
    };
    let mut points = 0;
    for check in &exercise.checks {
        match player::plays(&program, &check.lines) {
            Ok(()) => {
                points += check.points;
                writeln!(report, "  {0} of {0}  {1}", check.points, check.what)?;
            }
            Err(why) => {
                writeln!(report, "  0 of {}  {}", check.points, check.what)?;
                writeln!(report, "          {}", why.to_string().replace('\n', "\n          "))?;
            }
        }
    }
    if points < exercise.points() && !exercise.hints.is_empty() {
        let number = exercise.number;
        writeln!(report, "  a hint: cargo run --example grade {number} --hint 1")?;
    }
    Ok((points, report))
}
