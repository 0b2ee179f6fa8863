//! The pairing code: whoever types it is an instructor on this connection, whether they have a name
//! yet or not.

use super::{
    Session,
    login::WRONG_MAX,
    stage::{Purpose, Stage},
};
use crate::core::{
    close_reason::CloseReason,
    driver::{Driver, LoginResult},
    event::Question,
    password::Password,
    sentences::{NAME_QUESTION, YOU_ARE_INSTRUCTOR},
};
use std::time::Duration;

impl Session<'_> {
    /// `/instructor CODE`.
    pub(crate) fn offer_code(&mut self, typed: &str, driver: &mut dyn Driver) {
        self.set_stage(Stage::Checking(Purpose::Instruct, Password::new(typed)), driver);
    }

    /// Compares a code. `Some`: that has to wait, and is tried again after this time.
    pub(super) fn check_code(
        &mut self,
        typed: Password,
        driver: &mut dyn Driver,
    ) -> Option<Duration> {
        match driver.verify_code(&typed, self.address) {
            LoginResult::Wait(wait) => {
                self.stage = Stage::Checking(Purpose::Instruct, typed);
                return Some(wait);
            }
            LoginResult::Wrong => {
                self.codes_wrong += 1;
                match self.codes_wrong {
                    WRONG_MAX => self.close(CloseReason::WrongCodes(WRONG_MAX)),
                    _ => say_and_ask(self, "That is not the instructor's code.", driver),
                }
            }
            LoginResult::Right { .. } | LoginResult::OneTime if self.is_naming() => {
                self.newcomer.is_instructor = true;
                match self.newcomer.kept_out.take() {
                    Some(kept_out) => self.enter(kept_out.name, None, driver),
                    None => say_and_ask(self, YOU_ARE_INSTRUCTOR, driver),
                }
            }
            LoginResult::Right { .. } | LoginResult::OneTime => {
                let text = self.ask_and_renew(Question::BecomeInstructor, driver);
                driver.reply(text.as_bytes());
            }
        }
        None
    }
}

/// Says a sentence, and asks for a name if there is none.
fn say_and_ask(session: &mut Session<'_>, sentence: &str, driver: &mut dyn Driver) {
    if !session.is_naming() || session.newcomer.kept_out.is_some() {
        return session.say(driver, sentence);
    }
    session.program.note_ask(&session.stage, None, driver);
    session.say(driver, &format!("{sentence} {NAME_QUESTION}"));
}
