//! Two threads under a schedule: what happens step by step, and how many schedules go wrong.
//! `interleave SCENE [--seed N] [--all] [--svg FILE]`

use anyhow::Context as _;
use chatd::socketserver::program;
use parking_lot::Mutex;
use scenes::{Memory, SCENES, Scene};
use scheduler::{Step, THREADS, all_schedules, dice};

#[path = "interleave/graph.rs"]
mod graph;
#[path = "interleave/scenes.rs"]
mod scenes;
#[path = "interleave/scheduler.rs"]
mod scheduler;

/// Two threads, step by step: which of them is next is decided by a seed, or all that can happen is tried.
#[derive(argh::FromArgs)]
struct Options {
    /// which two threads; without it, the scenes that there are
    #[argh(positional)]
    scene: Option<String>,
    /// the dice: the same number, the same steps. 1 without it
    #[argh(option, default = "1")]
    seed: u64,
    /// try every schedule, count those that go wrong, and show the first of them
    #[argh(switch)]
    all: bool,
    /// write the progress graph of the run to this file
    #[argh(option)]
    svg: Option<std::path::PathBuf>,
}

/// What one run came to.
struct Outcome {
    steps: Vec<Step>,
    /// What is wrong, if something is.
    wrong: Option<String>,
}

fn main() -> anyhow::Result<()> {
    let options: Options = program::options();
    let names: Vec<&str> = SCENES.iter().map(|scene| scene.name).collect();
    let Some(name) = &options.scene else {
        program::say(&format!("interleave SCENE, which is one of: {}", names.join(", ")));
        return Ok(());
    };
    let scene = SCENES.iter().find(|scene| scene.name == name);
    let scene = scene.with_context(|| format!("{name} is none of: {}", names.join(", ")))?;
    let outcome = if options.all {
        plays_all(scene)
    } else {
        program::say(&format!("{}, seed {}\n", scene.name, options.seed));
        Some(plays(scene, dice(options.seed)))
    };
    let Some(outcome) = outcome else { return Ok(()) };
    shows(scene, &outcome);
    if let Some(file) = options.svg {
        let alone = std::array::from_fn(|thread| steps_alone(scene, thread));
        let graph = graph::svg(scene.name, scene.threads, &alone, &outcome.steps);
        std::fs::write(&file, graph).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

fn plays(scene: &Scene, choose: impl FnMut(&[usize]) -> usize) -> Outcome {
    let memory = Mutex::new(Memory::default());
    let program = |turn: &scheduler::Turn<'_>| (scene.program)(turn, &memory);
    let (steps, all_ended) = scheduler::run(scene.locks, &program, choose);
    let wrong = (scene.wrong)(&memory.lock());
    let stuck = || "nobody can go on: each waits for what the other one holds".to_owned();
    Outcome { steps, wrong: wrong.or_else(|| (!all_ended).then(stuck)) }
}

/// Counts, and returns the first that goes wrong.
fn plays_all(scene: &Scene) -> Option<Outcome> {
    let (mut schedules, mut wrong, mut first) = (0, 0, None);
    all_schedules(|choose| {
        let outcome = plays(scene, choose);
        schedules += 1;
        if outcome.wrong.is_some() {
            wrong += 1;
            first.get_or_insert(outcome);
        }
    });
    program::say(&format!("{}: {wrong} of {schedules} schedules go wrong\n", scene.name));
    first
}

/// The steps of one thread that has nobody beside it: the other one comes after it.
fn steps_alone(scene: &Scene, thread: usize) -> Vec<Step> {
    let first = |able: &[usize]| able.iter().position(|&i| i == thread).unwrap_or(0);
    let steps = plays(scene, first).steps;
    steps.into_iter().filter(|step| step.thread == thread).collect()
}

/// The threads side by side, in the order in which it happened.
fn shows(scene: &Scene, outcome: &Outcome) {
    program::say(&format!("{:<32}{}", scene.threads[0], scene.threads[1]));
    program::say(&format!("{:<32}{}", "-".repeat(28), "-".repeat(28)));
    for step in &outcome.steps {
        program::say(&format!("{:indent$}{}", "", step.text, indent = step.thread * 32));
    }
    assert_eq!(THREADS, scene.threads.len());
    match &outcome.wrong {
        Some(wrong) => program::say(&format!("\nWRONG: {wrong}")),
        None => program::say("\nnothing is wrong this time"),
    }
}
