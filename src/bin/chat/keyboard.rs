//! The keyboard's side of the chat: what is typed is sent, or obeyed if it is one of our own
//! commands. Runs on `main`, which waits for what is typed and for nothing else; the socket has a
//! thread of its own (`socket.rs`). So there is no `select`, and nothing here that Windows could not
//! do.

use crate::{
    address::Address,
    commands::{self, Typed},
    ending::Ending,
    input::{Input, Typing},
    known::Known,
    note::Question,
    pace,
    paste::Sending,
    screen::Show,
    secrets,
    shared::{NOTE_LIMIT, Shared, leave_at_once, not_sent},
    socket::ClientCommand,
    tls::Fingerprint,
    typed_lines,
};
use anyhow::Result;
use crossbeam_channel::Sender;
use std::{
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

/// How long the prompt waits for the answer that will change it. A slower answer changes the next
/// one.
pub(crate) const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// Commands whose answer changes the prompt: another room or name.
const WAITED_FOR: [&str; 3] = ["/join", "/leave", "/nick"];

/// How long such a question may take, and how long when the server has said something else meanwhile.
const QUESTION_LIMIT: Duration = Duration::from_secs(5);
const REFUSAL_LIMIT: Duration = Duration::from_millis(500);

/// How long the server may take to say goodbye.
const GOODBYE_LIMIT: Duration = Duration::from_secs(1);

pub(crate) struct Keyboard<T> {
    pub(crate) typing: T,
    pub(crate) shared: Arc<Shared>,
    /// What the socket's thread is to do next.
    pub(crate) commands: Sender<ClientCommand>,
    /// How many `/connect`s were asked of it.
    pub(crate) connects: u64,
    /// Pasted lines that wait for a yes, and whom they are for.
    asks_about: Option<(Vec<String>, Option<String>)>,
    sending: Option<Sending>,
    /// The input before asked how to leave.
    was_asked_to_leave: bool,
    /// A word of other programs that was not said; typed again, it is.
    doubted: Option<String>,
    /// A server that was not trusted, and its certificate; asked for again, it is.
    pub(crate) doubted_server: Option<(Address, Fingerprint)>,
    /// Where the settings are kept.
    pub(crate) file: Option<PathBuf>,
}

impl<T: Typing> Keyboard<T> {
    pub(crate) fn new(
        typing: T,
        shared: Arc<Shared>,
        commands: Sender<ClientCommand>,
        file: Option<PathBuf>,
    ) -> Self {
        Keyboard {
            file,
            typing,
            shared,
            commands,
            connects: 0,
            asks_about: None,
            sending: None,
            was_asked_to_leave: false,
            doubted: None,
            doubted_server: None,
        }
    }

    /// Reads and obeys until the program ends.
    pub(crate) fn run(mut self) -> Result<()> {
        self.wait_for_welcome();
        loop {
            let input = self.typing.read()?;
            let is_again = std::mem::take(&mut self.was_asked_to_leave);
            match input {
                Input::End => self.leave(),
                Input::Interrupt { .. } if self.shared.is_leaving() => self.leave(),
                _ if self.shared.is_leaving() => {}
                Input::Interrupt { was_empty } => self.interrupt(was_empty, is_again),
                // What is pasted may end in a line end; whatever is behind it would be talk.
                Input::Password(password) if pace::lines_of(&password).is_some() => {
                    self.notice("not sent: a password is one line, and these were several.");
                }
                Input::Password(password) if self.is_asked_for_password() => {
                    self.answer(password.trim_end_matches(['\r', '\n']));
                }
                Input::Password(_) => {
                    self.notice("not sent: nothing asks for a password any more.");
                }
                Input::PutAside => self.notice(
                    "not sent: a password is asked for. What you had typed comes back afterwards.",
                ),
                Input::Line { text, to } => self.line(&text, to),
            }
        }
    }

    /// Ctrl-C calls back the last thing: lines on their way, a question about them, the typed line
    /// (which is empty by now); and then it leaves.
    fn interrupt(&mut self, was_empty: bool, is_again: bool) {
        let was_sending = self.sending.take().is_some_and(Sending::stop);
        if self.take_pasted().is_some() {
            self.notice("not sent.");
        } else if !was_sending && was_empty {
            if is_again {
                return self.leave();
            }
            self.was_asked_to_leave = true;
            self.notice("Ctrl-C again leaves; so do Ctrl-D and /quit.");
        }
    }

    /// What was pasted and is asked about; it is no longer.
    fn take_pasted(&mut self) -> Option<(Vec<String>, Option<String>)> {
        self.shared.change(|known| known.has_pasted = false);
        self.asks_about.take()
    }

    fn line(&mut self, text: &str, to: Option<String>) {
        if let Some((lines, to)) = self.take_pasted() {
            if text.is_empty() {
                let pace = self.shared.known().pace();
                self.sending = Sending::start(&self.shared, lines, to, pace);
                return;
            }
            self.notice(format!("the {} lines were not sent.", lines.len()));
        }
        match pace::lines_of(text) {
            Some(_) if self.shared.known().question == Some(Question::Name) => {
                self.notice("not sent: a name is asked for, and that is one word.");
            }
            None => self.typed(text.trim_end_matches(['\r', '\n']), to.as_deref()),
            Some(lines) => {
                let question = pace::question(&lines, self.shared.known().pace());
                self.shared.change(|known| known.has_pasted = true);
                self.notice(question);
                self.asks_about = Some((lines, to));
            }
        }
    }

    fn typed(&mut self, line: &str, to: Option<&str>) {
        let line = &*self.shared.settings().expand(line);
        let (question, is_name) = {
            let known = self.shared.known();
            (known.question, known.is_name(line))
        };
        match question {
            _ if is_name => return self.answer(line),
            Some(Question::Name) if !line.starts_with('/') => {
                return self.notice("not sent: a name is asked for, and that is one word.");
            }
            Some(Question::Password) => return self.notice("not sent: a password is asked for."),
            Some(Question::Name) | None => {}
        }
        let doubted = self.doubted.take();
        match commands::parse(line) {
            Typed::Send(line)
                if to.is_some() && !line.is_empty() && !commands::is_command(line) =>
            {
                let line = line.strip_prefix('/').unwrap_or(line);
                self.send(&pace::as_talk(line, to));
            }
            Typed::Send(line) => self.send(line),
            Typed::Again => self.again(),
            Typed::Echo(_) if !self.shared.known().has_notes => self.send(line),
            Typed::Echo(wish) => self.echo(wish),
            Typed::Quit(line) => {
                if self.shared.known().is_chatd {
                    let _ = self.shared.link.send_line(line); // gone already: then so are we
                }
                self.leave();
            }
            Typed::Clear => self.typing.clear_screen(),
            Typed::Bell(wish) => self.bell(wish),
            Typed::Save => self.save(),
            Typed::Set(what) => self.set(what),
            Typed::Find(text) => {
                self.shared.screen.show(Show::Find(text.map(str::to_owned)));
            }
            Typed::Query(name) => {
                let name = name.map(|name| name.trim_start_matches('@').to_owned());
                self.shared.screen.show(Show::Window(name));
            }
            Typed::Log(file) => self.log(file),
            Typed::Help(about) => self.help(line, about),
            Typed::Connect(address) => self.connect(address),
            Typed::Word(_) if doubted.as_deref() == Some(line) => {
                self.send(&pace::as_talk(line, to));
            }
            Typed::Word(why) => {
                self.notice(why);
                self.doubted = Some(line.to_owned());
            }
            Typed::Wrong(why) => self.notice(why),
            #[cfg(debug_assertions)]
            Typed::Panic => panic!("asked for by /panic"),
        }
    }

    fn echo(&self, wish: Option<bool>) {
        let is_on = self.shared.change(|known| {
            known.has_echo = wish.unwrap_or(!known.has_echo);
            known.has_echo
        });
        self.notice(if is_on {
            "you read your own lines."
        } else {
            "you no longer read your own lines."
        });
    }

    fn is_asked_for_password(&self) -> bool {
        self.shared.known().question == Some(Question::Password)
    }

    pub(crate) fn notice(&self, text: impl Into<String>) {
        self.shared.screen.notice(text);
    }

    /// Sends a line, and gives an answer that would change the prompt the time to come.
    fn send(&mut self, line: &str) {
        let (replies, moves, is_chatd) = {
            let known = self.shared.known();
            (known.replies(), known.moves, known.is_chatd)
        };
        if line.is_empty() && is_chatd {
            return; // chatd says nothing of an empty line, nor do we
        }
        self.ask_before(line);
        if let Err(why) = self.shared.say(line) {
            return self.did_not_arrive(line, why);
        }
        let command = line.split(' ').next().unwrap_or_default().to_ascii_lowercase();
        let (limit, note_limit) = match &*command {
            command if WAITED_FOR.contains(&command) => (ANSWER_LIMIT, NOTE_LIMIT),
            command if secrets::ASKED_AFTER.contains(&command) => (QUESTION_LIMIT, REFUSAL_LIMIT),
            _ => return,
        };
        let deadline = Instant::now() + limit;
        let is_noted =
            |known: &Known| known.moves > moves || !known.is_connected || known.question.is_some();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            self.shared.wait(left, |known| known.replies() > replies || is_noted(known));
            let is_over = self.shared.wait(note_limit.min(left), is_noted);
            if is_over || left.is_zero() || self.shared.known().replies() > replies {
                return; // a reply that still looks like one is a refusal
            }
        }
    }

    /// Whoever comes back to a room reads what was said there meanwhile.
    fn ask_before(&self, line: &str) {
        let question = self.shared.change(|known| {
            let question = known.left.question_before(line, known.epoch);
            known.asked_since = question.is_some();
            question
        });
        if let Some(question) = question {
            let _ = self.shared.link.send_line(&question); // gone: then the line behind it says so
        }
    }

    fn did_not_arrive(&mut self, line: &str, mut why: String) {
        let keeps = |known: &mut Known| {
            let may_be = known.question.is_none() && !secrets::carries_secret(line);
            may_be.then(|| known.did_not_arrive(line.to_owned())).is_some()
        };
        if self.shared.change(keeps) {
            why.push_str(" /again sends it.");
        }
        self.notice(why);
    }

    /// Sends what did not arrive.
    fn again(&mut self) {
        let unsaid = self.shared.change(|known| std::mem::take(&mut known.unsaid));
        if unsaid.is_empty() {
            self.notice("everything that you typed has arrived, as far as is known.");
        }
        unsaid.iter().for_each(|line| self.send(line));
    }

    /// Answers a question for the name or a password: neither is talk, and neither is remembered.
    fn answer(&mut self, answer: &str) {
        let (answers, moves) = self.shared.change(|known| {
            known.question = None;
            known.gave_name |= !known.has_notes;
            (known.answers, known.moves)
        });
        if let Err(e) = self.shared.link.send_line(answer) {
            return self.notice(not_sent(&e));
        }
        self.shared.wait(ANSWER_LIMIT, |known| {
            let is_answered = match known.has_notes {
                true => known.moves > moves,
                false => known.answers > answers,
            };
            !known.is_connected || is_answered && (known.is_there() || known.question.is_some())
        });
    }

    fn log(&self, file: Option<&str>) {
        let Some(name) = file else {
            self.shared.screen.show(Show::Log(None));
            return self.notice("nothing is logged any more.");
        };
        match typed_lines::open_log(name) {
            Ok(file) => {
                self.notice(format!("what is shown from now on is added to {name}."));
                self.shared.screen.show(Show::Log(Some(file)));
            }
            Err(e) => self.notice(format!("{name} cannot be written: {e}.")),
        }
    }

    /// Ours first; then the server is asked for its own, if it is one that has any.
    fn help(&mut self, line: &str, about: Option<&str>) {
        let has_commands = self.shared.known().is_chatd;
        if let Some(text) = about.and_then(commands::explain) {
            return self.notice(text);
        }
        match about {
            None => {
                self.notice("these are the client's own commands:");
                commands::HELP.iter().for_each(|help| self.notice(format!("  {help}")));
            }
            Some(command) if !has_commands => {
                self.notice(format!("{command} is no command of chat's."));
            }
            Some(_) => {}
        }
        if has_commands {
            self.send(line);
        }
    }

    /// Says that we go, and lets the socket's thread wait for the goodbye. Asked a second time, it
    /// waits no longer.
    fn leave(&mut self) {
        if self.shared.is_leaving.swap(true, Ordering::SeqCst) {
            leave_at_once(&Ending::Left);
        }
        let _ = self.commands.send(ClientCommand::Quit);
        self.shared.link.half_close();
        let shared = Arc::clone(&self.shared);
        let insist = move || {
            thread::sleep(GOODBYE_LIMIT);
            shared.link.hang_up(); // the socket's thread reads an end of file, and leaves
            thread::sleep(GOODBYE_LIMIT);
            shared.leave(&Ending::Left)
        };
        if thread::Builder::new().name("insist".to_owned()).spawn(insist).is_err() {
            leave_at_once(&Ending::Left);
        }
    }
}
