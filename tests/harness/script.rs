//! A conversation as docs/protocol.md writes them: `+ alice` connects, `@ alice bob` lets both in, `alice > hi` is typed,
//! `alice < *** …` is the next line she reads and `alice << *** …` the next one that begins so, `alice x` is hung up,
//! `- alice` leaves. Words in front of `#` are a remark.

use super::{Client, Program, Server};
use std::collections::HashMap;

/// The clients of a conversation by their names.
#[derive(Default)]
pub struct Clients(HashMap<String, Client>);

/// Holds a conversation with a new server that has no database. In the end nobody has anything left to read.
#[track_caller]
pub fn hold(options: &str, conversation: &str) {
    let server = Server::start(options);
    let mut clients = Clients::default();
    for line in conversation.lines().map(str::trim).filter(|line| !line.is_empty()) {
        clients.step(&server, line);
    }
    clients.hear_nothing();
}

impl Clients {
    /// Everybody is gone.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Plays one line.
    #[track_caller]
    pub fn step(&mut self, server: &Server, line: &str) {
        println!("port {}: {line}", server.address.port());
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["+", name] => drop(self.0.insert(name.to_owned(), server.connect(name))),
            ["-", name] => drop(self.0.remove(name)),
            ["@", ref names @ ..] => {
                let entered = server.enter_all(names);
                self.0.extend(names.iter().map(|name| (*name).to_owned()).zip(entered));
            }
            [name, "x"] => {
                self.client(name).is_hung_up();
                self.0.remove(name);
            }
            [name, ">", ..] => {
                let typed = line.split_once('>').unwrap().1;
                let typed = typed.strip_prefix(' ').unwrap_or(typed);
                let mut bytes = unescape(&typed.replace("LONG", &"x".repeat(1025)));
                bytes.push(b'\n');
                self.client(name).sends(&bytes);
            }
            [name, "<", ..] => {
                let expected = line.split_once("< ").unwrap().1;
                let expected = expected.replace(Program::Chatd.model(), Program::current().model());
                self.client(name).hears(&expected);
            }
            [name, "<<", ..] => {
                self.client(name).hears_until(line.split_once("<< ").unwrap().1);
            }
            _ => panic!("not a step: {line:?}"),
        }
    }

    /// Nobody was sent anything that has not been read.
    #[track_caller]
    pub fn hear_nothing(&mut self) {
        self.0.values_mut().for_each(Client::hears_nothing);
    }

    fn client(&mut self, name: &str) -> &mut Client {
        self.0.get_mut(name).unwrap_or_else(|| panic!("{name} is not connected"))
    }
}

/// `\x1b` is the byte 27.
fn unescape(text: &str) -> Vec<u8> {
    let mut parts = text.split("\\x");
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend(&part.as_bytes()[2..]);
    }
    bytes
}
