//! What each hazard does. Runs on its own thread, `demo:freeze`; every wait in here ends at once when
//! it is stopped.

use super::{
    puppet::{BEAT, Puppet, all_leave, all_read},
    stage::{Role, Stage, Stop},
};
use crate::server::{
    cues::Brake,
    status::{Activity, set_activity},
};
use std::time::{Duration, Instant};

/// The most bytes that a puppet has ready which its socket does not take: it is being slowed down.
const READY_MAX: u64 = 512;

/// How long a reader is frozen, if it is not hung up before.
const FROZEN: Duration = Duration::from_secs(12);
/// How long a flood lasts, with a limit and without.
const FLOOD: Duration = Duration::from_secs(5);
/// Lines a second of the whole flood.
const FLOOD_RATE: u64 = 50_000;
/// Clients that flood without a limit. One is slower than the fan-out.
const FLOODERS: u64 = 4;
/// How long the registry is held, and an outbox.
const HELD: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(1));
const DISK_IS_SLOW: Duration = Duration::from_secs(30);
const GUESTS_STAY: Duration = Duration::from_secs(10);
const SLOW_MOTION: (Duration, Duration) = (Duration::from_mins(1), Duration::from_millis(200));

/// A function that shows a hazard. Returns what was seen, in words, or why it could not be shown.
type Act = fn(&Stage, &Stop, Duration) -> Result<String, String>;

/// What each hazard does.
const ACTS: [(&str, Act); 9] = [
    ("freeze", freeze),
    ("flood", flood),
    ("panic", panic),
    ("registry", hold_the_registry),
    ("outbox", hold_an_outbox),
    ("disk", slow_disk),
    ("logins", log_in),
    ("joins", join),
    ("slow", slow_motion),
];

/// The function of the hazard of this name.
pub(super) fn act_of(name: &str) -> Option<Act> {
    ACTS.iter().find(|(other, _)| *other == name).map(|(_, act)| *act)
}

/// Lines that come at a steady rate.
struct Talk {
    began: Instant,
    per_second: u64,
    said: u64,
}

impl Talk {
    fn new(per_second: u64) -> Talk {
        Talk { began: Instant::now(), per_second, said: 0 }
    }

    /// Says what is due. A puppet whose socket takes no more is slowed down, and does not make up for
    /// it.
    fn go_on(&mut self, puppet: &mut Puppet<'_>, line: &str) {
        let due = (self.began.elapsed().as_millis() as u64 * self.per_second / 1000)
            .min(self.said + READY_MAX);
        while self.said < due && puppet.send() {
            puppet.says(line);
            self.said += 1;
        }
        puppet.reads();
    }
}

fn come<'a>(stage: &'a Stage, name: &str, role: Role) -> Result<Puppet<'a>, String> {
    let mut puppet = Puppet::come(stage, name, role)?;
    puppet.goes_to_its_room();
    Ok(puppet)
}

fn seconds(time: Duration) -> String {
    match time.as_millis() {
        millis @ ..1000 => format!("{millis} ms"),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}

fn freeze(stage: &Stage, stop: &Stop, _: Duration) -> Result<String, String> {
    let mut frozen = come(stage, "demo-frozen", Role::Frozen)?;
    let mut talker = come(stage, "demo-talker", Role::Unlimited)?;
    let (handle, _) = (frozen.wait_until_in(stop)?, talker.wait_until_in(stop)?);
    let (mut talk, line) = (Talk::new(400), format!("{:.<99}", "demo-frozen does not read this "));
    let mut most = 0;
    while talk.began.elapsed() < FROZEN && !handle.is_hung_up() && !stop.within(BEAT) {
        talk.go_on(&mut talker, &line);
        most = most.max(handle.status.waiting());
    }
    let took = seconds(talk.began.elapsed());
    let outcome = match handle.is_hung_up() {
        true => format!("demo-frozen read nothing, and was hung up after {took}"),
        false => format!("demo-frozen read nothing for {took}, and {most} bytes waited for it"),
    };
    all_leave(vec![frozen, talker], stop); // it reads again, and is told why
    Ok(outcome)
}

fn flood(stage: &Stage, stop: &Stop, _: Duration) -> Result<String, String> {
    // No faster than this: what is not read waits in the kernel's buffers, and nobody wants it.
    let mut puppet = come(stage, "demo-flood", Role::Limited)?;
    puppet.wait_until_in(stop)?;
    let mut talk = Talk::new(60);
    while talk.began.elapsed() < FLOOD && !stop.within(BEAT) {
        talk.go_on(&mut puppet, "one line after the other");
    }
    let limited = puppet.handle().map_or(0, |handle| handle.status.lines_in());
    puppet.vanishes();

    let names = (1..=FLOODERS).map(|i| format!("demo-flood-{i}"));
    let mut puppets = names
        .map(|name| come(stage, &name, Role::Unlimited))
        .collect::<Result<Vec<_>, String>>()?;
    for puppet in &mut puppets {
        puppet.wait_until_in(stop)?;
    }
    let mut talks: Vec<Talk> = (0..FLOODERS).map(|_| Talk::new(FLOOD_RATE / FLOODERS)).collect();
    let (began, mut most) = (Instant::now(), 0);
    while began.elapsed() < FLOOD && !stop.within(Duration::from_millis(1)) {
        for (puppet, talk) in puppets.iter_mut().zip(&mut talks) {
            talk.go_on(puppet, "on and on");
        }
        most = most.max(stage.events.len());
    }
    let said: u64 = talks.iter().map(|talk| talk.said).sum();
    puppets.into_iter().for_each(Puppet::vanishes);
    let capacity = stage.events.capacity().unwrap_or(0);
    Ok(format!(
        "with the limit {limited} lines were read in {}, without it {said}; of the queue's {capacity} places {most} were taken",
        seconds(FLOOD)
    ))
}

fn panic(stage: &Stage, stop: &Stop, _: Duration) -> Result<String, String> {
    let mut puppet = come(stage, "demo-panic", Role::Unlimited)?;
    puppet.wait_until_in(stop)?;
    puppet.says("/crash");
    all_read(&mut vec![puppet], FLOOD, stop);
    Ok("the thread of demo-panic is gone, and every other client is still here".to_owned())
}

fn hold_the_registry(stage: &Stage, stop: &Stop, _: Duration) -> Result<String, String> {
    stage.registry.hold(|| {
        set_activity(Activity::Holding);
        stop.within(HELD.0);
    });
    Ok(format!("the registry was held for {}", seconds(HELD.0)))
}

fn hold_an_outbox(stage: &Stage, stop: &Stop, _: Duration) -> Result<String, String> {
    let mut held = come(stage, "demo-held", Role::Unlimited)?;
    let mut talker = come(stage, "demo-talker-2", Role::Unlimited)?;
    let (handle, _) = (held.wait_until_in(stop)?, talker.wait_until_in(stop)?);
    let mut talk = Talk::new(20);
    let mut talks_for = |time: Duration| {
        let began = Instant::now();
        while began.elapsed() < time && !stop.within(BEAT) {
            talk.go_on(&mut talker, "does anybody read this?");
        }
    };
    talks_for(HELD.1); // to compare
    handle.hold_outbox(|| {
        set_activity(Activity::Holding);
        talks_for(HELD.1);
    });
    set_activity(Activity::WaitingForTick);
    talks_for(HELD.1);
    all_leave(vec![held, talker], stop);
    Ok(format!("one outbox was held for {}, and nobody read anything meanwhile", seconds(HELD.1)))
}

fn slow_disk(stage: &Stage, stop: &Stop, each: Duration) -> Result<String, String> {
    let mut writer = come(stage, "demo-writer", Role::Recorded)?;
    writer.wait_until_in(stop)?;
    let (mut talk, line) = (Talk::new(100), format!("{:.<450}", "this has to be written first "));
    let (mut most, mut is_slowed) = (0, false);
    let slow = Slow::begin(&stage.historian, each);
    while talk.began.elapsed() < DISK_IS_SLOW && !stop.within(BEAT) {
        talk.go_on(&mut writer, &line);
        most = most.max(stage.events.len());
        is_slowed |= writer.is_behind();
    }
    drop(slow);
    all_leave(vec![writer], stop);
    let capacity = stage.events.capacity().unwrap_or(0);
    let too = if is_slowed { ", and the talker's own network was slowed down" } else { "" };
    Ok(format!("of the queue's {capacity} places {most} were taken{too}"))
}

fn log_in(stage: &Stage, stop: &Stop, _: Duration) -> Result<String, String> {
    let mut puppets = (0..50)
        .map(|_| Puppet::connect(stage, Role::Unlimited))
        .collect::<Result<Vec<_>, String>>()?;
    // At the door, so that nobody has to read who comes and goes. There is no such account, and that
    // takes exactly as long, so nothing has to be registered.
    for (i, puppet) in puppets.iter_mut().enumerate() {
        puppet.says(&format!("/login demo-nobody-{i} demo-password-{i}"));
        puppet.says("/quit");
    }
    let began = Instant::now();
    all_read(&mut puppets, GUESTS_STAY, stop);
    let took = seconds(began.elapsed());
    let left = puppets.len();
    all_leave(puppets, stop);
    Ok(match left {
        0 => format!("fifty passwords were compared in {took}"),
        _ => format!("{} of fifty passwords were compared in {took}", 50 - left),
    })
}

fn join(stage: &Stage, stop: &Stop, _: Duration) -> Result<String, String> {
    let began = Instant::now();
    let names = (1..=100).map(|i| format!("demo-{i}"));
    let mut puppets = names
        .map(|name| Puppet::come(stage, &name, Role::Unlimited))
        .collect::<Result<Vec<_>, String>>()?;
    for puppet in &mut puppets {
        puppet.wait_until_in(stop)?;
    }
    let took = seconds(began.elapsed());
    all_read(&mut puppets, GUESTS_STAY, stop);
    all_leave(puppets, stop);
    Ok(format!("a hundred clients came within {took}"))
}

fn slow_motion(stage: &Stage, stop: &Stop, _: Duration) -> Result<String, String> {
    let _slow = Slow::begin(&stage.fanout, SLOW_MOTION.1);
    stop.within(SLOW_MOTION.0);
    Ok("the fan-out is quick again".to_owned())
}

/// A thread is slow until this is dropped.
struct Slow<'a>(&'a Brake);

impl<'a> Slow<'a> {
    fn begin(brake: &'a Brake, each: Duration) -> Slow<'a> {
        brake.set(each);
        Slow(brake)
    }
}

impl Drop for Slow<'_> {
    fn drop(&mut self) {
        self.0.set(Duration::ZERO);
    }
}
