//! What lasts, and is therefore also told to whoever comes later: the history is not written, names
//! cannot be checked, the server is about to stop.

use super::{config::RoomsConfig, member::Member};
use crate::core::{hazard::Hazard, notice::notice, sentences};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The entrance is locked: only administrators come in, and whoever comes back.
#[derive(Serialize, Deserialize)]
pub(in crate::core) struct Lock {
    pub(in crate::core) by: String,
    pub(in crate::core) why: Option<String>,
}

impl Lock {
    /// ` by alice (exam)`
    pub(in crate::core) fn by(&self) -> String {
        let why = self.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
        format!(" by {}{why}", self.by)
    }
}

/// What lasts just now.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Lasting {
    /// Since when nothing is written, and why.
    outage: Option<(Timestamp, String)>,
    /// No password can be read, so nobody can prove who they are. Whoever comes in is let in
    /// without a password, and their name is marked.
    pub(in crate::core) names_are_unchecked: bool,
    /// The file is so large that somebody should know.
    pub(in crate::core) is_large: bool,
    /// What is wrong with the server itself, if something is: a sentence for administrators.
    #[serde(skip)]
    pub(in crate::core) warning: Option<String>,
    /// When the server stops.
    pub(in crate::core) stop_at: Option<Timestamp>,
    /// Nobody comes in who is not here. It ends with the server: whoever could come back then would
    /// not be known.
    pub(in crate::core) lock: Option<Lock>,
    /// What is being shown to the class.
    #[serde(skip)]
    pub(in crate::core) shown: Vec<&'static Hazard>,
}

impl Lasting {
    /// Nothing is written from now on. Returns the line that tells everybody.
    pub(in crate::core) fn begin_outage(
        &mut self,
        config: &RoomsConfig,
        why: &str,
        since: Timestamp,
    ) -> String {
        self.outage = Some((since, why.to_owned()));
        self.describe_outage(config, since).unwrap_or_default()
    }

    /// Everything is written again, but what was said in `gap` is lost. Returns the line that tells
    /// everybody.
    pub(in crate::core) fn end_outage(
        &mut self,
        config: &RoomsConfig,
        gap: Option<(Timestamp, Timestamp)>,
    ) -> String {
        self.outage = None;
        let time = |at| config.zone.to_datetime(at).strftime("%Y-%m-%d %H:%M:%S").to_string();
        let missing = match gap {
            None => "nothing is missing".to_owned(),
            Some((from, to)) if from == Timestamp::MIN => {
                format!("what was said before {} is missing", time(to))
            }
            Some((from, to)) => {
                format!("what was said from {} to {} is missing", time(from), time(to))
            }
        };
        notice(format_args!("The history is written again; {missing}."))
    }

    pub(super) fn is_outage(&self) -> bool {
        self.outage.is_some() || self.names_are_unchecked
    }

    fn describe_outage(&self, config: &RoomsConfig, now: Timestamp) -> Option<String> {
        let (since, why) = self.outage.as_ref()?;
        let [since, now] = [*since, now].map(|at| config.zone.to_datetime(at));
        let form = if since.date() == now.date() { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" };
        let since = since.strftime(form);
        Some(notice(format_args!("The history has not been written since {since}: {why}")))
    }

    /// What administrators are told of a large file, unless `--history-max` looks after it.
    pub(in crate::core) fn describe_size(&self, config: &RoomsConfig) -> Option<String> {
        let is_told = self.is_large && config.history_max.is_none();
        is_told.then(|| {
            notice(
                "The history has become larger than 1 GiB. Nothing is deleted for that, unless the server is started with --history-max or --history-days.",
            )
        })
    }

    /// What administrators are told of all this.
    pub(in crate::core) fn describe_to_administrators(&self, config: &RoomsConfig) -> String {
        let warning = self.warning.as_ref().map(notice);
        self.describe_size(config).into_iter().chain(warning).collect()
    }

    /// What a newcomer is told of all this.
    pub(in crate::core) fn describe(
        &self,
        config: &RoomsConfig,
        now: Timestamp,
        newcomer: &Member,
    ) -> String {
        let mut text = self.describe_outage(config, now).unwrap_or_default();
        text.push_str(&describe_mark(newcomer));
        if let Some(lock) = &self.lock {
            let by = lock.by();
            text.push_str(&notice(format_args!("The entrance is locked{by}. /unlock opens it.")));
        }
        if let Some(stop_at) = self.stop_at {
            let left = stop_at.duration_since(now).max(SignedDuration::ZERO);
            text.push_str(&notice(sentences::stops_in(left.as_secs().unsigned_abs())));
        }
        for hazard in &self.shown {
            text.push_str(&notice(format_args!("A demonstration is under way: {}.", hazard.label)));
        }
        text
    }
}

/// What a member is told whose name has a mark, because it cannot be checked.
pub(in crate::core) fn describe_mark(member: &Member) -> String {
    if !member.is_unchecked() {
        return String::new();
    }
    notice(format_args!(
        "No password can be read now, so nobody can prove who they are. You are shown as {}.",
        member.shown()
    ))
}
