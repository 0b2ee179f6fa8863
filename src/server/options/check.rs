//! What cannot work, and why. No I/O.

use super::{Options, WebOn};
use crate::core::wire::line::LINE_MAX;
use anyhow::{bail, ensure};

/// The least that --history-max can be.
const HISTORY_MAX_LEAST: u64 = 1024 * 1024;

impl Options {
    /// Refuses what cannot work, in a sentence.
    pub fn check(&self) -> anyhow::Result<()> {
        ensure!(
            self.command.is_none(),
            "accounts and the history are looked after by chatd itself: chatd --help"
        );
        ensure!(
            self.history_days != Some(0),
            "--history-days 0 would forget everything at once: --db none does."
        );
        ensure!(
            self.history_max.is_none_or(|most| most >= HISTORY_MAX_LEAST),
            "--history-max is at least 1M: an empty database has a tenth of that."
        );
        ensure!(self.threads_max > 0, "--threads-max 0 would let nobody in. Give 1 or more.");
        ensure!(self.per_source != Some(0), "--per-source 0 would let nobody in. Give 1 or more.");
        ensure!(
            self.backlog_lines <= 300,
            "--backlog-lines {}: a room remembers 300 lines at most.",
            self.backlog_lines
        );
        let line = 2 * LINE_MAX;
        ensure!(
            self.high_water >= line,
            "--high-water {}: one line must fit. Give {line} or more.",
            self.high_water
        );
        let day = 24 * 60 * 60;
        for (option, seconds) in [
            ("--write-deadline", self.write_deadline),
            ("--login-deadline", self.login_deadline),
            ("--ghost-after", self.ghost_after),
        ] {
            ensure!(
                (1..=day).contains(&seconds),
                "{option} {seconds}: give 1 to {day} seconds (a day)."
            );
        }
        self.check_tls()
    }

    fn check_tls(&self) -> anyhow::Result<()> {
        let advice = "chatd tls make makes both files, and says what to give.";
        match (&self.tls_cert, &self.tls_key) {
            (Some(_), None) => bail!("--tls-cert needs --tls-key, the file with its key."),
            (None, Some(_)) => bail!("--tls-key needs --tls-cert, the file with its certificate."),
            (None, None) => {
                ensure!(self.tls.is_empty(), "--tls needs --tls-cert and --tls-key: {advice}");
                ensure!(
                    self.web_tls == WebOn::Nowhere,
                    "--web-tls needs --tls-cert and --tls-key: {advice}"
                );
            }
            (Some(_), Some(_)) => {}
        }
        Ok(())
    }
}
