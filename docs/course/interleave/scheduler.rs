//! Threads of which only one runs at a time, and a schedule says which: so a race is no luck any more. They are true
//! threads, but each step waits for its turn. The threads of a scene run these functions, the scheduler runs on `main`.

use parking_lot::{Condvar, Mutex};
use std::{panic, thread};

/// Threads of a scene.
pub const THREADS: usize = 2;

/// What one thread did, or could not do yet.
#[derive(Clone, PartialEq)]
pub struct Step {
    pub thread: usize,
    pub text: String,
    pub kind: Kind,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Kind {
    Plain,
    Locks(usize),
    LetsGo(usize),
    /// It wants a lock that another one holds. It is told once, and is no step of its own.
    Waits(usize),
}

/// One thread, as the scheduler sees it.
#[derive(Clone, Copy, PartialEq)]
enum State {
    /// It runs: its next step is not known yet.
    Running,
    /// It is in front of a step that it can do at any time.
    Ready,
    /// It is in front of a lock.
    Wants(usize),
    Ended,
}

struct Stage {
    states: [State; THREADS],
    /// Whose turn it is.
    turn: Option<usize>,
    /// Who holds each lock.
    holders: Vec<Option<usize>>,
    steps: Vec<Step>,
    /// All is told, or nobody can go on: whoever waits gives up.
    is_over: bool,
}

/// What a thread of a scene has in its hand.
pub struct Turn<'a> {
    pub me: usize,
    locks: &'a [&'static str],
    stage: &'a Mutex<Stage>,
    changed: &'a Condvar,
}

impl Turn<'_> {
    /// One step: nothing of another thread happens while `act` runs.
    pub fn does<T>(&self, act: impl FnOnce() -> (String, T)) -> T {
        self.waits_for_its_turn(State::Ready);
        let (text, value) = act();
        self.records(Kind::Plain, text);
        value
    }

    pub fn locks(&self, lock: usize) {
        self.waits_for_its_turn(State::Wants(lock));
        self.stage.lock().holders[lock] = Some(self.me);
        self.records(Kind::Locks(lock), format!("locks {}", self.locks[lock]));
    }

    pub fn lets_go(&self, lock: usize) {
        self.waits_for_its_turn(State::Ready);
        self.stage.lock().holders[lock] = None;
        self.records(Kind::LetsGo(lock), format!("lets go of {}", self.locks[lock]));
    }

    fn waits_for_its_turn(&self, state: State) {
        let mut stage = self.stage.lock();
        stage.states[self.me] = state;
        self.changed.notify_all();
        while stage.turn != Some(self.me) {
            if stage.is_over {
                drop(stage);
                panic::resume_unwind(Box::new("nobody can go on")); // out of the scene, without a word
            }
            self.changed.wait(&mut stage);
        }
    }

    fn records(&self, kind: Kind, text: String) {
        let mut stage = self.stage.lock();
        stage.steps.push(Step { thread: self.me, text, kind });
        stage.states[self.me] = State::Running;
        stage.turn = None;
    }
}

/// Runs `program` on each thread. `choose` gets those that can go on, and returns the place of one in that list. Returns
/// what happened, and whether all threads came to their end.
pub fn run(
    locks: &[&'static str],
    program: &(dyn Fn(&Turn<'_>) + Sync),
    mut choose: impl FnMut(&[usize]) -> usize,
) -> (Vec<Step>, bool) {
    let stage = Mutex::new(Stage {
        states: [State::Running; THREADS],
        turn: None,
        holders: vec![None; locks.len()],
        steps: Vec::new(),
        is_over: false,
    });
    let changed = Condvar::new();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|me| {
                let turn = Turn { me, locks, stage: &stage, changed: &changed };
                scope.spawn(move || {
                    program(&turn);
                    turn.stage.lock().states[me] = State::Ended;
                    turn.changed.notify_all();
                })
            })
            .collect();
        let mut stage = stage.lock();
        loop {
            while stage.turn.is_some() || stage.states.contains(&State::Running) {
                changed.wait(&mut stage);
            }
            tell_who_waits(&mut stage, locks);
            let able: Vec<usize> = (0..THREADS).filter(|&i| is_able(&stage, i)).collect();
            if able.is_empty() {
                break;
            }
            stage.turn = Some(able[choose(&able)]);
            changed.notify_all();
        }
        stage.is_over = true;
        changed.notify_all();
        drop(stage);
        threads.into_iter().for_each(|thread| drop(thread.join()));
    });
    let stage = stage.into_inner();
    (stage.steps, stage.states == [State::Ended; THREADS])
}

fn is_able(stage: &Stage, thread: usize) -> bool {
    match stage.states[thread] {
        State::Ready => true,
        State::Wants(lock) => stage.holders[lock].is_none(),
        State::Running | State::Ended => false,
    }
}

fn tell_who_waits(stage: &mut Stage, locks: &[&'static str]) {
    for thread in 0..THREADS {
        let State::Wants(lock) = stage.states[thread] else { continue };
        let last = stage.steps.iter().rfind(|step| step.thread == thread);
        let is_told = last.is_some_and(|step| step.kind == Kind::Waits(lock));
        if stage.holders[lock].is_some() && !is_told {
            let text = format!("… waits for {}", locks[lock]);
            stage.steps.push(Step { thread, text, kind: Kind::Waits(lock) });
        }
    }
}

/// Calls `visit` once for each schedule that there is, with one chooser after the other.
pub fn all_schedules(mut visit: impl FnMut(&mut dyn FnMut(&[usize]) -> usize)) {
    let mut chosen: Vec<(usize, usize)> = Vec::new(); // at each point: which, of how many
    loop {
        let mut point = 0;
        visit(&mut |able| {
            if point == chosen.len() {
                chosen.push((0, able.len()));
            }
            point += 1;
            chosen[point - 1].0
        });
        // The last point at which there is another one to choose; what comes behind it begins anew.
        while chosen.pop_if(|(which, many)| *which + 1 == *many).is_some() {}
        match chosen.last_mut() {
            Some((which, _)) => *which += 1,
            None => return,
        }
    }
}

/// A chooser that throws dice, and always the same ones for the same seed (splitmix64).
pub fn dice(mut seed: u64) -> impl FnMut(&[usize]) -> usize {
    move |able| {
        seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = seed;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) % able.len() as u64) as usize
    }
}
