//! What every thread notes about itself: what it does, since when, and how long it has done what.
//!
//! A thread stores a few relaxed atomics when it begins to do something else; nobody waits for
//! anybody. So all of it can be read while threads are stuck, which is when it is needed. The time
//! is accounted and not sampled: whatever a thread does, however briefly, its nanoseconds are added
//! to the account of that activity, and so the accounts add up to the thread's life.

pub(crate) mod activity;
mod group;
pub(crate) mod ring;
mod transition;

pub(crate) use group::Group;
pub(crate) use transition::Transition;

use activity::{ACTIVITIES, ACTIVITY_COUNT, Activity, ActivityKind};
use parking_lot::Mutex;
use ring::Ring;
use std::{
    cell::{Cell, RefCell},
    sync::{
        Arc, LazyLock,
        atomic::{
            AtomicBool, AtomicU32, AtomicU64, AtomicUsize,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
    time::{Duration, Instant},
};

/// The point from which this process counts its time.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);
/// The last number that a thread was given.
static LAST_ID: AtomicU32 = AtomicU32::new(0);
/// Whether threads write their transitions into rings.
static IS_RECORDING: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// The status of this thread, if it was given one by [`Status::attach`].
    static MINE: RefCell<Option<Arc<Status>>> = const { RefCell::new(None) };
    /// The number of that status; 0: none. Apart from it, because a lock reads it each time.
    static MY_ID: Cell<u32> = const { Cell::new(0) };
}

/// Sets what the calling thread does, if it has a status. For code that runs on several threads.
pub(crate) fn set_activity(activity: Activity) {
    MINE.with_borrow(|mine| mine.iter().for_each(|status| status.set(activity)));
}

/// The number of the calling thread's status; 0: it has none.
pub(crate) fn my_id() -> u32 {
    MY_ID.get()
}

/// How long the process has been counting its time.
pub(crate) fn uptime() -> Duration {
    START.elapsed()
}

/// The same in nanoseconds: enough for 584 years.
pub(crate) fn uptime_nanos() -> u64 {
    let time = uptime();
    time.as_secs() * 1_000_000_000 + u64::from(time.subsec_nanos())
}

/// Begins or ends a recording of transitions, on every thread.
pub(crate) fn set_recording(is_on: bool) {
    IS_RECORDING.store(is_on, Relaxed);
}

/// What one thread notes about itself.
pub struct Status {
    /// Never given twice.
    pub(crate) id: u32,
    pub(crate) group: Group,
    /// Its client is the server's own, for a demonstration.
    is_puppet: AtomicBool,
    /// Held for a copy, and no other lock with it.
    name: Mutex<String>,
    /// When it was made: nanoseconds since the start.
    born: u64,
    /// The [`Transition`] to what it does now.
    activity: AtomicU64,
    /// Nanoseconds that it did each activity, without the one that it does now. Written by the
    /// thread itself alone, so a load, an addition and a store are enough.
    spent: [AtomicU64; ACTIVITY_COUNT],
    lines_in: AtomicU64,
    lines_out: AtomicU64,
    /// Bytes in the outbox of the thread's client.
    waiting: AtomicUsize,
    /// When a thread that goes round a loop last came to its beginning, in milliseconds since the
    /// start; 0: it does not say.
    turned: AtomicU64,
    /// The client at which such a thread works; 0: none.
    client: AtomicU64,
    /// How often it had to wait for a lock.
    lock_waits: AtomicU32,
    /// The kind of lock for which it waited last, shifted left by 32, and the number of the thread
    /// that had it; 0: not known.
    waits_for: AtomicU64,
    /// Its last transitions. Only the thread itself locks it, and whoever collects a recording.
    ring: Mutex<Option<Box<Ring>>>,
}

/// What a thread does that has not come round its loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    /// When the turn began, since the start of the process.
    pub(crate) began: Duration,
    /// What the thread does.
    pub(crate) doing: &'static str,
    /// At which client.
    pub(crate) client: Option<u64>,
}

impl Turn {
    /// How long it has taken so far.
    pub(crate) fn took(&self) -> Duration {
        uptime().saturating_sub(self.began)
    }
}

/// What a thread had noted at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// When it was taken: nanoseconds since the start.
    pub(crate) at: u64,
    pub(crate) activity: Activity,
    /// Nanoseconds for which it has done that.
    pub(crate) since: u64,
    /// Nanoseconds of each activity, the present one included. Their sum is `life`.
    pub(crate) spent: [u64; ACTIVITY_COUNT],
    /// Nanoseconds since the thread's status was made.
    pub(crate) life: u64,
    pub(crate) lines_in: u64,
    pub(crate) lines_out: u64,
    pub(crate) waiting: usize,
    pub(crate) lock_waits: u32,
    /// If it waits for a lock: its kind, and the number of the thread that has it.
    pub(crate) waits_for: Option<(u8, u32)>,
}

impl Sample {
    /// Nanoseconds in which it did something of this kind.
    pub(crate) fn spent_on(&self, kind: ActivityKind) -> u64 {
        ACTIVITIES.iter().zip(self.spent).filter(|(row, _)| row.1 == kind).map(|(_, n)| n).sum()
    }
}

impl Status {
    /// The status of a thread of this name.
    pub fn new(name: &str) -> Arc<Status> {
        let born = uptime_nanos();
        Arc::new(Status {
            id: LAST_ID.fetch_add(1, Relaxed) + 1,
            group: Group::of(name),
            is_puppet: AtomicBool::new(false),
            name: Mutex::new(name.to_owned()),
            born,
            activity: AtomicU64::new(Transition::new(born, Activity::Starting).bits()),
            spent: [const { AtomicU64::new(0) }; ACTIVITY_COUNT],
            lines_in: AtomicU64::new(0),
            lines_out: AtomicU64::new(0),
            waiting: AtomicUsize::new(0),
            turned: AtomicU64::new(0),
            client: AtomicU64::new(0),
            lock_waits: AtomicU32::new(0),
            waits_for: AtomicU64::new(0),
            ring: Mutex::new(None),
        })
    }

    /// Its client is the server's own, for a demonstration.
    pub(crate) fn mark_puppet(&self) {
        self.is_puppet.store(true, Relaxed);
    }

    /// Whether it serves somebody who is no puppet.
    pub(crate) fn is_person(&self) -> bool {
        self.group == Group::Client && !self.is_puppet.load(Relaxed)
    }

    /// Makes this the status of the calling thread, for `set_activity` and for locks.
    pub fn attach(self: &Arc<Status>) {
        MINE.set(Some(Arc::clone(self)));
        MY_ID.set(self.id);
    }

    // --- Called by the thread itself ---

    /// Sets what the thread does from now on.
    pub fn set(&self, activity: Activity) {
        self.begin(uptime_nanos(), activity);
    }

    /// The same at the beginning of a turn, for a thread that goes round a loop.
    pub(crate) fn turn(&self, activity: Activity) {
        let now = uptime_nanos();
        self.turned.store((now / 1_000_000).max(1), Relaxed);
        self.client.store(0, Relaxed);
        self.begin(now, activity); // after the turn, for `busy`
    }

    fn begin(&self, now: u64, activity: Activity) {
        let (before, next) = (self.transition(Relaxed), Transition::new(now, activity));
        let account = &self.spent[before.index()];
        account.store(account.load(Relaxed) + before.until(next), Relaxed);
        self.activity.store(next.bits(), Release); // after the account, for `sample`
        if IS_RECORDING.load(Relaxed) {
            self.record(next);
        }
    }

    #[cold]
    fn record(&self, transition: Transition) {
        self.ring.lock().get_or_insert_default().push(transition);
    }

    /// Notes at which client the thread works from now on.
    pub(crate) fn at_client(&self, client: u64) {
        self.client.store(client, Relaxed);
    }

    // --- Called by anybody ---

    fn transition(&self, ordering: std::sync::atomic::Ordering) -> Transition {
        Transition::from_bits(self.activity.load(ordering))
    }

    /// What the thread has noted until now. What its accounts do not have yet is added to that of
    /// its present activity, so they always add up.
    pub(crate) fn sample(&self) -> Sample {
        let current = self.transition(Acquire);
        let mut spent = [0; ACTIVITY_COUNT];
        spent.iter_mut().zip(&self.spent).for_each(|(to, from)| *to = from.load(Relaxed));
        let now = uptime_nanos();
        let life = now.saturating_sub(self.born);
        spent[current.index()] += life.saturating_sub(spent.iter().sum());
        let activity = current.activity();
        Sample {
            at: now,
            activity,
            since: current.until(Transition::new(now, activity)),
            spent,
            life,
            lines_in: self.lines_in.load(Relaxed),
            lines_out: self.lines_out.load(Relaxed),
            waiting: self.waiting.load(Relaxed),
            lock_waits: self.lock_waits.load(Relaxed),
            waits_for: self.waits_for(current),
        }
    }

    /// When the thread began what it does, in nanoseconds since the start.
    pub(crate) fn began(&self) -> Transition {
        self.transition(Acquire)
    }

    /// If it waits for a lock since this `transition`: its kind, and the number of the thread that
    /// has it.
    pub(crate) fn waits_for(&self, transition: Transition) -> Option<(u8, u32)> {
        let is_locked = transition.activity().kind() == ActivityKind::Locked;
        is_locked.then(|| {
            let packed = self.waits_for.load(Relaxed);
            ((packed >> 32) as u8, packed as u32)
        })
    }

    /// Takes what was recorded of the thread.
    pub(crate) fn take_ring(&self) -> Option<Box<Ring>> {
        self.ring.lock().take()
    }

    /// The turn that the thread is in; `None`: it waits for others, for as long as that takes. A
    /// thread for which events wait does not wait for events, whatever it says.
    pub(crate) fn busy(&self, events: usize) -> Option<Turn> {
        let transition = self.began();
        let activity = transition.activity();
        let is_waited_for = activity == Activity::WaitingForEvents && events > 0;
        if activity.is_wait() && !is_waited_for {
            return None;
        }
        let turned = self.turned.load(Relaxed);
        let began = match turned {
            0 => Duration::from_nanos(transition.nanos()),
            turned => Duration::from_millis(turned),
        };
        let client = Some(self.client.load(Relaxed)).filter(|&client| client > 0);
        Some(Turn { began, doing: activity.words(), client })
    }

    /// Counts lines that came in.
    pub fn count_in(&self, lines: usize) {
        self.lines_in.fetch_add(lines as u64, Relaxed);
    }

    /// Counts lines that went out, to the socket or into the outbox.
    pub fn count_out(&self, lines: usize) {
        self.lines_out.fetch_add(lines as u64, Relaxed);
    }

    /// Sets the bytes that wait in the outbox.
    pub fn set_waiting(&self, bytes: usize) {
        self.waiting.store(bytes, Relaxed);
    }

    /// The bytes that wait in the outbox.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Relaxed)
    }

    /// The lines that went out.
    pub(crate) fn lines_out(&self) -> u64 {
        self.lines_out.load(Relaxed)
    }

    /// The lines that came in.
    pub(crate) fn lines_in(&self) -> u64 {
        self.lines_in.load(Relaxed)
    }

    /// The thread's name.
    pub fn name(&self) -> String {
        self.name.lock().clone()
    }

    /// Renames the thread, here only.
    pub fn rename(&self, name: &str) {
        *self.name.lock() = name.to_owned();
    }

    /// Renames the calling thread, here and in the kernel (`ps -L`, `top -H`), which keeps 15
    /// bytes.
    pub(crate) fn rename_thread(&self, name: &str) {
        self.rename(name);
        #[cfg(target_os = "linux")]
        if let Ok(name) = std::ffi::CString::new(shorten(name, 15)) {
            let _ = rustix::thread::set_name(&name); // a thread without its name works as well
        }
    }
}

/// A wait for a lock that another thread holds, from its beginning.
pub(crate) struct LockWait {
    before: Option<Activity>,
    began: u64,
}

impl LockWait {
    /// The calling thread has to wait for a lock of this kind. `holder` is the number of the thread
    /// that has it.
    pub(crate) fn begin(activity: Activity, kind: u8, holder: u32) -> LockWait {
        let began = uptime_nanos();
        let before = MINE.with_borrow(|mine| {
            let status = mine.as_ref()?;
            let waits = status.lock_waits.load(Relaxed);
            status.lock_waits.store(waits + 1, Relaxed);
            status.waits_for.store(u64::from(kind) << 32 | u64::from(holder), Relaxed);
            let before = status.began().activity();
            status.set(activity);
            Some(before)
        });
        LockWait { before, began }
    }

    /// It has the lock. Returns the nanoseconds that it waited.
    pub(crate) fn end(self) -> u64 {
        if let Some(before) = self.before {
            set_activity(before);
        }
        uptime_nanos() - self.began
    }
}

/// The beginning of a name: at most this number of bytes.
pub(crate) fn shorten(name: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(name.len())).rev().find(|&end| name.is_char_boundary(end));
    &name[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests;
