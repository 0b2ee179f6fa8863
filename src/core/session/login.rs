//! The session's dialogues about passwords: at the door, `/login`, `/register`, `/password`,
//! `/unregister`.
//!
//! A password goes from the keyboard to its hash and nowhere else: never said, shown, logged, or
//! told to the rooms.

use super::{
    Heard, Session,
    stage::{Purpose, Reason, Stage},
};
use crate::core::{
    close_reason::CloseReason,
    driver::{Driver, LoginAttempt, LoginResult},
    event::{Answer, Event, Login, Question},
    history_reply::PRIVATE_MAX,
    name::Name,
    notice::notice,
    pairing_code::PairingCode,
    password::{PASSWORD_MAX, PASSWORD_MIN, Password},
    record::{AccountId, Found, Query},
    sentences::{MAY_BE_SEEN, NAME_QUESTION, asks_for_password},
};
use std::{mem::replace, time::Duration};

/// The most wrong passwords from one connection, whatever they are for, and the most wrong codes.
/// Then it is closed.
pub(super) const WRONG_MAX: u32 = 5;

impl Session<'_> {
    fn ask_password(&mut self, purpose: Purpose, sentence: &str, driver: &mut dyn Driver) {
        debug_assert!(asks_for_password(sentence), "or `chat` shows what is typed");
        self.set_stage(Stage::Password(purpose), driver);
        self.program.note_ask(&self.stage, self.name.as_ref(), driver);
        match self.program.reads_notes() {
            true => self.say(driver, &sentence.replace(MAY_BE_SEEN, "")), // it hides what is typed
            false => self.say(driver, sentence),
        }
    }

    pub(super) fn ask_password_to_enter(
        &mut self,
        name: Name,
        account: AccountId,
        driver: &mut dyn Driver,
    ) {
        let sentence = format!("{} is registered. Your password{MAY_BE_SEEN}:", name.shown());
        self.ask_password(Purpose::Enter(name, account), &sentence, driver);
    }

    // --- The commands ---

    /// `/register [PASSWORD]`.
    pub(crate) fn register(&mut self, password: Option<Password>, driver: &mut dyn Driver) {
        if my_account(driver).is_some() {
            return self.say(driver, "You have an account already: /whoami.");
        }
        match password {
            Some(password) => self.set_password(&password, &Reason::None, driver),
            None => self.ask_new_password(Reason::None, driver),
        }
    }

    /// `/login NAME [PASSWORD]`.
    pub(crate) fn log_in(
        &mut self,
        name: &str,
        password: Option<Password>,
        driver: &mut dyn Driver,
    ) {
        // What cannot be a name gets the same answer as a name without an account.
        let purpose = match self.config.names.check(name, "name") {
            Ok(name) => {
                let question = Question::WhoseIs(name.clone());
                let account = account_in(&driver.ask(Event::Ask(question)));
                if self.is_naming() && account.is_some() {
                    // At the door that is what a name is offered for.
                    self.enter(name, None, driver);
                    if let (Some(typed), Stage::Password(_)) = (password, &self.stage) {
                        self.take_password(typed, driver);
                    }
                    return;
                }
                Purpose::LogIn(name.key().to_owned(), account)
            }
            Err(_) => Purpose::LogIn(name.to_owned(), None),
        };
        match password {
            Some(password) => self.set_stage(Stage::Checking(purpose, password), driver),
            None => self.ask_password(purpose, &format!("Your password{MAY_BE_SEEN}:"), driver),
        }
    }

    /// `/password`.
    pub(crate) fn change_password(&mut self, driver: &mut dyn Driver) {
        self.ask_current_password(Purpose::Change, "Your password as it is now", driver);
    }

    /// `/unregister`.
    pub(crate) fn unregister(&mut self, driver: &mut dyn Driver) {
        let words = "This deletes your account and your mailbox. Your password";
        self.ask_current_password(Purpose::Unregister, words, driver);
    }

    fn ask_current_password(
        &mut self,
        purpose: fn(AccountId) -> Purpose,
        words: &str,
        driver: &mut dyn Driver,
    ) {
        match my_account(driver) {
            Some(account) => {
                self.ask_password(purpose(account), &format!("{words}{MAY_BE_SEEN}:"), driver);
            }
            None => self.say(
                driver,
                "You are not logged in: /register keeps your name, /login NAME logs you in.",
            ),
        }
    }

    fn ask_new_password(&mut self, why: Reason, driver: &mut dyn Driver) {
        let lead = match &why {
            Reason::None | Reason::Wanted => "A new password",
            Reason::OneTime(_) => "That password was for one time. Choose a password of your own,",
        };
        let sentence = format!("{lead} of {PASSWORD_MIN} to {PASSWORD_MAX} bytes{MAY_BE_SEEN}:");
        self.ask_password(Purpose::New(why), &sentence, driver);
    }

    // --- What was typed ---

    /// Takes a line that is a password.
    pub(super) fn take_password(&mut self, password: Password, driver: &mut dyn Driver) {
        let Stage::Password(purpose) = self.leave_dialogue(driver) else { return };
        match purpose {
            Purpose::Enter(..) if password.is_empty() => {
                self.program.note_ask(&self.stage, self.name.as_ref(), driver);
                self.say(driver, NAME_QUESTION);
            }
            Purpose::New(why) | Purpose::Again(_, why) if password.is_empty() => {
                keep_password(self, "Nothing is changed.", why, driver);
            }
            _ if password.is_empty() => self.say(driver, "Nothing is changed."),
            Purpose::New(why) => match check_new(&password, &why) {
                Ok(()) => {
                    let again = Purpose::Again(password, why);
                    self.ask_password(again, "The same password once more:", driver);
                }
                Err(sentence) => keep_password(self, &sentence, why, driver),
            },
            Purpose::Again(first, why) if first == password => {
                self.set_password(&password, &why, driver);
            }
            Purpose::Again(_, why) => {
                let sentence = "The two are not the same. Nothing is changed.";
                keep_password(self, sentence, why, driver);
            }
            purpose => self.set_stage(Stage::Checking(purpose, password), driver),
        }
        self.program.note_change(&self.stage, driver);
    }

    /// Refuses a line that cannot be a password: it is too long, or not UTF-8.
    pub(super) fn refuse_password(&mut self, driver: &mut dyn Driver) {
        self.say(
            driver,
            &format!(
                "A password is text of {PASSWORD_MIN} to {PASSWORD_MAX} bytes. Once more. Password:"
            ),
        );
    }

    /// Leaves the dialogue. Returns the stage it was in.
    fn leave_dialogue(&mut self, driver: &mut dyn Driver) -> Stage {
        let next = if self.is_naming() { Stage::Naming } else { Stage::Chatting };
        let stage = replace(&mut self.stage, Stage::Naming);
        self.set_stage(next, driver);
        stage
    }

    /// Compares a password. If that has to wait, the session tries again after a pause.
    #[inline(never)] // see `Session::hear`
    pub(super) fn check_password(&mut self, now: Duration, driver: &mut dyn Driver) -> Heard {
        let Stage::Checking(purpose, password) = self.leave_dialogue(driver) else {
            return Heard::Dialogue;
        };
        if let Purpose::Instruct = purpose {
            return self.check_code(password, driver).map_or(Heard::Dialogue, Heard::Pause);
        }
        let (name, account) = match (&purpose, &self.name) {
            (Purpose::Enter(name, account), _) => (name.key(), Some(*account)),
            (Purpose::LogIn(name, account), _) => (&**name, *account),
            (Purpose::Change(account) | Purpose::Unregister(account), Some(name)) => {
                (name.key(), Some(*account))
            }
            (Purpose::Change(_) | Purpose::Unregister(_), None)
            | (Purpose::New(_) | Purpose::Again(..) | Purpose::Instruct, _) => {
                return Heard::Dialogue;
            }
        };
        let attempt = LoginAttempt { name, account, address: self.address, password: &password };
        match driver.verify(attempt) {
            Ok(LoginResult::Wait(wait)) => {
                self.stage = Stage::Checking(purpose, password);
                return Heard::Pause(wait);
            }
            Ok(LoginResult::Wrong) => self.on_wrong_password(purpose, driver),
            Ok(result @ (LoginResult::Right { .. } | LoginResult::OneTime)) => {
                if let Purpose::Enter(_, account) | Purpose::LogIn(_, Some(account)) = &purpose {
                    self.pace.prove(*account, now, driver);
                }
                self.on_right_password(purpose, driver);
                // If they were refused, they are still logged in to another account, or to none.
                let is_asking = result == LoginResult::OneTime;
                let is_weak = result == LoginResult::Right { is_weak: true };
                if (is_weak || is_asking) && my_account(driver) == account {
                    match is_asking {
                        true => self.ask_new_password(Reason::OneTime(password.into()), driver),
                        false => self.hash_again(&password, driver),
                    }
                }
            }
            Err(why) => {
                self.refuse(&format!("Passwords cannot be compared now: {why}"), driver);
            }
        }
        self.program.note_change(&self.stage, driver);
        Heard::Dialogue
    }

    fn on_wrong_password(&mut self, purpose: Purpose, driver: &mut dyn Driver) {
        self.passwords_wrong += 1;
        match purpose {
            _ if self.passwords_wrong == WRONG_MAX => {
                self.close(CloseReason::WrongPasswords(self.passwords_wrong));
            }
            Purpose::Enter(name, account) => {
                let sentence = "That is not the password of this name. Once more, or an empty line for another name. Password:";
                self.ask_password(Purpose::Enter(name, account), sentence, driver);
            }
            Purpose::LogIn(..) => {
                self.refuse("No account has this name and this password.", driver);
            }
            _ => self.say(driver, "That is not your password. Nothing is changed."),
        }
    }

    fn on_right_password(&mut self, purpose: Purpose, driver: &mut dyn Driver) {
        self.mail_read.clear(); // the mailbox may be another account's now
        let text = match purpose {
            Purpose::Enter(name, account) => {
                let login = private_lines(account, driver);
                return self.enter(name, Some(login), driver);
            }
            Purpose::LogIn(_, Some(account)) => {
                let login = private_lines(account, driver);
                self.ask_and_renew(Question::LogIn(login), driver)
            }
            Purpose::Change(_) => return self.ask_new_password(Reason::Wanted, driver),
            Purpose::Unregister(_) => self.ask(Question::Unregister, driver),
            Purpose::LogIn(_, None) | Purpose::New(_) | Purpose::Again(..) | Purpose::Instruct => {
                return;
            }
        };
        driver.reply(text.as_bytes());
    }

    fn set_password(&mut self, password: &Password, why: &Reason, driver: &mut dyn Driver) {
        let is_new = matches!(why, Reason::None);
        if let Err(sentence) = password.check() {
            return self.say(driver, &sentence);
        }
        let text = match driver.hash(password) {
            Ok(hash) if !is_new => {
                self.ask_and_renew(Question::SetPassword { hash, quietly: false }, driver)
            }
            Ok(hash) => self.ask_and_renew(Question::Register(hash), driver),
            Err(why) => notice(format_args!("The password cannot be kept: {why}")),
        };
        driver.reply(text.as_bytes());
        if is_new && let Some(account) = my_account(driver) {
            driver.note_owner(account, self.address);
        }
    }

    /// Asks for what makes the client somebody else, or lets them do more. Then their program gets
    /// another token: somebody may have seen the one before.
    pub(super) fn ask_and_renew(&mut self, question: Question, driver: &mut dyn Driver) -> String {
        let mut text = self.ask(question, driver);
        if let Some(token) = self.program.draw_token(driver) {
            text.push_str(&self.ask(Question::NewToken(token), driver));
        }
        text
    }

    /// Hashes the same password again, as strongly as is usual now. If that fails, the old hash
    /// still serves.
    fn hash_again(&mut self, password: &Password, driver: &mut dyn Driver) {
        if let Ok(hash) = driver.hash(password) {
            self.ask(Question::SetPassword { hash, quietly: true }, driver);
        }
    }
}

/// Whether it may become a password. The one on a slip is known to whoever has printed it.
fn check_new(password: &Password, why: &Reason) -> Result<(), String> {
    match why {
        Reason::OneTime(slip) if PairingCode::signs(password) == PairingCode::signs(slip) => {
            Err("That is the password which was for one time.".to_owned())
        }
        _ => password.check(),
    }
}

/// There is no new password: the old one stays, unless it was for one time.
#[inline(never)] // see `Session::hear`
fn keep_password(session: &mut Session<'_>, sentence: &str, why: Reason, driver: &mut dyn Driver) {
    session.say(driver, sentence);
    if let Reason::OneTime(_) = why {
        session.ask_new_password(why, driver);
    }
}

/// Reads the newest private lines of an account whose owner has given the right password.
fn private_lines(account: AccountId, driver: &mut dyn Driver) -> Login {
    let private = match driver.find(Query::Private { account, most: PRIVATE_MAX }) {
        Found::Lines(lines) | Found::Partly { lines, .. } => lines,
        Found::Password(_) | Found::Author(_) | Found::Count(_) | Found::Unavailable(_) => {
            Vec::new()
        }
    };
    Login { account, private }
}

fn my_account(driver: &mut dyn Driver) -> Option<AccountId> {
    account_in(&driver.ask(Event::Ask(Question::MyAccount)))
}

fn account_in(answer: &Answer) -> Option<AccountId> {
    if let Answer::Account(account) = answer { *account } else { None }
}
