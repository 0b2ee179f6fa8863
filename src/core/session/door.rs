//! A session before its client has a name ("at the door"): the greeting, and the choice of a name.

use super::{Session, config::Greeting, newcomer::Newcomer};
use crate::core::{
    close_reason::CloseReason,
    driver::Driver,
    event::{Answer, Entry, Event, Login, Question, Resume},
    name::Name,
    notice::notice,
    pairing_code::PairingCode,
    sentences::{self, NAME_QUESTION},
    token::Token,
};

/// A client is hung up after this number of refused names: enough for every typing error, too few
/// to try a list.
const NAMES_REFUSED_MAX: u32 = 10;
/// Everybody would read it.
const LIKE_A_CODE: &str =
    "That looks like a password or a code, and not like a name. Nobody was told it.";

impl Session<'_> {
    #[inline(never)] // see `Session::hear`
    pub(super) fn greet(&mut self, greeting: Greeting, driver: &mut dyn Driver) {
        let Greeting { welcome, connection, origin } = greeting;
        let by_address = || Name::of_address(&origin.to_string(), &connection);
        if let Some(most) = self.newcomer.reserve_of {
            match driver.ask(Event::Ask(Question::TakeReserve(most))) {
                Answer::Close(reason) => self.close = Some(reason),
                _ if self.config.anonymous && self.config.has_code => {
                    keep_out(self, by_address(), CloseReason::Full(most), driver);
                }
                _ => {
                    let taken = sentences::places_taken(most);
                    let mut sentence = format!("{taken}; this one is kept for an administrator.");
                    sentence[..1].make_ascii_uppercase();
                    driver.reply((notice(sentence) + &notice(NAME_QUESTION)).as_bytes());
                }
            }
            return;
        }
        if self.config.anonymous {
            driver.reply(welcome.as_bytes());
            self.enter(by_address(), None, driver);
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
        if self.newcomer.kept_out.is_some() {
            return self.refuse("", driver);
        }
        // Their name was refused, say, and this was for the password's question.
        if PairingCode::is_like(typed.trim()) {
            return self.refuse(LIKE_A_CODE, driver);
        }
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
        if let Some(kept_out) = self.newcomer.kept_out.take() {
            return self.close(kept_out.reason);
        }
        self.newcomer.names_refused += 1;
        if self.newcomer.names_refused == NAMES_REFUSED_MAX {
            return self.close(CloseReason::NamesRefused(NAMES_REFUSED_MAX));
        }
        let wait = driver.refuse_name();
        self.pace.pause_for(wait);
        self.program.note_ask(&self.stage, None, driver);
        self.say(driver, &format!("{sentence} {NAME_QUESTION}"));
    }

    /// Asks the rooms to let the client in. If the name belongs to an account, its password is
    /// needed.
    pub(super) fn enter(&mut self, name: Name, login: Option<Login>, driver: &mut dyn Driver) {
        let question = entering(&name, login, self, driver);
        let answer = driver.ask(Event::Ask(question));
        entered(self, name, answer, driver);
    }
}

/// Goes on with what the rooms say to this name.
#[inline(never)] // see `Session::hear`
fn entered(session: &mut Session<'_>, name: Name, answer: Answer, driver: &mut dyn Driver) {
    match answer {
        Answer::NeedsPassword(account) => session.ask_password_to_enter(name, account, driver),
        Answer::NameRefused(sentence) => session.refuse(&sentence, driver),
        answer @ Answer::Named(..) => {
            let mut welcome = notice(sentences::hello(name.shown()));
            welcome.extend(session.config.motd.iter().map(notice));
            welcome.push_str(&session.take_in(answer, driver));
            driver.reply(welcome.as_bytes());
        }
        Answer::Close(reason) if session.config.anonymous && session.config.has_code => {
            keep_out(session, name, reason, driver);
        }
        other => drop(session.take_in(other, driver)),
    }
}

#[inline(never)] // see `Session::hear`
fn entering(
    name: &Name,
    login: Option<Login>,
    session: &Session<'_>,
    driver: &mut dyn Driver,
) -> Question {
    let Newcomer { reserve_of, is_instructor, .. } = session.newcomer;
    let (name, address, wishes) = (name.clone(), session.address, session.program.wishes(driver));
    Question::Enter(Box::new(Entry { name, address, login, reserve_of, is_instructor, wishes }))
}

#[inline(never)] // see `Session::hear`
fn keep_out(session: &mut Session<'_>, name: Name, reason: CloseReason, driver: &mut dyn Driver) {
    let sentence = session.newcomer.keep_out(name, reason);
    session.say(driver, &sentence);
}

/// Takes a token, and lets the client in as they were.
#[inline(never)] // see `Session::hear`
pub(crate) fn come_back(session: &mut Session<'_>, token: Token, driver: &mut dyn Driver) {
    let (reserve_of, address) = (session.newcomer.reserve_of, session.address);
    let wishes = session.program.wishes(driver);
    let resume = Resume { token, address, reserve_of, wishes };
    match driver.ask(Event::Ask(Question::Resume(Box::new(resume)))) {
        Answer::NameRefused(sentence) => session.refuse(&sentence, driver),
        other => {
            let mut text = session.take_in(other, driver);
            if !session.is_naming() && session.newcomer.is_instructor {
                text.push_str(&session.ask_and_renew(Question::BecomeInstructor, driver));
            }
            driver.reply(text.as_bytes());
        }
    }
}
