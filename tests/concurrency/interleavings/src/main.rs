//! The parts of chatd in which threads meet, under a scheduler that decides which thread goes on: shuttle tries many
//! orders, and says which one goes wrong. The sources are those of src; build.rs says what is replaced in them.
//!
//! `interleavings [--schedules N] [NAME…]`: each scenario in N orders (1,000 by default), half of them random,
//! half of them with few switches at random places (PCT). Then the same with each planted mistake, until it is found.

#![allow(
    dead_code,
    unexpected_cfgs,
    unused_imports,
    unused_macros,
    reason = "of the copy, a part is used"
)]
#![allow(clippy::all, reason = "the copy is looked at where it comes from")]

mod model;
#[path = "../planted/mod.rs"]
mod planted;
mod scenarios;

include!(concat!(env!("OUT_DIR"), "/chatd/root.rs"));

use scenarios::{SCENARIOS, Scenario};
use shuttle::{
    Config, FailurePersistence, MaxSteps, Runner,
    scheduler::{PctScheduler, RandomScheduler, Scheduler},
};
use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::Instant,
};

/// In how many orders a planted mistake has to be found.
const FOUND_WITHIN: usize = 50_000;
/// The places at which PCT switches.
const SWITCHES: usize = 4;

/// The mistake that is planted now, if one is.
static ACTIVE: Mutex<Option<&'static str>> = Mutex::new(None);
/// The orders that have begun.
static BEGUN: AtomicUsize = AtomicUsize::new(0);
/// What goes wrong is expected, and need not be told.
static IS_QUIET: AtomicBool = AtomicBool::new(false);

/// Whether a mistake is planted. The copied sources ask this.
pub(crate) fn planted(name: &str) -> bool {
    *ACTIVE.lock().unwrap() == Some(name)
}

fn main() {
    let mut schedules = 1_000;
    let mut names = Vec::new();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match &*word {
            "--schedules" => {
                schedules = words.next().and_then(|n| n.parse().ok()).expect("--schedules N");
            }
            _ => names.push(word),
        }
    }
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !IS_QUIET.load(Relaxed) {
            tell(panic);
        }
    }));
    let (mut right, mut wrong) = (0, 0);
    let mut count = |is_right| if is_right { right += 1 } else { wrong += 1 };
    for scenario in SCENARIOS {
        if names.is_empty() || names.iter().any(|name| name == scenario.name) {
            count(is_sound(scenario, schedules));
            let planted = planted::planted().filter(|planted| planted.scenario == scenario.name);
            planted.for_each(|planted| count(is_found(scenario, planted.name)));
        }
    }
    println!("{right} passed, {wrong} failed");
    std::process::exit(i32::from(wrong > 0));
}

/// Whether nothing goes wrong.
fn is_sound(scenario: &Scenario, schedules: usize) -> bool {
    let began = Instant::now();
    BEGUN.store(0, Relaxed);
    let is_sound = has_passed(scenario, RandomScheduler::new(schedules.div_ceil(2)))
        && has_passed(scenario, PctScheduler::new(SWITCHES, schedules.div_ceil(2)));
    let (count, seconds) = (BEGUN.load(Relaxed), began.elapsed().as_secs_f64());
    let outcome = if is_sound { "sound" } else { "WRONG" };
    println!(
        "{:<10} {outcome}: {count} orders in {seconds:.1} s. {}",
        scenario.name, scenario.what
    );
    is_sound
}

/// Whether a planted mistake is found.
fn is_found(scenario: &Scenario, mistake: &'static str) -> bool {
    let began = Instant::now();
    BEGUN.store(0, Relaxed);
    IS_QUIET.store(std::env::var_os("LOUD").is_none(), Relaxed);
    *ACTIVE.lock().unwrap() = Some(mistake);
    // In turns: some are found by the one, some by the other.
    let mut is_found = false;
    for round in 0.. {
        let some = 100 << round;
        is_found = !has_passed(scenario, RandomScheduler::new(some))
            || !has_passed(scenario, PctScheduler::new(SWITCHES, some));
        if is_found || BEGUN.load(Relaxed) > FOUND_WITHIN {
            break;
        }
    }
    *ACTIVE.lock().unwrap() = None;
    IS_QUIET.store(false, Relaxed);
    let (count, seconds) = (BEGUN.load(Relaxed), began.elapsed().as_secs_f64());
    match is_found {
        true => println!("{:<10}   found in order {count} ({seconds:.1} s): {mistake}", ""),
        false => println!("{:<10}   NOT FOUND in {count} orders: {mistake}", ""),
    }
    is_found
}

/// On a thread of its own: what a failed run leaves in its thread's cells is nobody's.
fn has_passed(scenario: &Scenario, scheduler: impl Scheduler + Send + 'static) -> bool {
    let run = scenario.run;
    let runs = move || {
        let mut config = Config::new();
        config.stack_size = 1024 * 1024;
        config.max_steps = MaxSteps::FailAfter(20_000); // far more than any scenario takes
        config.silence_warnings = true;
        config.ungraceful_shutdown_config.immediately_return_on_panic = true;
        if IS_QUIET.load(Relaxed) {
            config.failure_persistence = FailurePersistence::None;
        }
        Runner::new(scheduler, config).run(move || {
            BEGUN.fetch_add(1, Relaxed);
            model::time::reset();
            scenarios::reset();
            run();
        });
    };
    std::thread::spawn(runs).join().is_ok()
}
