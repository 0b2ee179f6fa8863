//! What a client reads does not depend on where batches end; nobody reads what is not written; everybody is answered.
//!
//! The driver takes whatever waits in the channel, and a batch waits for the disk, so the borders between batches are an
//! accident of timing. Here the same random conversation is played twice, once with each event a batch of its own and once
//! in random batches, each of which is written and delivered some events later, and every client must have read the same
//! bytes both times. Other conversations ask for what may fail: what comes of them depends on when it is written, so there
//! only what holds for each play by itself is checked. A failure is cut down to the fewest events that still fail.
//!
//! In `spoken`, clients type, and each must read what docs/protocol.md says.

mod page;
mod play;
mod random;
mod spoken;
mod world;

use chatd::core::close_reason::CloseReason;
use play::{Play, Step, Turn};
use random::Dice;
use std::panic::{AssertUnwindSafe, catch_unwind};

const CLIENTS: u64 = 5;
const STEPS: usize = 60;
const ROUNDS: u64 = 1_000;

/// Anything that can happen whose outcome does not depend on the disk.
fn random_step(dice: &mut Dice, i: usize) -> Step {
    let client = 1 + dice.below(CLIENTS);
    let name = dice.one(&["ann", "bob", "cy", "dee", "eve", "Fay", "BOB"]);
    let on = dice.one(&["on", "off", ""]);
    let types = |command: String| Step::Type(client, command);
    match dice.below(32) {
        0..7 => {
            let lines = 1 + dice.below(3);
            Step::Say(client, (0..lines).map(|line| format!("<c{client}> {i}.{line}\n")).collect())
        }
        7..11 => Step::Enter(client, name.to_owned()),
        11..13 => types(format!("nick {name}")),
        13..15 => types(format!("join {}", dice.one(&["lobby", "red", "blue"]))),
        // Not to ann, who has a mailbox.
        15 => types(format!("msg {} psst {i}", dice.one(&["bob", "cy", "dee", "eve", "Fay"]))),
        16 => types(format!("reply re {i}")),
        17 => types(format!("ignore {name}")),
        18 => types(format!("unignore {name}")),
        19 => types(format!("quiet {on}")),
        20 => types(format!("timestamps {on}")),
        21 => types(format!("echo {on}")),
        22..24 => types(
            dice.one(&["who", "names", "history 5", "rooms", "hand", "away", "leave", "ignore"])
                .to_owned(),
        ),
        24 => types(format!("topic t{i}")),
        25..27 => {
            let act = dice.one(&["kick", "ban", "unban", "mute", "unmute", "ask", "announce"]);
            types(format!("{act} {name}"))
        }
        27 => types(dice.one(&["pause", "resume", "bans", "hands", "shutdown 60"]).to_owned()),
        28 => Step::Logs(client),
        29..31 => Step::Depart(
            client,
            dice.one(&[CloseReason::Closed, CloseReason::Quit(Some("tea".to_owned()))]),
        ),
        _ if dice.below(12) == 0 => Step::Close,
        _ => Step::Whose(client, name.to_owned()),
    }
}

/// Among other things, what may fail.
fn hostile_step(dice: &mut Dice, i: usize) -> Step {
    let client = 1 + dice.below(CLIENTS);
    match dice.below(16) {
        0..2 => Step::Register(client),
        2 => Step::SetPassword(client),
        3 => Step::Unregister(client),
        4 => Step::DeleteMail(client),
        5 => Step::Type(client, format!("msg zoe {i}")),
        6 => Step::Restore,
        7 if dice.below(30) == 0 => Step::CloseAtOnce,
        // No session does the next two: an answer is overtaken by its client's goodbye, or by another question.
        8 => Step::DepartUnanswered(client),
        9 => Step::Ask(client),
        _ => random_step(dice, i),
    }
}

fn conversation(dice: &mut Dice, step: fn(&mut Dice, usize) -> Step) -> Vec<(Step, Turn)> {
    let mean = 1 + dice.below(8);
    let turn = |dice: &mut Dice| Turn {
        seals: dice.below(mean) == 0,
        writes: dice.below(mean) == 0,
        flushes: dice.below(mean) == 0,
        fails: dice.below(4) == 0,
    };
    (0..STEPS).map(|i| (step(dice, i), turn(dice))).collect()
}

/// Leaves out events for as long as `fails`.
fn shrink(
    mut steps: Vec<(Step, Turn)>,
    fails: impl Fn(&[(Step, Turn)]) -> bool,
) -> Vec<(Step, Turn)> {
    let mut i = 0;
    while i < steps.len() {
        let mut fewer = steps.clone();
        fewer.remove(i);
        if fails(&fewer) {
            (steps, i) = (fewer, 0);
        } else {
            i += 1;
        }
    }
    steps
}

#[test]
fn what_is_read_does_not_depend_on_where_batches_end() {
    for seed in 1..=ROUNDS {
        let steps = conversation(&mut Dice::of(seed), random_step);
        let keeps_talk = seed % 2 == 0;
        let single = |steps: &[(Step, Turn)]| Play::one_by_one(steps, keeps_talk).read;
        let batched = |steps: &[(Step, Turn)]| Play::in_batches(steps, keeps_talk).read;
        if single(&steps) != batched(&steps) {
            let steps = shrink(steps, |steps| single(steps) != batched(steps));
            let (single, batched) = (single(&steps), batched(&steps));
            let client =
                (1..=CLIENTS).find(|client| batched.get(client) != single.get(client)).unwrap();
            panic!(
                "seed {seed}: client {client} reads of {steps:#?}:\n{}\n--- one by one:\n{}",
                batched.get(&client).map_or("", String::as_str),
                single.get(&client).map_or("", String::as_str),
            );
        }
    }
}

#[test]
fn whatever_fails_nobody_is_left_without_an_answer() {
    let fails = |steps: &[(Step, Turn)]| {
        let once = || Play::in_batches(steps, true).log;
        catch_unwind(AssertUnwindSafe(|| assert_eq!(once(), once(), "two plays differ"))).is_err()
    };
    for seed in 1..=ROUNDS / 2 {
        let steps = conversation(&mut Dice::of(seed), hostile_step);
        assert!(!fails(&steps), "seed {seed} (see above): {:#?}", shrink(steps, fails));
    }
}
