//! The keyboard's side of the chat: what is typed is sent, or obeyed if it is one of our own commands. Runs on `main`,
//! which waits for keys and for nothing else; the socket has a thread of its own (`socket.rs`). So there is no `select`,
//! and nothing here that Windows could not do.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use crossbeam_channel::Sender;

use crate::commands::{self, TABLE};
use crate::connection::Link;
use crate::editor::{LineEditor, Typed};
use crate::ending::Ending;
use crate::exit::Exit;
use crate::known::Question;
use crate::screen::Screen;
use crate::shared::Shared;
use crate::socket::Order;

/// How long the prompt waits for the answer that will change it. A slower answer changes the next one.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// How long the server may take to say goodbye.
const GOODBYE_LIMIT: Duration = Duration::from_secs(1);

/// What the keyboard needs to know of the others.
pub struct Keyboard {
    /// The line editor.
    pub editor: LineEditor,
    /// What is known.
    pub shared: Arc<Shared>,
    /// Where to show something.
    pub screen: Screen,
    /// Where to send something.
    pub link: Arc<Link>,
    /// What the socket's thread is to do next.
    pub orders: Sender<Order>,
    /// The way out.
    pub exit: Exit,
}

impl Keyboard {
    /// Reads and obeys until the program ends.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn run(mut self) -> Result<()> {
        self.shared.wait_for_welcome();
        loop {
            match self.editor.read()? {
                Typed::End => self.leave(),
                _ if self.shared.leaving.load(Ordering::Relaxed) => {}
                Typed::Secret(password) => {
                    self.answer(&password);
                }
                Typed::Line(text) => {
                    text.split('\n').for_each(|line| self.typed(line.trim_end_matches('\r')))
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
            commands::Typed::Send(line) => self.send(line),
            commands::Typed::Quit(line) => {
                if self.shared.known().is_in() {
                    let _ = self.link.send_line(line); // gone already: then so are we
                }
                self.leave();
            }
            commands::Typed::Clear => self.editor.clear_screen(),
            commands::Typed::Bell(wish) => self.bell(wish),
            commands::Typed::Log(file) => self.log(file),
            commands::Typed::Help(about) => self.help(line, about),
            commands::Typed::Connect(address) => {
                let _ = self.orders.send(Order::Connect(address));
                self.link.hang_up();
                self.shared.wait(ANSWER_LIMIT, |known| !known.is_connected);
                self.shared.wait_for_welcome();
            }
            commands::Typed::Wrong(why) => self.screen.notice(why),
            #[cfg(debug_assertions)]
            commands::Typed::Panic => panic!("asked for by /panic"),
        }
    }

    /// Sends a line, and gives an answer that would change the prompt the time to come.
    fn send(&mut self, line: &str) {
        let (answers, skips) = {
            let known = self.shared.known();
            (known.answers, line.is_empty() && known.is_chatd) // chatd says nothing of an empty line, nor do we
        };
        if skips {
            return;
        }
        if let Err(e) = self.link.send_line(line) {
            return self.screen.notice(format!("not sent: {}", unsent(&e)));
        }
        if let Some(own) = self.shared.change(|known| known.sent(line)) {
            self.screen.own(own);
        }
        let command = line.split(' ').next().unwrap_or_default();
        if matches!(command, "/join" | "/leave" | "/nick") {
            self.shared.wait(ANSWER_LIMIT, |known| known.answers > answers || !known.is_connected);
        }
    }

    /// Answers a question for the name or a password: neither is talk, and neither is remembered.
    fn answer(&mut self, answer: &str) {
        let answers = self.shared.change(|known| {
            known.question = None;
            known.answers
        });
        if let Err(e) = self.link.send_line(answer) {
            return self.screen.notice(format!("not sent: {}", unsent(&e)));
        }
        self.shared.wait(ANSWER_LIMIT, |known| {
            !known.is_connected
                || known.answers > answers && (known.is_there() || known.question.is_some())
        });
    }

    fn bell(&self, wish: Option<bool>) {
        let bell = wish.unwrap_or(!self.shared.bell.load(Ordering::Relaxed));
        self.shared.bell.store(bell, Ordering::Relaxed);
        self.screen.notice(if bell { "the bell is on." } else { "the bell is off." });
    }

    fn log(&self, file: Option<&str>) {
        let Some(name) = file else {
            self.screen.log(None);
            return self.screen.notice("nothing is logged any more.");
        };
        match File::options().append(true).create(true).open(name) {
            Ok(file) => {
                self.screen.notice(format!("what is shown from now on is added to {name}."));
                self.screen.log(Some(file));
            }
            Err(e) => self.screen.notice(format!("{name} cannot be written: {e}.")),
        }
    }

    /// Ours first; then the server is asked for its own, if it is one that has any.
    fn help(&mut self, line: &str, about: Option<&str>) {
        let has_commands = self.shared.known().is_in();
        match about.map(|command| (command, commands::explain(command))) {
            Some((_, Some(text))) => return self.screen.notice(text),
            Some((command, None)) if !has_commands => {
                self.screen.notice(format!("{command} is no command of chat's."))
            }
            Some(_) => {}
            None => {
                self.screen.notice("these are the client's own commands:");
                TABLE.iter().for_each(|help| self.screen.notice(format!("  {}", help.text)));
            }
        }
        if has_commands {
            self.send(line);
        }
    }

    /// Says that we go, and lets the socket's thread wait for the goodbye. Asked a second time, it waits no longer.
    fn leave(&mut self) {
        if self.shared.leaving.swap(true, Ordering::SeqCst) {
            self.exit.at_once(&Ending::Left);
        }
        let _ = self.orders.send(Order::Quit);
        self.link.half_close();
        let (link, exit) = (Arc::clone(&self.link), self.exit.clone());
        let insist = move || {
            thread::sleep(GOODBYE_LIMIT);
            link.hang_up(); // its thread reads an end of file, and leaves
            thread::sleep(GOODBYE_LIMIT);
            exit.leave(&Ending::Left)
        };
        if thread::Builder::new().name("insist".to_owned()).spawn(insist).is_err() {
            self.exit.at_once(&Ending::Left);
        }
    }
}

fn unsent(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotConnected => "there is no connection at the moment.".to_owned(),
        _ => format!("{error}."),
    }
}
