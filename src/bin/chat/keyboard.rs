//! The keyboard's side of the chat: what is typed is sent, or obeyed if it is one of our own
//! commands. Runs on `main`, which waits for keys and for nothing else; the socket has a thread of
//! its own (`socket.rs`). So there is no `select`, and nothing here that Windows could not do.

use crate::{
    commands::{self, Typed},
    editor::{Input, LineEditor},
    ending::Ending,
    note::Question,
    screen::Show,
    shared::{Shared, leave_at_once, not_sent},
    socket::ClientCommand,
};
use anyhow::Result;
use crossbeam_channel::Sender;
use std::{
    fs::File,
    sync::{Arc, atomic::Ordering},
    thread,
    time::Duration,
};

/// How long the prompt waits for the answer that will change it. A slower answer changes the next
/// one.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// Commands whose answer changes the prompt: another room or name, or a question for a password.
const WAITED_FOR: [&str; 7] =
    ["/join", "/leave", "/nick", "/login", "/register", "/password", "/unregister"];

/// How long the prompt waits for the note behind that answer. There is none if it is a refusal.
const NOTE_LIMIT: Duration = Duration::from_millis(200);

/// How long the server may take to say goodbye.
const GOODBYE_LIMIT: Duration = Duration::from_secs(1);

pub(crate) struct Keyboard {
    pub(crate) editor: LineEditor,
    pub(crate) shared: Arc<Shared>,
    /// What the socket's thread is to do next.
    pub(crate) commands: Sender<ClientCommand>,
}

impl Keyboard {
    /// Reads and obeys until the program ends.
    pub(crate) fn run(mut self) -> Result<()> {
        self.shared.wait_for_welcome();
        loop {
            match self.editor.read()? {
                Input::End => self.leave(),
                _ if self.shared.is_leaving() => {}
                Input::Password(password) if self.is_asked_for_password() => self.answer(&password),
                Input::Password(_) => {
                    self.notice("not sent: nothing asks for a password any more.");
                }
                Input::Line(text) => {
                    text.split('\n').for_each(|line| self.typed(line.trim_end_matches('\r')));
                }
            }
        }
    }

    fn typed(&mut self, line: &str) {
        if self.shared.known().question == Some(Question::Name) && !line.starts_with('/') {
            return self.answer(line);
        }
        self.editor.remember(line);
        match commands::parse(line) {
            Typed::Send(line) => self.send(line),
            Typed::Echo(_) if !self.shared.known().has_notes => self.send(line),
            Typed::Echo(wish) => {
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
            Typed::Quit(line) => {
                if self.shared.known().is_chatd {
                    let _ = self.shared.link.send_line(line); // gone already: then so are we
                }
                self.leave();
            }
            Typed::Clear => self.editor.clear_screen(),
            Typed::Bell(wish) => {
                let is_on = wish.unwrap_or(!self.shared.has_bell.load(Ordering::Relaxed));
                self.shared.has_bell.store(is_on, Ordering::Relaxed);
                self.notice(if is_on { "the bell is on." } else { "the bell is off." });
            }
            Typed::Log(file) => self.log(file),
            Typed::Help(about) => self.help(line, about),
            Typed::Connect(address) => {
                let _ = self.commands.send(ClientCommand::Connect(address));
                self.shared.link.hang_up();
                self.shared.wait(ANSWER_LIMIT, |known| !known.is_connected);
                self.shared.wait_for_welcome();
            }
            Typed::Wrong(why) => self.notice(why),
            #[cfg(debug_assertions)]
            Typed::Panic => panic!("asked for by /panic"),
        }
    }

    fn is_asked_for_password(&self) -> bool {
        self.shared.known().question == Some(Question::Password)
    }

    fn notice(&self, text: impl Into<String>) {
        self.shared.screen.notice(text);
    }

    /// Sends a line, and gives an answer that would change the prompt the time to come.
    fn send(&mut self, line: &str) {
        let (answers, moves, is_chatd) = {
            let known = self.shared.known();
            (known.answers, known.moves, known.is_chatd)
        };
        if line.is_empty() && is_chatd {
            return; // chatd says nothing of an empty line, nor do we
        }
        match self.shared.send_typed(format!("{line}\n").as_bytes(), Some(line)) {
            Ok(own) => own.into_iter().for_each(|own| self.shared.screen.show(Show::Own(own))),
            Err(why) => return self.notice(why),
        }
        if WAITED_FOR.contains(&line.split(' ').next().unwrap_or_default()) {
            self.shared.wait(ANSWER_LIMIT, |known| known.answers > answers || !known.is_connected);
            self.shared.wait(NOTE_LIMIT, |known| known.moves > moves || !known.has_notes);
        }
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
        match File::options().append(true).create(true).open(name) {
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
