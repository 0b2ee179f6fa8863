//! Scenes: what people do in a chat beside talking in one room. In each, a few come, do something,
//! check every line that they read, and leave; then the next ones come. Each scene has a thread.

use super::person::Person;
use crate::linux::socket::Other;
use anyhow::{Context as _, Result, ensure};
use crossbeam_channel::Receiver;
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::{Duration, Instant},
};

/// The accounts: an administrator, the owner of a mailbox, and one at whose password others guess.
pub const ACCOUNTS: [&str; 3] = [BOSS, OWNER, KNOWN];
const BOSS: &str = "x-boss";
const OWNER: &str = "x-owner";
const KNOWN: &str = "x-known";
pub const PASSWORD: &str = "correct horse";
/// From how many addresses of loopback they come: limits by address meet nobody.
const ADDRESSES: usize = 200;
/// Lines that one says in a row: fewer than the limit on floods.
const ROW: usize = 10;
/// Lines that may come at once: so many that a stuck reader may ask for more than the kernel takes, for
/// each answer costs as much as ten lines.
pub const BURST: usize = 10 * ASKED;
/// Lines of a flood: the burst, and half a minute's worth at the speed at which it is read then.
const FLOOD: usize = BURST + 240;
/// How many of them the others read before the flooder is kicked.
const ENOUGH: usize = 20;
/// How often a stuck reader asks for a thousand lines: more than the kernel takes.
const ASKED: usize = 28;
/// The server's write deadline, in seconds: short, so that a short run sees some who are hung up.
pub const WRITE_DEADLINE: u64 = 2;
/// After this time, on any machine, whoever reads nothing has been hung up.
const STUCK_MAX: Duration = Duration::from_mins(1);
/// How often somebody looks whether they have been.
const LOOK_UP: Duration = Duration::from_millis(500);

/// A scene, and how often it is played.
pub struct Scene {
    pub name: &'static str,
    pub every: Duration,
    pub play: fn(&Place) -> Result<()>,
}

const fn scene(name: &'static str, seconds: u64, play: fn(&Place) -> Result<()>) -> Scene {
    Scene { name, every: Duration::from_secs(seconds), play }
}

pub const SCENES: [Scene; 9] = [
    scene("talk", 2, talk),
    scene("mail", 5, mail),
    scene("guess", 10, guess),
    scene("past", 2, past),
    scene("back", 4, back),
    scene("flood", 5, flood),
    scene("stuck", 5, stuck),
    scene("half", 2, half),
    scene("strangers", 2, strangers),
];

impl Scene {
    /// Plays it again and again, until all is over or something is wrong. Returns how often.
    pub fn play_on(&self, place: &Place, rate: f64) -> Result<usize> {
        let every = self.every.div_f64(rate);
        for times in 1.. {
            let next = Instant::now() + every;
            (self.play)(place).with_context(|| format!("scene {}, time {times}", self.name))?;
            if !place.goes_on_until(next) {
                return Ok(times);
            }
        }
        Ok(usize::MAX)
    }
}

/// Where scenes are played, and until when.
pub struct Place {
    pub address: SocketAddr,
    /// Browsers' and TLS's.
    pub others: Vec<Other>,
    /// Counts the people.
    pub number: AtomicUsize,
    /// Its other end is dropped when all is over.
    pub over: Receiver<()>,
}

impl Place {
    /// Waits until then. Returns whether it is not over.
    pub fn goes_on_until(&self, then: Instant) -> bool {
        self.over.recv_deadline(then).is_err_and(|end| end.is_timeout())
    }

    /// Somebody new. In turn they come as a browser, by TLS, and as they are.
    fn person(&self) -> Result<Person> {
        let number = self.number();
        self.one(&name(number), self.others.get(number % (self.others.len() + 1)))
    }

    /// The same, for what a browser cannot do.
    fn no_browser(&self) -> Result<Person> {
        let number = self.number();
        let tls = self.others.iter().find(|other| matches!(other, Other::Tls(..)));
        self.one(&name(number), tls.filter(|_| number.is_multiple_of(2)))
    }

    fn one(&self, name: &str, other: Option<&Other>) -> Result<Person> {
        Person::connect(name, self.next_address(), self.address, other)
    }

    fn number(&self) -> usize {
        self.number.fetch_add(1, Relaxed)
    }

    /// 127.1.0.1, and so on.
    fn next_address(&self) -> Ipv4Addr {
        Ipv4Addr::new(127, 1, 0, 1 + (self.number() % ADDRESSES) as u8)
    }
}

/// A name as it is nobody's in the crowd.
fn name(number: usize) -> String {
    format!("x-{number}")
}

/// What a line from the history begins with.
const PAST: &str = "(";
const END: &str = "*** End of the history.";

/// Two talk, also in private, and have other names, and go to another room.
fn talk(place: &Place) -> Result<()> {
    let (mut one, mut other) = (place.person()?, place.person()?);
    one.enters("talk", None)?;
    other.enters("talk", None)?;
    one.hears(&format!("*** {other} entered talk"))?;
    says_a_row(&mut one, &mut other)?;
    says_a_row(&mut other, &mut one)?;
    one.says(&format!("/msg {other} psst"))?;
    one.hears(&format!("[to {other}] psst"))?;
    other.hears(&format!("[from {one}] psst"))?;

    let (before, after) = (other.to_string(), name(place.number()));
    other.says(&format!("/nick {after}"))?;
    other.hears(&format!("*** You are now {after}."))?;
    one.hears(&format!("*** {before} is now {after}"))?;
    other.takes_name(&after);
    other.goes_to("walk")?;
    one.hears(&format!("*** {other} left talk (went to walk)"))?;
    one.goes_to("walk")?;
    other.hears(&format!("*** {one} entered walk"))?;
    says_a_row(&mut other, &mut one)?;
    let gone = one.to_string();
    one.quits()?;
    other.hears(&format!("*** {gone} left walk (quit)"))?;
    other.quits()
}

fn says_a_row(one: &mut Person, other: &mut Person) -> Result<()> {
    let row: Vec<String> = (0..ROW).map(|number| format!("line {number} of a row")).collect();
    one.says(&row.join("\n"))?;
    row.iter().try_for_each(|line| other.hears(&format!("<{one}> {line}")))
}

/// Somebody writes to one who is away; who comes, gives their password and reads it.
fn mail(place: &Place) -> Result<()> {
    let text = format!("letter {}", place.number());
    let mut writer = place.person()?;
    writer.enters("mail", None)?;
    writer.says(&format!("/msg {OWNER} {text}"))?;
    writer.hears(&format!("*** {OWNER} is away: your message is kept."))?;
    let letter = format!("[from {writer}] {text}");
    writer.quits()?;
    let mut owner = place.one(OWNER, None)?;
    owner.enters("mail", Some(PASSWORD))?;
    owner.says("/mail")?;
    owner.hears_like("*** 1 line in your mailbox", "")?;
    owner.hears_like(PAST, &letter)?;
    owner.hears(END)?;
    owner.hears("*** /mail delete removes what you have read.")?;
    owner.says("/mail delete")?;
    owner.hears("*** Your mailbox is empty now.")?;
    owner.quits()
}

/// Somebody does not know the password of a name, takes another one, and then does know it.
fn guess(place: &Place) -> Result<()> {
    let mut guesser = place.person()?;
    guesser.says(KNOWN)?;
    guesser.skips_to(&format!("*** {KNOWN} is registered."))?;
    guesser.says("wrong horse")?;
    guesser.hears_like("*** That is not the password of this name.", "")?;
    guesser.says("")?;
    guesser.hears("*** What is your name?")?;
    guesser.enters("guess", None)?;
    guesser.says(&format!("/login {KNOWN} wrong house"))?;
    guesser.hears("*** No account has this name and this password.")?;
    guesser.says(&format!("/login {KNOWN} {PASSWORD}"))?;
    guesser.hears(&format!("*** You are now {KNOWN}."))?;
    guesser.hears("*** You are logged in.")?;
    guesser.quits()
}

/// What was said is found, once and in its order.
fn past(place: &Place) -> Result<()> {
    let word = format!("word{}", place.number());
    let (mut one, mut other) = (place.person()?, place.person()?);
    one.enters("past", None)?;
    other.enters("past", None)?;
    one.hears(&format!("*** {other} entered past"))?;
    one.says(&format!("this is {word}"))?;
    let line = format!("<{one}> this is {word}");
    other.hears(&line)?;
    other.says(&format!("/search {word}"))?;
    other.hears_like("*** The newest 1 line of past with ", "")?;
    other.hears_like(PAST, &line)?;
    other.hears(END)?;
    other.says("/history 50")?;
    other.hears_like("*** The last ", "")?;
    let told = other.skips_to(END)?;
    let last = told.iter().rev().nth(1).context("the history is empty")?;
    ensure!(last.ends_with(&line), "the history ends in {last:?} where {line:?} was due");
    let numbers: Vec<Option<usize>> =
        told.iter().filter_map(|line| Some(line.split_once("word")?.1.parse().ok())).collect();
    ensure!(numbers.is_sorted_by(|a, b| a < b), "not once, or in another order: {told:?}");
    one.quits()?;
    other.hears_like("*** ", "left past (quit)")?;
    other.quits()
}

/// Somebody's connection is cut off; they come back and read what was said meanwhile.
fn back(place: &Place) -> Result<()> {
    let (mut one, mut other) = (place.person()?, place.person()?);
    one.enters("back", None)?;
    other.says("/notes on")?;
    let told = other.enters("back", None)?;
    let token = told.iter().rev().find_map(|note| field(note, "\"resume\":\""));
    let token = token.context("there is no token")?;
    let last = told.iter().rev().find_map(|note| field(note, "\"last\":"));
    let last = last.context("the lines have no numbers")?;
    let name = other.to_string();
    one.hears(&format!("*** {name} entered back"))?;
    other.resets()?;
    one.hears_like(&format!("*** {name} left back ("), ")")?;
    let meanwhile = ["one", "two", "three"];
    one.says(&format!("{}\n/whoami", meanwhile.join("\n")))?;
    one.hears_like(&format!("*** You are {one}:"), "")?; // so they were said

    let mut other = place.one(&name, None)?;
    other.says(&format!("/notes on\n/since back {last}\n/resume {token}"))?;
    other.skips_to("*** 3 lines were said in back since you left ")?;
    for line in meanwhile {
        other.hears_like(PAST, &format!("<{one}> {line}"))?;
    }
    other.hears(END)?;
    one.hears(&format!("*** {name} entered back"))?;
    other.resets()?;
    one.hears_like(&format!("*** {name} left back ("), ")")?;
    one.quits()
}

/// What stands in a note behind this.
fn field(note: &str, key: &str) -> Option<String> {
    let value = note.strip_prefix('{')?.split_once(key)?.1;
    Some(value.split(['"', ',', '}']).next()?.to_owned())
}

/// Somebody says too much at once, and an administrator hangs them up.
fn flood(place: &Place) -> Result<()> {
    let (mut boss, mut flooder) = (place.one(BOSS, None)?, place.person()?);
    let mut reader = place.person()?;
    boss.enters("flood", Some(PASSWORD))?;
    reader.enters("flood", None)?;
    flooder.enters("flood", None)?;
    reader.hears(&format!("*** {flooder} entered flood"))?;
    boss.hears(&format!("*** {reader} entered flood"))?;
    boss.hears(&format!("*** {flooder} entered flood"))?;
    let lines: Vec<String> = (0..FLOOD).map(|number| format!("flood {number}")).collect();
    flooder.says(&lines.join("\n"))?;
    for line in &lines[..ENOUGH] {
        boss.hears(&format!("<{flooder}> {line}"))?;
        reader.hears(&format!("<{flooder}> {line}"))?;
    }
    boss.says(&format!("/kick {flooder} too much"))?;
    let end = format!("*** {flooder} left flood (kicked by {BOSS}: too much)");
    for someone in [&mut boss, &mut reader] {
        let more = someone.skips_to(&end)?;
        for (line, due) in more.iter().zip(&lines[ENOUGH..]).take(more.len() - 1) {
            ensure!(*line == format!("<{flooder}> {due}"), "{line:?} where {due:?} was due");
        }
    }
    boss.hears(&format!("*** {flooder} is gone."))?;
    flooder.reads_to_the_end()?;
    reader.quits()?;
    boss.hears_like("*** ", "left flood (quit)")?;
    boss.quits()
}

/// Somebody asks for much, and reads nothing until they are hung up.
fn stuck(place: &Place) -> Result<()> {
    let (mut watch, mut reader) = (place.person()?, place.person()?);
    watch.enters("stuck", None)?;
    reader.enters("lobby", None)?;
    reader.says(&vec!["/history 1000"; ASKED].join("\n"))?;
    let deadline = Instant::now() + STUCK_MAX;
    while place.goes_on_until(Instant::now() + LOOK_UP) {
        if watch.finds_nobody(&reader.to_string())? {
            let read = reader.reads_to_the_end()?;
            let asked = read.matches("*** The last ").count();
            ensure!(asked < ASKED, "nothing was too much for one who reads nothing");
            return watch.quits();
        }
        ensure!(Instant::now() < deadline, "{reader} reads nothing, and is not hung up");
    }
    Ok(())
}

/// Half a line, and then a reset: it is never said.
fn half(place: &Place) -> Result<()> {
    let mut reader = place.person()?;
    reader.enters("half", None)?;
    for _ in 0..2 {
        let mut cut = place.no_browser()?;
        cut.enters("half", None)?;
        let name = cut.to_string();
        reader.hears(&format!("*** {name} entered half"))?;
        cut.sends("this is half a li")?;
        cut.resets()?;
        reader.hears_like(&format!("*** {name} left half ("), ")")?;
    }
    reader.quits()
}

/// Connections that are no clients', each reset at once.
fn strangers(place: &Place) -> Result<()> {
    for bytes in ["", "x-no", "\u{16}\u{3}\u{1}\0d\u{1}\0\0`\u{3}\u{3}", "GET / HTTP/1.0\r\n\r\n"] {
        let mut stranger = place.one("a stranger", None)?;
        let _ = stranger.sends(bytes); // it may be refused already
        stranger.resets()?;
    }
    Ok(())
}
