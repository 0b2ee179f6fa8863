//! The dialogues about passwords: at the door, `/register`, `/login`, `/password`, `/unregister`. Part of `Dialogue`.
//!
//! A password is never part of a sentence. Where it is compared, a wrong one and an account that does not exist get the
//! same words after the same time ([`Hall::verify`]); and if too many were tried, the session waits before it looks.

use super::{
    dialogue::{Dialogue, Stage},
    event::{Attempt, Hall, Question, Verdict},
    farewell::Farewell,
    name::Name,
    record::AccountId,
    secret::{PASSWORD_MAX, PASSWORD_MIN, Secret},
};
use std::time::Duration;

/// Wrong passwords of one connection, before it is hung up.
const WRONG_MAX: u32 = 5;
/// For whoever has no way to hide it. A program that has one looks for the word "password" and the colon.
const MAY_BE_SEEN: &str = "(with nc, it will be seen as you type)";

/// A password that was asked for.
pub(super) struct Asked {
    purpose: Purpose,
    /// What was typed, while it is compared with an account's.
    typed: Option<Secret>,
}

enum Purpose {
    /// To come in under this name, which is the account's.
    Enter(Name, AccountId),
    /// To become the owner of this name's account, if there is one.
    LogIn(String, Option<AccountId>),
    /// To change the account's password.
    Change(AccountId),
    /// To strike the account out.
    Unregister(AccountId),
    /// The first time it is typed, for [`Purpose::Again`].
    New { is_change: bool },
    /// And once more.
    Again { first: Secret, is_change: bool },
}

impl Dialogue<'_> {
    /// Whether the next line is a password.
    pub fn awaits_password(&self) -> bool {
        self.asked.as_ref().is_some_and(|asked| asked.typed.is_none())
    }

    fn ask_password(&mut self, purpose: Purpose, sentence: &str, hall: &mut impl Hall) {
        self.asked = Some(Asked { purpose, typed: None });
        self.reply(hall, sentence);
    }

    pub fn ask_at_the_door(&mut self, name: Name, account: AccountId, hall: &mut impl Hall) {
        let sentence = format!("{} is registered. Your password {MAY_BE_SEEN}:", name.shown());
        self.ask_password(Purpose::Enter(name, account), &sentence, hall);
    }

    // --- The commands ---

    pub fn register(&mut self, password: Option<Secret>, hall: &mut impl Hall) {
        if hall.ask(Question::MyAccount).account.is_some() {
            return self.reply(hall, "You have an account already: /whoami.");
        }
        match password {
            Some(password) => self.set_password(&password, false, hall),
            None => self.ask_new(false, hall),
        }
    }

    pub fn log_in(&mut self, name: &str, password: Option<Secret>, hall: &mut impl Hall) {
        // What cannot be a name gets the same words as a name that is nobody's.
        let purpose = match self.config.names.check(name, "name") {
            Ok(name) => {
                Purpose::LogIn(name.key().to_owned(), hall.ask(Question::WhoseIs(name)).account)
            }
            Err(_) => Purpose::LogIn(name.to_owned(), None),
        };
        match password {
            Some(_) => self.asked = Some(Asked { purpose, typed: password }),
            None => self.ask_password(purpose, &format!("Your password {MAY_BE_SEEN}:"), hall),
        }
    }

    pub fn change_password(&mut self, hall: &mut impl Hall) {
        self.ask_current(Purpose::Change, "Your password as it is now", hall);
    }

    pub fn unregister(&mut self, hall: &mut impl Hall) {
        self.ask_current(
            Purpose::Unregister,
            "This strikes out your account and your mailbox. Your password",
            hall,
        );
    }

    fn ask_current(
        &mut self,
        purpose: fn(AccountId) -> Purpose,
        words: &str,
        hall: &mut impl Hall,
    ) {
        match hall.ask(Question::MyAccount).account {
            Some(account) => {
                self.ask_password(purpose(account), &format!("{words} {MAY_BE_SEEN}:"), hall)
            }
            None => {
                self.reply(
                    hall,
                    "You are not logged in: /register keeps your name, /login NAME logs you in.",
                );
            }
        }
    }

    fn ask_new(&mut self, is_change: bool, hall: &mut impl Hall) {
        let sentence =
            format!("A new password of {PASSWORD_MIN} to {PASSWORD_MAX} bytes {MAY_BE_SEEN}:");
        self.ask_password(Purpose::New { is_change }, &sentence, hall);
    }

    // --- What was typed ---

    /// A line that is a password.
    #[inline(never)] // see `Session::run`
    pub fn line_is_password(&mut self, typed: &str, hall: &mut impl Hall) {
        let Some(asked) = self.asked.take() else { return };
        let secret = Secret::new(typed);
        match asked.purpose {
            Purpose::Enter(..) if secret.is_empty() => self.reply(hall, "What is your name?"),
            _ if secret.is_empty() => self.reply(hall, "Nothing is changed."),
            Purpose::New { is_change } => match secret.check() {
                Ok(()) => {
                    let again = Purpose::Again { first: secret, is_change };
                    self.ask_password(again, "The same password once more:", hall);
                }
                Err(sentence) => self.reply(hall, &sentence),
            },
            Purpose::Again { first, is_change } if first == secret => {
                self.set_password(&secret, is_change, hall)
            }
            Purpose::Again { .. } => {
                self.reply(hall, "The two are not the same. Nothing is changed.")
            }
            purpose => self.asked = Some(Asked { purpose, typed: Some(secret) }),
        }
    }

    /// A line that is too long, or no text.
    pub fn line_is_no_password(&mut self, hall: &mut impl Hall) {
        self.reply(
            hall,
            &format!(
                "A password is text of {PASSWORD_MIN} to {PASSWORD_MAX} bytes. Once more. Password:"
            ),
        );
    }

    /// Looks at a password that was typed and has to be compared. Returns how long to wait before that may be done.
    #[inline(never)] // see `Session::run`
    pub fn try_password(&mut self, hall: &mut impl Hall) -> Option<Duration> {
        let Asked { purpose, typed } = self.asked.take()?;
        let Some(password) = typed else {
            self.asked = Some(Asked { purpose, typed });
            return None;
        };
        let (name, account) = match (&purpose, &self.stage) {
            (Purpose::Enter(name, account), _) => (name.key(), Some(*account)),
            (Purpose::LogIn(name, account), _) => (&**name, *account),
            (Purpose::Change(account) | Purpose::Unregister(account), Stage::Chatting { name }) => {
                (name.key(), Some(*account))
            }
            _ => return None,
        };
        match hall.verify(Attempt { name, account, source: self.source, password: &password }) {
            Ok(Verdict::Wait(wait)) => {
                self.asked = Some(Asked { purpose, typed: Some(password) });
                return Some(wait);
            }
            Ok(Verdict::Wrong) => self.is_wrong(purpose, hall),
            Ok(Verdict::Right { is_weak }) => {
                self.is_right(purpose, hall);
                if is_weak {
                    self.hash_again(&password, hall);
                }
            }
            Err(why) => {
                let sentence = format!("Passwords cannot be compared now: {why}");
                self.refuse(hall, &sentence);
            }
        }
        None
    }

    fn is_wrong(&mut self, purpose: Purpose, hall: &mut impl Hall) {
        self.wrong += 1;
        match purpose {
            _ if self.wrong == WRONG_MAX => {
                self.farewell = Some(Farewell::WrongPasswords(self.wrong))
            }
            Purpose::Enter(name, account) => {
                let sentence = "That is not the name's password. Once more, or an empty line for another name. Password:";
                self.ask_password(Purpose::Enter(name, account), sentence, hall);
            }
            Purpose::LogIn(..) => self.reply(hall, "No account has this name and this password."),
            _ => self.reply(hall, "That is not your password. Nothing is changed."),
        }
    }

    fn is_right(&mut self, purpose: Purpose, hall: &mut impl Hall) {
        self.mail_read = None; // it is perhaps another's from now on
        let text = match purpose {
            Purpose::Enter(name, account) => {
                let login = Self::private_past(account, hall);
                return self.enter(name, Some(login), hall);
            }
            Purpose::LogIn(_, Some(account)) => {
                let login = Self::private_past(account, hall);
                self.ask(Question::LogIn(login), hall)
            }
            Purpose::Change(_) => return self.ask_new(true, hall),
            Purpose::Unregister(_) => self.ask(Question::Unregister, hall),
            Purpose::LogIn(_, None) | Purpose::New { .. } | Purpose::Again { .. } => return,
        };
        hall.reply(text.as_bytes());
    }

    fn set_password(&mut self, password: &Secret, is_change: bool, hall: &mut impl Hall) {
        if let Err(sentence) = password.check() {
            return self.reply(hall, &sentence);
        }
        let text = match hall.hash(password) {
            Ok(hash) if is_change => self.ask(Question::Rehash { hash, quietly: false }, hall),
            Ok(hash) => self.ask(Question::Register(hash), hall),
            Err(why) => format!("*** The password cannot be kept: {why}\n"),
        };
        hall.reply(text.as_bytes());
    }

    /// The same password, hashed as strongly as is usual now. If that fails, the old hash still serves.
    fn hash_again(&mut self, password: &Secret, hall: &mut impl Hall) {
        if matches!(self.stage, Stage::Chatting { .. })
            && let Ok(hash) = hall.hash(password)
        {
            self.ask(Question::Rehash { hash, quietly: true }, hall);
        }
    }
}
