//! Step 9, reactor: private chat. Everybody has a mailbox, and fetches what is in it line by line. Port 1200.

use chatd::core::wire::{line::LineBuffer, sanitize::sanitize};
use reactor::{Factory, Protocol, Transport};
use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    rc::Rc,
};

mod client;
mod reactor;

/// Characters of a name.
const NAME_MAX: usize = 20;
/// Messages in one mailbox.
const MAILBOX_MAX: usize = 100;
/// Mailboxes of those who are not here yet.
const ABSENT_MAX: usize = 100;
const HELP: &str = "Say `list`, `NAME:TEXT`, `YOUR-NAME:getmessage` or `bye`.";

/// By name: those who are here, and those who were written to before they came.
type Mailboxes = Rc<RefCell<BTreeMap<String, Mailbox>>>;

#[derive(Default)]
struct Mailbox {
    /// Whose name this is, is connected.
    is_here: bool,
    /// `SENDER:TEXT`.
    messages: VecDeque<String>,
}

#[derive(Default)]
struct Post(Mailboxes);

struct Person {
    mailboxes: Mailboxes,
    name: Option<String>,
    unread: LineBuffer,
}

impl Factory for Post {
    type Protocol = Person;

    fn build_protocol(&self, _peer: SocketAddr) -> Person {
        Person { mailboxes: Rc::clone(&self.0), name: None, unread: LineBuffer::default() }
    }
}

impl Protocol for Person {
    fn connection_made(&mut self, transport: &mut Transport<'_>) {
        transport.write("What is your nickname?\r\n");
    }

    fn data_received(&mut self, transport: &mut Transport<'_>, data: &[u8]) {
        let mut unread = std::mem::take(&mut self.unread);
        reactor::lines(&mut unread, data, |line| {
            let answer = match line {
                _ if transport.is_ending() => return, // what follows `bye`
                Err(why) => why.to_owned(),
                Ok(line) if self.name.is_none() => self.enter(sanitize(line).trim()),
                Ok("bye") => {
                    transport.lose_connection();
                    "Bye from server!".to_owned()
                }
                Ok(line) => match self.obey(&sanitize(line)) {
                    Some(answer) => answer,
                    None => return,
                },
            };
            transport.write(answer + "\r\n");
        });
        self.unread = unread;
    }

    fn connection_lost(&mut self) {
        if let Some(name) = &self.name {
            self.mailboxes.borrow_mut().remove(name);
        }
    }
}

impl Person {
    /// To look whether a name is free and to take it are one step here: nobody else runs between them.
    fn enter(&mut self, name: &str) -> String {
        let mut mailboxes = self.mailboxes.borrow_mut();
        if !is_name(name) {
            return format!(
                "A nickname has 1 to {NAME_MAX} characters, no space and no colon. Another one?"
            );
        }
        if mailboxes.get(name).is_some_and(|mailbox| mailbox.is_here) {
            return format!("{name} is taken. Another nickname?");
        }
        mailboxes.entry(name.to_owned()).or_default().is_here = true;
        self.name = Some(name.to_owned());
        format!("Welcome {name}. {HELP}")
    }

    /// What is answered to a line; a message that is kept has no answer.
    fn obey(&self, line: &str) -> Option<String> {
        let mut mailboxes = self.mailboxes.borrow_mut();
        let me = self.name.as_deref().unwrap_or_default();
        if line == "list" {
            let here = mailboxes.iter().filter(|(_, mailbox)| mailbox.is_here);
            return Some(here.map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" "));
        }
        let Some((name, text)) = line.split_once(':') else { return Some(HELP.into()) };
        if text == "getmessage" && name != me {
            return Some(format!("The mailbox of {name} is not yours. {HELP}"));
        }
        let absent = mailboxes.values().filter(|mailbox| !mailbox.is_here).count();
        if !mailboxes.contains_key(name) && (absent == ABSENT_MAX || !is_name(name)) {
            return Some(format!("Nothing can be kept for {name}. {HELP}"));
        }
        let messages = &mut mailboxes.entry(name.to_owned()).or_default().messages;
        if text == "getmessage" {
            return Some(messages.pop_front().unwrap_or("No message for you.".into()));
        }
        if messages.len() == MAILBOX_MAX {
            return Some(format!("The mailbox of {name} is full."));
        }
        messages.push_back(format!("{me}:{text}"));
        None
    }
}

fn is_name(name: &str) -> bool {
    (1..=NAME_MAX).contains(&name.chars().count()) && !name.contains([':', ' ', '\t'])
}

fn main() -> anyhow::Result<()> {
    reactor::run("127.0.0.1:1200", &Post::default())
}
