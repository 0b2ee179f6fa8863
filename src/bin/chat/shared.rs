//! What the threads share: the connection, the way to the screen, what is known, and a way to wait
//! until that changes; also the one way out. No thread waits or does I/O while it holds the lock.

use crate::{
    commands::is_command,
    connection::Link,
    ending::Ending,
    known::Known,
    note::Question,
    screen::{Screen, Show},
    settings::Settings,
    terminal,
    tls::Trust,
};
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::{
    io::{self, ErrorKind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// How long a server may be silent before it counts as one that asks for no name. What is typed
/// meanwhile is sent afterwards.
const SILENCE_LIMIT: Duration = Duration::from_secs(2);

/// How long a server that has spoken may take to let us in.
const WELCOME_LIMIT: Duration = Duration::from_secs(5);

/// How long to wait for the note behind an answer. There is none if it is a refusal.
pub(crate) const NOTE_LIMIT: Duration = Duration::from_millis(200);

pub(crate) struct Shared {
    known: Mutex<Known>,
    changed: Condvar,
    pub(crate) link: Link,
    pub(crate) screen: Screen,
    /// Whose certificates are accepted.
    pub(crate) trust: Trust,
    settings: Mutex<Arc<Settings>>, // locked to look, or to put others there
    /// A password was asked for while this line was begun: it is not shown, and said to nobody.
    is_typing_hidden: AtomicBool,
    /// The person is leaving: an end of file is what we wait for.
    pub(crate) is_leaving: AtomicBool,
}

impl Shared {
    pub(crate) fn new(screen: Screen, settings: Settings, trust: Trust) -> Shared {
        Shared {
            known: Mutex::default(),
            changed: Condvar::new(),
            link: Link::default(),
            screen,
            trust,
            settings: Mutex::new(Arc::new(settings)),
            is_typing_hidden: AtomicBool::new(false),
            is_leaving: AtomicBool::new(false),
        }
    }

    /// The settings as they are now.
    pub(crate) fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.lock())
    }

    /// Only `main` changes them.
    pub(crate) fn set_settings(&self, settings: Settings) {
        *self.settings.lock() = Arc::new(settings);
        self.screen.wake();
    }

    /// Looks at what is known, for a moment.
    pub(crate) fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock()
    }

    /// Changes what is known, and wakes whoever waits for it.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Known) -> T) -> T {
        let result = change(&mut self.known.lock());
        self.changed.notify_all();
        result
    }

    /// Waits until we are in a room, or the person has to answer something. A server that knows
    /// neither names nor rooms lets nobody in; after [`SILENCE_LIMIT`] it is taken for such a one.
    pub(crate) fn wait_for_welcome(&self) {
        let is_no_chatd =
            |known: &Known| known.heard > 0 && (known.answers == 0 || !known.is_connected);
        let is_over =
            |known: &Known| known.is_there() || known.question.is_some() || is_no_chatd(known);
        let is_at_the_door = |known: &Known| known.answers > 0 && known.room.is_none();
        let is_answered = |known: &Known| is_over(known) || known.is_wish_answered();
        let deadline = Instant::now() + SILENCE_LIMIT;
        let left = || deadline.saturating_duration_since(Instant::now());
        while self.wait(left(), is_answered) && !self.wait(NOTE_LIMIT, is_over) {
            if self.known().is_wish_answered() || left().is_zero() {
                break;
            }
        }
        if is_at_the_door(&self.known()) && !is_over(&self.known()) {
            self.wait(WELCOME_LIMIT, is_over);
        }
        // The room that we wanted to go to is refused: then we are where we are.
        self.change(|known| known.is_on_the_way &= known.room.is_none());
    }

    /// Sends what a person typed, and gives it to the log as others read it.
    ///
    /// # Errors
    /// A sentence that says why it is not sent.
    pub(crate) fn say(&self, line: &str) -> Result<(), String> {
        if self.known().question == Some(Question::Name) && !is_command(line) {
            return Err("not sent: a name is asked for.".to_owned()); // the next line of a paste, say
        }
        let own = self.send_typed(format!("{line}\n").as_bytes(), Some(line))?;
        if let Some(own) = own {
            self.screen.show(Show::Own(own));
        } else if !self.known().has_notes {
            self.screen.show(Show::Typed(line.to_owned()));
        }
        Ok(())
    }

    /// Sends what a person typed: a `line`, if it is one; returns it as others read it, if it is talk. A
    /// chatd takes it for a name as long as it has not let us in, so that is waited for.
    ///
    /// # Errors
    /// A sentence that says why it is not sent.
    pub(crate) fn send_typed(
        &self,
        text: &[u8],
        line: Option<&str>,
    ) -> Result<Option<String>, String> {
        let is_fit = |known: &Known| !known.is_chatd || known.is_there() || !known.is_connected;
        let mut is_answer = match self.known().question {
            Some(Question::Password) => return Err("not sent: a password is asked for.".to_owned()),
            question => question.is_some(),
        };
        if !is_answer && !is_fit(&self.known()) {
            self.wait_for_welcome();
            // Whoever has never had a name was quicker than the note that asks for it.
            is_answer = self.change(|known| known.me.is_none() && known.question.take().is_some());
        }
        // If another connection begins now, this one is broken, and the line does not go to the other.
        let stream = self.link.stream();
        // It may come back before we know that it is sent.
        let own = self.change(|known| {
            let is_fit = is_answer || is_fit(known);
            is_fit.then(|| line.and_then(|line| known.sent(line)))
        });
        let own = own.ok_or("not sent: the server has not let us in yet.")?;
        if let Err(e) = stream.and_then(|stream| stream.send(text)) {
            self.change(|known| known.own.take_back(line));
            return Err(not_sent(&e));
        }
        Ok(own)
    }

    /// Waits until `is_so`, but no longer than `limit`. Returns whether it is.
    pub(crate) fn wait(&self, limit: Duration, mut is_so: impl FnMut(&Known) -> bool) -> bool {
        let deadline = Instant::now() + limit;
        let mut known = self.known.lock();
        while !is_so(&known) {
            if self.changed.wait_until(&mut known, deadline).timed_out() {
                return is_so(&known);
            }
        }
        true
    }

    /// What is typed now, to the end of its line, is a password.
    pub(crate) fn hides_typing(&self) {
        self.is_typing_hidden.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_typing_hidden(&self) -> bool {
        self.is_typing_hidden.load(Ordering::SeqCst)
    }

    /// The line has ended. Returns whether it was a password's.
    pub(crate) fn end_typing(&self) -> bool {
        self.is_typing_hidden.swap(false, Ordering::SeqCst)
    }

    pub(crate) fn is_leaving(&self) -> bool {
        self.is_leaving.load(Ordering::SeqCst)
    }

    /// Ends the program in order: what waits is shown, then the ending's sentence, and the terminal
    /// is as it was found. Any thread may call this; the first one does it.
    pub(crate) fn leave(&self, ending: &Ending) -> ! {
        static IS_TAKEN: AtomicBool = AtomicBool::new(false);
        if IS_TAKEN.swap(true, Ordering::SeqCst) {
            loop {
                thread::park(); // another thread is on its way out
            }
        }
        if *ending != Ending::Left {
            self.screen.notice(ending.to_string());
        }
        self.screen.finish();
        leave_at_once(ending)
    }
}

/// Why a line is not sent.
pub(crate) fn not_sent(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotConnected => "not sent: there is no connection at the moment.".to_owned(),
        _ => format!("not sent: {error}."),
    }
}

/// Ends the program without waiting for what is still to be shown.
pub(crate) fn leave_at_once(ending: &Ending) -> ! {
    terminal::restore();
    std::process::exit(ending.code())
}
