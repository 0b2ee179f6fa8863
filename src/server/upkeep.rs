//! What is looked after while the server runs: options that are read again, and a certificate that has
//! expired, or will soon. Runs on thread `main`.

use super::{Chatd, certificate, cues::Cue, options::Options};
use crate::core::session::SessionConfig;
use jiff::Timestamp;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// How often it is said what is wrong with the certificate.
const EVERY: Duration = Duration::from_hours(24);

/// Says it in the log and to administrators.
pub struct Reminder {
    next: Instant,
}

impl Reminder {
    /// Tells administrators alone: at the start the log has it already.
    pub fn begin(chatd: &Chatd) -> Reminder {
        chatd.warn_of_certificate();
        Reminder { next: Instant::now() + EVERY }
    }

    /// To be called about once a second.
    pub fn look(&mut self, chatd: &Chatd) {
        if Instant::now() >= self.next {
            self.next = Instant::now() + EVERY;
            if let Some(sentence) = chatd.warn_of_certificate() {
                log::warn!(event = "certificate"; "{sentence}");
            }
        }
    }
}

impl Chatd {
    /// Takes what may change while the server runs from other options: the message of the day, the
    /// limit of lines, and the certificate, for whoever connects from now on. Returns the names of
    /// those that changed.
    pub fn reload(&self, options: &Options) -> anyhow::Result<Vec<&'static str>> {
        let SessionConfig { motd, flood, .. } = options.session_config()?;
        let has_other = match (&self.handler.certificates, options.tls_files()) {
            (Some(certificates), Some(files)) => {
                let has_other = certificates.replace(certificate::read(&files)?);
                self.warn_of_certificate();
                has_other
            }
            _ => false,
        };
        let mut session = self.handler.session.lock();
        let changed = [
            (motd != session.motd, "motd"),
            (flood != session.flood, "flood"),
            (has_other, "tls-cert"),
        ];
        *session = Arc::new(SessionConfig { motd, flood, ..SessionConfig::clone(&session) });
        Ok(changed.into_iter().filter_map(|(has, name)| has.then_some(name)).collect())
    }

    /// Tells administrators what is wrong with the certificate, if something is. Returns what the log
    /// is to have.
    fn warn_of_certificate(&self) -> Option<String> {
        let complaint = self.handler.certificates.as_ref()?.complaint(Timestamp::now());
        let (for_log, for_chat) = complaint.map(|it| (it.for_log, it.for_chat)).unzip();
        let _ = self.handler.tell.try_send(Cue::Warning(for_chat)); // full: tomorrow again
        for_log
    }
}
