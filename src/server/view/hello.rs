//! What the page has to know once: what the numbers in the slots stand for.

use super::{looker::Looker, lookers::Lookers, queues, recording, slot::TICK};
use crate::{
    core::hazard::{HAZARDS, Hazard},
    lock::LOCK_KINDS,
    server::{client::handler::ChatHandler, trace::STAGES, zone::local_zone},
    thread_status::{
        activity::{ACTIVITIES, ActivityKind},
        uptime,
    },
};
use jiff::Timestamp;
use serde_json::{Value, json};

/// The hello for this looker.
pub(super) fn hello(
    chat: &ChatHandler,
    looker: &Looker,
    looking: &Lookers,
    is_recording: bool,
) -> String {
    let now = Timestamp::now();
    let zone = now.to_zoned(local_zone().0).strftime("%:z").to_string();
    let bounds = queues::bounds(chat);
    let queues =
        queues::QUEUES.iter().zip(bounds).map(|((id, words), most)| json!([id, words, most]));
    let hazards = match (&chat.hazards, looker.who.may) {
        (Some(_), true) => Ok(HAZARDS.iter().map(describe).collect::<Vec<_>>()),
        (None, _) => Err("The server was started without --demo."),
        (_, false) => Err("Demonstrations are for administrators."),
    };
    let limits = &chat.limits;
    let mut hello = json!({
        "chatd": env!("CARGO_PKG_VERSION"),
        "t": uptime().as_millis() as u64,
        "now": now.as_millisecond(),
        "zone": zone,
        "tick": TICK.as_millis() as u64,
        "strip": 300,
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "places": chat.threads_max,
        "anonymous": looking.is_anonymous,
        "back": looker.back,
        "you": {"name": looker.who.name, "may": looker.who.may && chat.hazards.is_some()},
        "kinds": ActivityKind::WORDS,
        "doing": ACTIVITIES.map(|(_, kind, words)| json!([words, kind as u8])),
        "locks": LOCK_KINDS.map(|(_, words)| words),
        "queues": queues.collect::<Vec<_>>(),
        "stages": STAGES,
        "limits": {"high_water": limits.high_water, "write_deadline": limits.write_deadline.as_secs()},
        "options": looking.options,
        "record": {"usual": 10, "most": recording::SECONDS_MAX, "now": is_recording},
    });
    match hazards {
        Ok(hazards) => hello["hazards"] = Value::from(hazards),
        Err(why) => (hello["hazards"], hello["hazards_why"]) = (Value::Null, Value::from(why)),
    }
    json!({ "hello": hello }).to_string()
}

fn describe(hazard: &Hazard) -> Value {
    let Hazard { name, label, question, answers, right, because, seconds, .. } = hazard;
    let mut described = json!({
        "do": name, "label": label, "question": question, "answers": answers, "right": right,
        "because": because, "seconds": seconds,
    });
    if !hazard.choices.is_empty() {
        let choices = hazard.choices.iter().map(|millis| json!([format!("{millis} ms"), millis]));
        described["with"] = Value::from(choices.collect::<Vec<_>>());
    }
    described
}
