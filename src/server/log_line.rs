//! One line of the log, and how it is written: for people, for systemd's journal, or as JSON. Thread
//! `logger` formats it. No I/O, but for the question where standard error leads.

use crate::core::json::Object;
use argh::FromArgValue;
use jiff::{Timestamp, tz::TimeZone};
use log::{Level, Record, kv::Key};

/// How the log is written.
#[derive(FromArgValue, Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// `12:30:07.711 INFO  c7 left: quit`
    Text,
    /// An object a line, for programs.
    Json,
    /// `<6>c7 left: quit`: the journal has the time, and takes the number for the priority.
    Journal,
}

impl LogFormat {
    /// For the journal, if that is where standard error leads: systemd says so in JOURNAL_STREAM, as
    /// `DEVICE:INODE`.
    #[must_use]
    pub fn for_stderr(self) -> LogFormat {
        let is_journal = std::env::var("JOURNAL_STREAM").is_ok_and(|it| is_stderr(&it));
        if self == LogFormat::Text && is_journal { LogFormat::Journal } else { self }
    }
}

#[cfg(target_os = "linux")]
fn is_stderr(stream: &str) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let stderr = std::fs::metadata("/proc/self/fd/2");
    stderr.is_ok_and(|it| format!("{}:{}", it.dev(), it.ino()) == stream)
}

#[cfg(not(target_os = "linux"))]
fn is_stderr(_: &str) -> bool {
    false
}

/// A line.
pub(super) struct Line {
    at: Timestamp,
    level: Level,
    text: String,
    /// A word for what has happened.
    event: String,
    client: u64,
    /// Whoever is behind it, as far as that is known.
    account: String,
    address: String,
    /// If there may be many like it from that address: their kind.
    kind: Option<String>,
}

impl Line {
    /// What a thread logs now.
    pub(super) fn of(at: Timestamp, record: &Record<'_>) -> Line {
        let value = |key| record.key_values().get(Key::from_str(key));
        let text_of = |key| value(key).map(|it| it.to_string());
        Line {
            at,
            level: record.level(),
            text: record.args().to_string(),
            event: text_of("event").unwrap_or_else(|| "other".to_owned()),
            client: value("client").and_then(|it| it.to_u64()).unwrap_or(0),
            account: text_of("account").unwrap_or_default(),
            address: text_of("address").unwrap_or_default(),
            kind: text_of("kind"),
        }
    }

    /// A line of the log's own.
    pub(super) fn own(at: Timestamp, level: Level, event: &str, text: String) -> Line {
        let (account, address) = (String::new(), String::new());
        Line { at, level, text, event: event.to_owned(), client: 0, account, address, kind: None }
    }

    /// Its kind and its source, if there may be many like it.
    pub(super) fn repeats(&self) -> Option<(String, String)> {
        self.kind.clone().map(|kind| (kind, self.address.clone()))
    }

    /// As it is written, with its end.
    pub(super) fn format(&self, format: LogFormat, zone: &TimeZone) -> String {
        let Line { at, level, text, .. } = self;
        match format {
            LogFormat::Text => {
                let time = at.to_zoned(zone.clone()).strftime("%H:%M:%S%.3f").to_string();
                format!("{time} {level:<5} {text}\n")
            }
            LogFormat::Journal => format!("<{}>{text}\n", priority(*level)),
            LogFormat::Json => {
                let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
                Object::of("time", format!("{at:.3}"))
                    .and("level", level.as_str().to_lowercase())
                    .and("event", &*self.event)
                    .and_some("client", Some(self.client).filter(|&client| client > 0))
                    .and_some("account", some(&self.account))
                    .and_some("address", some(&self.address))
                    .and("text", &**text)
                    .line()
            }
        }
    }
}

/// As syslog(3) counts them.
fn priority(level: Level) -> u8 {
    match level {
        Level::Error => 3,
        Level::Warn => 4,
        Level::Info => 6,
        Level::Debug | Level::Trace => 7,
    }
}
