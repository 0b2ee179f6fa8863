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
const HELP: &str = "Say `list`, `NAME:TEXT`, `YOUR-NAME:getmessage` or `bye`.";

/// Who is there, each with the messages that wait for them: `SENDER:TEXT`.
type Mailboxes = Rc<RefCell<BTreeMap<String, VecDeque<String>>>>;

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
        let is_name =
            (1..=NAME_MAX).contains(&name.chars().count()) && !name.contains([':', ' ', '\t']);
        let mut mailboxes = self.mailboxes.borrow_mut();
        if !is_name {
            return format!(
                "A nickname has 1 to {NAME_MAX} characters, no space and no colon. Another one?"
            );
        }
        if mailboxes.contains_key(name) {
            return format!("{name} is taken. Another nickname?");
        }
        mailboxes.insert(name.to_owned(), VecDeque::new());
        self.name = Some(name.to_owned());
        format!("Welcome {name}. {HELP}")
    }

    /// What is answered to a line; a message that is kept has no answer.
    fn obey(&self, line: &str) -> Option<String> {
        let mut mailboxes = self.mailboxes.borrow_mut();
        let me = self.name.as_deref().unwrap_or_default();
        if line == "list" {
            return Some(mailboxes.keys().map(String::as_str).collect::<Vec<_>>().join(" "));
        }
        let Some((name, text)) = line.split_once(':') else { return Some(HELP.into()) };
        let Some(mailbox) = mailboxes.get_mut(name) else {
            return Some(format!("{name} is not here. {HELP}"));
        };
        match text {
            "getmessage" if name == me => {
                Some(mailbox.pop_front().unwrap_or("No message for you.".into()))
            }
            "getmessage" => Some(format!("The mailbox of {name} is not yours. {HELP}")),
            _ if mailbox.len() == MAILBOX_MAX => Some(format!("The mailbox of {name} is full.")),
            _ => {
                mailbox.push_back(format!("{me}:{text}"));
                None
            }
        }
    }
}

fn main() -> anyhow::Result<()> {
    reactor::run("127.0.0.1:1200", &Post::default())
}
