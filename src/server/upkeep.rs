//! What is looked after while the server runs: options that are read again, and a certificate that has
//! expired, or will soon. Runs on thread `main`.

use super::{Chatd, certificate, cues::Cue, options::Options, tls::certificates::Certificates};
use crate::core::session::SessionConfig;
use crossbeam_channel::Sender;
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
        let Some(certificates) = &chatd.handler.certificates else { return };
        let (at, now) = (Instant::now(), Timestamp::now());
        if let Some(sentence) = self.look_at(at, now, certificates, &chatd.handler.tell) {
            log::warn!(event = "certificate"; "{sentence}");
        }
    }

    /// If a day has passed `at` this moment, tells administrators what is wrong `now`. Returns what the
    /// log is to have.
    fn look_at(
        &mut self,
        at: Instant,
        now: Timestamp,
        certificates: &Certificates,
        tell: &Sender<Cue>,
    ) -> Option<String> {
        if at < self.next {
            return None;
        }
        self.next = at + EVERY;
        warn(certificates, now, tell)
    }
}

/// Tells administrators what is wrong with the certificate, if something is. Returns what the log is to
/// have.
fn warn(certificates: &Certificates, now: Timestamp, tell: &Sender<Cue>) -> Option<String> {
    let complaint = certificates.complaint(now);
    let (for_log, for_chat) = complaint.map(|it| (it.for_log, it.for_chat)).unzip();
    let _ = tell.try_send(Cue::Warning(for_chat)); // full: tomorrow again
    for_log
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

    /// Tells administrators what is wrong with the certificate, if something is. The log has it already.
    fn warn_of_certificate(&self) {
        if let Some(certificates) = &self.handler.certificates {
            warn(certificates, Timestamp::now(), &self.handler.tell);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::tls::certificates::TlsFiles;
    use crossbeam_channel::unbounded;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    #[test]
    fn once_a_day_it_is_told_what_is_wrong_with_the_certificate() {
        const DAY: Duration = Duration::from_hours(24);
        let folder = std::env::temp_dir().join(format!("chatd-upkeep-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let [cert, key] = ["cert.pem", "key.pem"].map(|file| folder.join(file));
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.not_after = date_time_ymd(2030, 1, 20);
        let pair = KeyPair::generate().unwrap();
        std::fs::write(&cert, params.self_signed(&pair).unwrap().pem()).unwrap();
        std::fs::write(&key, pair.serialize_pem()).unwrap();
        let read = TlsFiles { cert, key }.read().unwrap();
        std::fs::remove_dir_all(folder).unwrap();
        let (certificates, (tell, told)) = (Certificates::new(read, None), unbounded());
        let (start, first) = (Instant::now(), "2030-01-05T12:00:00Z".parse::<Timestamp>().unwrap());
        let mut reminder = Reminder { next: start + EVERY };
        // Day 0 has been told at the start. It ends in two weeks on day 1, and has ended on day 15.
        for day in 0..17 {
            let (at, now) = (start + day * DAY, first + day * DAY);
            let second = Duration::from_secs(1);
            let log = reminder.look_at(at, now, &certificates, &tell);
            let chat = told.try_recv().ok().map(|cue| match cue {
                Cue::Warning(sentence) => sentence.unwrap(),
                Cue::Announcement(_) => panic!("it is no warning"),
            });
            let says = match day {
                0 => {
                    assert_eq!((log, chat), (None, None));
                    continue;
                }
                1..15 => "expires on 2030-01-20",
                _ => "has expired on 2030-01-20; clients refuse it",
            };
            assert!(log.is_some_and(|it| it.contains(says)), "day {day}");
            assert!(chat.is_some_and(|it| it.contains(says)), "day {day}");
            assert_eq!(reminder.look_at(at + second, now, &certificates, &tell), None);
            assert_eq!(reminder.look_at(at + DAY - second, now, &certificates, &tell), None);
            assert!(told.is_empty());
        }
    }
}
