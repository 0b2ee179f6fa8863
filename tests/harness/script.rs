//! A conversation as docs/protocol.md writes them: `+ alice` connects, `@ alice bob` lets both in, `alice > hi` is typed,
//! `alice < *** …` is the next line she reads and `alice << *** …` the next one that begins so, `alice x` is hung up,
//! `- alice` leaves. Words in front of `#` are a remark.
//! Whoever types the code `K7MQ-2R4T` types the one that the server printed.

use super::{Client, Program, Server};
use std::collections::HashMap;

/// Stands for the instructor's code, which is another one in each run.
const CODE: &str = "K7MQ-2R4T";

/// The clients of a conversation by their names, and the line that is played. A failure says which.
#[derive(Default)]
pub struct Clients {
    clients: HashMap<String, Client>,
    at: String,
}

/// Holds a conversation with a new server that has no database. In the end nobody has anything left to read.
#[track_caller]
pub fn hold(options: &str, conversation: &str) {
    let server = Server::start(options);
    let mut clients = Clients::default();
    for (i, line) in conversation.lines().enumerate() {
        clients.step(&server, i + 1, line.trim());
    }
    clients.hear_nothing();
}

impl Clients {
    /// Everybody is gone.
    pub fn clear(&mut self) {
        self.clients.clear();
    }

    /// Plays one line, which has this number on its page.
    #[track_caller]
    pub fn step(&mut self, server: &Server, number: usize, line: &str) {
        self.at = format!("line {number}: {line}");
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["+", name] => drop(self.clients.insert(name.to_owned(), server.connect(name))),
            ["-", name] => drop(self.clients.remove(name)),
            ["@", ref names @ ..] => {
                let entered = server.enter_all(names);
                self.clients.extend(names.iter().map(|name| (*name).to_owned()).zip(entered));
            }
            [name, "x"] => {
                self.client(name).is_hung_up();
                self.clients.remove(name);
            }
            [name, ">", ..] => {
                let typed = line.split_once('>').unwrap().1;
                let mut typed = typed.strip_prefix(' ').unwrap_or(typed).to_owned();
                if typed.contains(CODE) {
                    typed = typed.replace(CODE, &server.pairing_code());
                }
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
        self.clients.values_mut().for_each(Client::hears_nothing);
    }

    fn client(&mut self, name: &str) -> &mut Client {
        self.clients.get_mut(name).unwrap_or_else(|| panic!("{name} is not connected"))
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("the conversation fails at {}", self.at);
        }
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
