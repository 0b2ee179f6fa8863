//! Runs that are to be compared are interleaved, A B A B and so on, so that whatever else the machine does meets all.

use std::io::IsTerminal;

use crate::cli::load::{Load, Settings};
use crate::cli::report::{Figures, Outcome};
use crate::cli::target::Target;

/// One server under one load.
pub struct Lane {
    /// What tables call it.
    pub name: String,
    pub target: Target,
    pub load: Box<dyn Load>,
}

impl Lane {
    pub fn new(target: &Target, load: impl Load + 'static) -> Lane {
        Lane { name: target.name.clone(), target: target.clone(), load: Box::new(load) }
    }

    pub fn named(self, name: &str) -> Lane {
        Lane { name: name.into(), ..self }
    }
}

/// Cores that others may use during a run that is to be undisturbed.
const TOLERATED: f64 = 0.1;
/// How often a run is made again at most; the last is kept as it is, and its figures say what it met.
const ATTEMPTS: usize = 10;

/// Runs each lane `runs` times, in turns. A failed run is kept as a failure, and its lane is not run again: what is
/// wrong does not get faster.
pub fn interleave(lanes: &[Lane], runs: usize, settings: &Settings) -> Vec<Outcome> {
    let empty = |lane: &Lane| Outcome {
        name: lane.name.clone(),
        runs: Vec::new(),
        failures: Vec::new(),
        disturbed: 0,
    };
    let mut outcomes: Vec<Outcome> = lanes.iter().map(empty).collect();
    for run in 1..=runs {
        for (lane, outcome) in lanes.iter().zip(&mut outcomes) {
            if outcome.failures.is_empty() {
                show_progress(&format!("  run {run} of {runs}: {}", lane.name));
                run_once(lane, settings, outcome);
            }
        }
    }
    show_progress("");
    outcomes
}

/// One line that is written over, if there is somebody who looks at it.
fn show_progress(line: &str) {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K{line}");
    }
}

fn run_once(lane: &Lane, settings: &Settings, outcome: &mut Outcome) {
    for attempt in 1..=ATTEMPTS {
        match lane.load.run(&lane.target, settings) {
            Ok(figures) if settings.undisturbed && is_disturbed(&figures) && attempt < ATTEMPTS => {
                outcome.disturbed += 1
            }
            Ok(figures) => return outcome.runs.push(figures),
            Err(why) => return outcome.failures.push(format!("{why:#}")),
        }
    }
}

fn is_disturbed(figures: &Figures) -> bool {
    figures.get("others_busy").is_some_and(|cores| cores > TOLERATED)
}
