//! A session before its client has a name ("at the door"): the greeting, and the choice of a name.

use super::{Session, config::Greeting};
use crate::core::{
    close_reason::CloseReason,
    event::{Answer, Driver, Entry, Event, Login, Question},
    name::Name,
    notice::notice,
    sentences::{self, NAME_QUESTION},
};

/// A client is hung up after this number of refused names: enough for every typing error, too few
/// to try a list.
const NAMES_REFUSED_MAX: u32 = 10;

impl Session<'_> {
    #[inline(never)] // see `Session::hear`
    pub(super) fn greet(&mut self, greeting: Greeting, driver: &mut dyn Driver) {
        if let Some(most) = self.reserve_of {
            match driver.ask(Event::Ask(Question::TakeReserve(most))) {
                Answer::Close(reason) => self.close = Some(reason),
                _ => {
                    let sentence = format!(
                        "All {most} places are taken; this one is kept for an administrator."
                    );
                    driver.reply((notice(sentence) + &notice(NAME_QUESTION)).as_bytes());
                }
            }
            return;
        }
        let Greeting { welcome, connection, address } = greeting;
        if self.config.anonymous {
            driver.reply(welcome.as_bytes());
            self.enter(Name::of_address(&address.to_string(), &connection), None, driver);
        } else {
            driver.reply((welcome + &notice(NAME_QUESTION)).as_bytes());
        }
    }

    /// Greets whoever had to wait for it.
    pub(super) fn greet_late(&mut self, driver: &mut dyn Driver) {
        if let Some(greeting) = self.pace.greets_after.take() {
            self.greet(*greeting, driver);
        }
    }

    /// Takes a line as a name. A command that does not work at the door comes here, too, and is
    /// refused.
    pub(crate) fn offer_name(&mut self, typed: &str, driver: &mut dyn Driver) {
        match self.config.names.check(typed, "name") {
            Ok(name) => self.enter(name, None, driver),
            Err(sentence) => self.refuse(&sentence, driver),
        }
    }

    /// Refuses a line. If it should have been a name, asks again, ten times at most.
    pub(super) fn refuse(&mut self, sentence: &str, driver: &mut dyn Driver) {
        if !self.is_naming() {
            return self.say(driver, sentence);
        }
        self.names_refused += 1;
        if self.names_refused == NAMES_REFUSED_MAX {
            return self.close(CloseReason::NamesRefused(self.names_refused));
        }
        let wait = driver.refuse_name();
        self.pace.pause_for(wait);
        self.say(driver, &format!("{sentence} {NAME_QUESTION}"));
    }

    /// Asks the rooms to let the client in. If the name belongs to an account, its password is
    /// needed.
    pub(super) fn enter(&mut self, name: Name, login: Option<Login>, driver: &mut dyn Driver) {
        let question = entering(&name, login, self);
        match driver.ask(Event::Ask(question)) {
            Answer::NeedsPassword(account) => self.ask_password_to_enter(name, account, driver),
            Answer::NameRefused(sentence) => self.refuse(&sentence, driver),
            answer @ Answer::Named(..) => {
                let mut welcome = notice(sentences::hello(name.shown()));
                welcome.extend(self.config.motd.iter().map(notice));
                welcome.push_str(&self.take_in(answer, driver));
                driver.reply(welcome.as_bytes());
            }
            other => drop(self.take_in(other, driver)),
        }
    }
}

#[inline(never)] // see `Session::hear`
fn entering(name: &Name, login: Option<Login>, session: &Session<'_>) -> Question {
    let Session { address, reserve_of, .. } = *session;
    Question::Enter(Box::new(Entry { name: name.clone(), address, login, reserve_of }))
}
