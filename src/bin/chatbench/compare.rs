//! `chatbench compare`: threads, select and epoll beside the floor, and all that docs/figures shows of them.
//!
//! The three chat servers share the core, the options and the lines on the wire; what is compared is how they wait. For
//! each number of clients they are measured in turns, several times; of each figure the median is shown, and between
//! which values it lay. A run in which a line was lost is a failure, and no point of any curve.

mod chart;
mod machine;
mod models;
mod page;
mod plot;
mod sizes;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::cli::compare::chart::CHARTS;
use crate::cli::compare::models::Model;
use crate::cli::compare::page::Results;
use crate::cli::compare::sizes::Sizes;
use crate::cli::connect::Connect;
use crate::cli::load::Settings;
use crate::cli::report::Outcome;
use crate::cli::runs::{Lane, interleave};

/// From this many clients on, gathering them takes longer than measuring: each is told of all who come after.
const MANY: usize = 5000;
/// Runs with as many clients, at most.
const RUNS_OF_MANY: usize = 3;

/// What is measured how often, and where the files go.
#[derive(Debug)]
pub struct Plan {
    /// Numbers of clients: the points of the curves.
    pub clients: Vec<usize>,
    /// How many join at once.
    pub joins: usize,
    pub runs: usize,
    pub folder: PathBuf,
    /// Build the servers first.
    pub build: bool,
}

/// All models under one load; those that can not have so many clients are missing.
#[derive(Debug)]
pub struct Measured {
    pub clients: usize,
    pub outcomes: Vec<Outcome>,
}

/// Measures all, writes tables and plots, and returns whether no run has failed.
pub fn run(plan: &Plan, settings: &Settings, as_json: bool) -> Result<bool> {
    let begin = Instant::now();
    if plan.build {
        models::build()?;
    }
    let models = models::all()?;
    let machine = machine::describe()?;
    let progress =
        |what: &str| eprintln!("{:5.1} min: {what}", begin.elapsed().as_secs_f64() / 60.0);
    let mut sizes = Vec::new();
    for &clients in &plan.clients {
        progress(&format!("{clients} clients"));
        let runs = if clients < MANY { plan.runs } else { plan.runs.min(RUNS_OF_MANY) };
        sizes.push(measure(&models, clients, runs, settings, |model| {
            Lane::new(&model.target, Sizes { clients })
        }));
    }
    progress(&format!("{} clients join at once", plan.joins));
    let load = Connect { clients: plan.joins };
    let joins =
        measure(&models, plan.joins, plan.runs, settings, |model| Lane::new(&model.target, load));

    let results = Results { sizes, joins, settings: *settings, machine, took: begin.elapsed() };
    let folder = plan.folder.display();
    std::fs::create_dir_all(&plan.folder)
        .with_context(|| format!("cannot make the folder {folder}"))?;
    for chart in &CHARTS {
        let file = plan.folder.join(format!("{}.svg", chart.name));
        plot::draw(chart, &results.sizes, &file)
            .with_context(|| format!("cannot draw {}", file.display()))?;
    }
    let page = plan.folder.join("compare.md");
    std::fs::write(&page, page::markdown(&results))
        .with_context(|| format!("cannot write {}", page.display()))?;
    progress(&format!("written: {} and {} plots beside it", page.display(), CHARTS.len()));
    if as_json {
        println!("{}", page::json(&results));
    }
    let failures: Vec<String> = results.failures().collect();
    failures.iter().for_each(|why| eprintln!("FAILED {why}"));
    Ok(failures.is_empty())
}

/// The same load on all models that can have so many clients, in turns.
fn measure(
    models: &[Model],
    clients: usize,
    runs: usize,
    settings: &Settings,
    lane: impl Fn(&Model) -> Lane,
) -> Measured {
    let lanes: Vec<Lane> = models.iter().filter(|model| clients <= model.most).map(lane).collect();
    Measured { clients, outcomes: interleave(&lanes, runs, settings) }
}
