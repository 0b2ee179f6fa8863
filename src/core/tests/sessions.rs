//! One client's dialogue, with a driver that has a list of answers.

mod door;
mod handover;
mod helping;
mod pace;
mod passwords;
mod programs;
mod wire;

use super::*;
use crate::core::{
    address::ClientAddress,
    commands::Table,
    driver::{Bucket, Driver, LoginAttempt, LoginResult, ViewTicket},
    name::Name,
    password::Password,
    record::{Found, HistoryLine, LineId},
    run_command,
    session::{Heard, Peer, Session, SessionConfig, flood::FloodLimit},
    token::Token,
};
use std::{collections::VecDeque, time::Duration};

const START: Duration = Duration::ZERO;

/// Gives the answers it was given, and notes what it is asked.
#[derive(Default)]
struct FakeDriver {
    /// What the rooms answer next.
    answers: VecDeque<Answer>,
    /// What comes of the next passwords.
    logins: VecDeque<LoginResult>,
    found: VecDeque<Found>,
    asked: Vec<String>,
    verified: Vec<(String, Option<AccountId>, String)>,
    hashed: Vec<String>,
    replied: Vec<u8>,
    /// How long the next lines and names have to wait.
    wait: Duration,
    proved: Vec<(AccountId, Bucket)>,
    /// The accounts that they have registered.
    owned: Vec<AccountId>,
}

impl Driver for FakeDriver {
    fn ask(&mut self, event: Event) -> Answer {
        self.asked.push(match event {
            Event::Ask(Question::Enter(entry)) => {
                let Entry { name, login, wishes, .. } = *entry;
                let wishes = match wishes.reads_notes || wishes.since.is_some() {
                    true => format!(" {wishes:?}"),
                    false => String::new(),
                };
                format!("enter {} {:?}{wishes}", name.shown(), login.map(|login| login.account))
            }
            Event::Ask(question) => format!("{question:?}"),
            event => format!("{event:?}"),
        });
        self.answers.pop_front().unwrap_or_default()
    }

    fn find(&mut self, _: Query) -> Found {
        self.found.pop_front().unwrap_or(Found::Lines(Vec::new()))
    }

    fn hash(&mut self, password: &Password) -> Result<PasswordHash, String> {
        self.hashed.push(password.reveal().to_owned());
        Ok(PasswordHash("$".to_owned()))
    }

    fn verify(&mut self, attempt: LoginAttempt<'_>) -> Result<LoginResult, String> {
        let password = attempt.password.reveal().to_owned();
        self.verified.push((attempt.name.to_owned(), attempt.account, password));
        self.logins.pop_front().ok_or_else(|| "the disk is gone.".to_owned())
    }

    fn note_owner(&mut self, account: AccountId, _: ClientAddress) {
        self.owned.push(account);
    }

    fn verify_code(&mut self, typed: &Password, _: ClientAddress) -> LoginResult {
        self.verified.push(("the code".to_owned(), None, typed.reveal().to_owned()));
        self.logins.pop_front().unwrap_or(LoginResult::Wrong)
    }

    fn make_code(&mut self) -> Result<String, String> {
        Ok("AAAA-AAAA".to_owned())
    }

    fn ask_for_lines(&mut self, _: f64) -> Duration {
        self.wait
    }

    fn refuse_name(&mut self) -> Duration {
        self.wait
    }

    fn prove(&mut self, account: AccountId, left: Bucket) -> Option<Bucket> {
        self.proved.push((account, left));
        None
    }

    fn reply(&mut self, bytes: &[u8]) {
        self.replied.extend_from_slice(bytes);
    }

    fn begin_telnet(&mut self) {
        self.asked.push("telnet".to_owned());
    }

    fn draw_token(&mut self) -> Token {
        Token::of(7)
    }

    fn set_reads_notes(&mut self, reads_notes: bool) {
        self.asked.push(format!("reads notes: {reads_notes}"));
    }

    fn give_ticket(&mut self, _: bool) -> Result<ViewTicket, String> {
        Ok(ViewTicket { ticket: "x7".to_owned(), address: "http://192.0.2.1/view#x7".to_owned() })
    }

    fn describe_threads(&mut self) -> String {
        "*** threads\n".to_owned()
    }
}

/// A session and its driver.
struct Client<'a> {
    session: Box<Session<'a>>,
    driver: FakeDriver,
    now: Duration,
}

impl<'a> Client<'a> {
    fn connects(
        config: &'a SessionConfig,
        reserve_of: Option<usize>,
        answers: Vec<Answer>,
    ) -> Client<'a> {
        let mut driver = FakeDriver { answers: answers.into(), ..FakeDriver::default() };
        let address: ::core::net::SocketAddr = "192.0.2.7:5000".parse().unwrap();
        let origin = address.into();
        let peer = Peer { connection: "c7", origin, reserve_of, bucket: None, may_be_gone: false };
        Client { session: Session::begin(config, peer, START, &mut driver), driver, now: START }
    }

    /// A session that the rooms know as alice.
    fn is_alice(config: &'a SessionConfig) -> Client<'a> {
        let mut client = Client::connects(config, None, Vec::new());
        client.driver.answers.push_back(named("alice"));
        client.sends("alice\n");
        client.reads();
        client.driver.asked.clear();
        client
    }

    fn receives(&mut self, bytes: &[u8]) {
        let space = self.session.input.space();
        assert!(bytes.len() <= space.len());
        space[..bytes.len()].copy_from_slice(bytes);
        self.session.input.received(bytes.len());
    }

    /// Receives text, and works it off as a driver does. Returns in words what was heard, except
    /// dialogue.
    fn sends(&mut self, text: &str) -> Vec<String> {
        self.receives(text.as_bytes());
        self.hears()
    }

    fn hears(&mut self) -> Vec<String> {
        let mut all = Vec::new();
        loop {
            match self.session.hear(self.now, &mut self.driver) {
                Heard::Talk(talk) => all.push(format!("says {}: {}", talk.lines, talk.text)),
                Heard::Command(text) => {
                    all.push(format!("types {}", *text));
                    run_command(Table::default(), &mut self.session, &text, &mut self.driver);
                }
                Heard::Dialogue => {}
                Heard::Nothing => return all,
                Heard::Pause(wait) => {
                    all.push(format!("pauses {wait:?}"));
                    self.now += wait;
                }
                Heard::Close(reason) => {
                    all.push(format!("closes: {reason}"));
                    return all;
                }
            }
        }
    }

    /// What was replied since this was last asked, without telnet.
    fn reads(&mut self) -> String {
        let bytes = std::mem::take(&mut self.driver.replied);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

fn config() -> SessionConfig {
    SessionConfig {
        io_model: "a test serves",
        talk_is_kept: "Nothing is kept.".to_owned(),
        anonymous: false,
        has_code: false,
        names: NameRule::Ascii,
        motd: Vec::new(),
        flood: None,
        is_forgotten: false,
    }
}

fn named(name: &str) -> Answer {
    Answer::Named(
        NameRule::Ascii.check(name, "name").unwrap(),
        "*** You are in lobby, alone.\n".to_owned(),
        None,
    )
}

// --- Names ---

#[test]
fn a_name_is_asked_for_and_given() {
    let config = SessionConfig { motd: vec!["Be kind.".to_owned()], ..config() };
    let mut client = Client::connects(&config, None, Vec::new());
    assert_eq!(
        client.reads(),
        "*** Welcome to chatd: a test serves c7. Nothing is kept.\n*** What is your name?\n"
    );
    client
        .driver
        .answers
        .extend([Answer::NameRefused("The name \"bob\" is taken.".to_owned()), named("alice")]);
    assert!(client.sends(" bob \n").is_empty() && client.session.is_naming());
    assert_eq!(client.reads(), "*** The name \"bob\" is taken. What is your name?\n");
    client.sends("a b\n");
    assert!(client.reads().ends_with("and no \" \". What is your name?\n"));
    client.sends("alice\n");
    assert_eq!(
        client.reads(),
        "*** Hello alice. Type to talk; /help lists the commands, /quit leaves.\n*** Be kind.\n*** You are in lobby, alone.\n"
    );
    assert_eq!(client.driver.asked, ["enter bob None", "enter alice None"]);
    assert_eq!(
        client.sends("hi\n//home\n  \n\x01[2J\n"),
        ["says 3: <alice> hi\n<alice> /home\n<alice> \u{fffd}[2J\n"]
    );
    assert_eq!(client.session.take_line_count(), 7);
}

#[test]
fn what_the_puppet_of_a_demonstration_says_is_marked_each_time() {
    let config = SessionConfig { is_forgotten: true, ..config() };
    let mut client = Client::is_alice(&config);
    for line in ["one\n", "two\n", "/me waves\n"] {
        client.receives(line.as_bytes());
        let heard = loop {
            match client.session.hear(START, &mut client.driver) {
                Heard::Command(text) => {
                    run_command(Table::default(), &mut client.session, &text, &mut client.driver);
                }
                heard => break heard,
            }
        };
        assert!(
            matches!(heard, Heard::Talk(Talk { is_forgotten: true, lines: 1, .. })),
            "{heard:?}"
        );
        client.hears();
    }
}

#[test]
fn ten_refused_names_are_enough() {
    let config = config();
    let mut client = Client::connects(&config, None, Vec::new());
    for _ in 0..8 {
        assert!(client.sends("1\n").is_empty());
    }
    client.sends("/who\n"); // it works only inside
    assert_eq!(client.reads().matches("What is your name?").count(), 10);
    assert_eq!(
        client.sends(&format!("{}\nalice\n", "x".repeat(200))),
        ["closes: 10 names were refused"]
    );
    assert!(client.driver.asked.is_empty());
}

#[test]
fn at_the_door_one_can_quit_and_a_browser_is_sent_away() {
    let config = config();
    let mut client = Client::connects(&config, None, Vec::new());
    assert_eq!(client.sends("/quit so long\n"), ["types quit so long", "closes: quit: so long"]);
    let mut client = Client::connects(&config, None, Vec::new());
    assert_eq!(client.sends("GET / HTTP/1.1\r\nHost: x\r\n"), ["closes: sent an HTTP request"]);
    let mut client = Client::connects(&config, None, Vec::new());
    client.sends("bob");
    client.receives(b"");
    client.driver.answers.push_back(named("bob"));
    assert_eq!(client.hears(), ["closes: connection closed"]);
    assert_eq!(client.driver.asked, ["enter bob None"], "the last line needs no end");
}

// --- The order of things ---

#[test]
fn what_was_said_before_a_command_comes_before_it() {
    let config = config();
    let mut client = Client::is_alice(&config);
    client.driver.answers.push_back(Answer::Text("*** 1 in lobby:\n".to_owned()));
    let heard = client.sends("one\ntwo\n/who\n/me waves\nthree\n/help me\n/frob\n/quit\nfour\n");
    assert_eq!(
        heard,
        [
            "says 2: <alice> one\n<alice> two\n",
            "types who",
            "types me waves",
            "says 2: * alice waves\n<alice> three\n",
            "types help me",
            "types frob",
            "types quit",
            "closes: quit"
        ]
    );
    assert_eq!(client.driver.asked, ["Command(\"who\")"]);
    assert_eq!(
        client.reads(),
        "*** 1 in lobby:\n*** /me ACTION: says what you do: * alice ACTION. For example: /me waves\n*** There is no command /frob. /help lists them.\n"
    );
}

#[test]
fn lines_that_cannot_be_said_are_refused_in_their_place() {
    let config = config();
    let mut client = Client::is_alice(&config);
    let mut bytes = b"one\n\xff\xff\ntwo\n".to_vec();
    bytes.splice(4..6, [0xc3, 0x28]);
    client.receives(&bytes);
    assert_eq!(client.hears(), ["says 1: <alice> one\n", "says 1: <alice> two\n"]);
    assert_eq!(client.reads(), "*** That line is not UTF-8 text and was not said.\n");
}

#[test]
fn a_session_takes_the_name_that_the_rooms_gave() {
    let config = config();
    let mut client = Client::is_alice(&config);
    client.driver.answers.push_back(named("Ann"));
    assert_eq!(client.sends("/nick Ann\nhi\n"), ["types nick Ann", "says 1: <Ann> hi\n"]);
    client.driver.answers.push_back(Answer::Close(CloseReason::Full(1)));
    assert_eq!(client.sends("/who\n"), ["types who", "closes: the only place is taken"]);
}

#[test]
fn mail_is_deleted_by_the_numbers_that_were_read() {
    let config = config();
    let mut client = Client::is_alice(&config);
    client.sends("/mail delete\n");
    assert!(client.reads().starts_with("*** Read it first: /mail."));
    let mut rooms = Conversation::new();
    rooms.asks(ALICE, Question::Mail);
    rooms.seals();
    let mut mail = None;
    rooms.chat.flush(|_, delivery| mail = delivery.answer.or(mail.take()));
    let line = HistoryLine {
        id: LineId(7),
        at: Timestamp::UNIX_EPOCH,
        text: "[from bob] hi\n".to_owned(),
    };
    client.driver.answers.push_back(mail.unwrap());
    client.driver.found.push_back(Found::Lines(vec![line]));
    client.sends("/mail\n");
    let read = client.reads();
    assert!(
        read.contains("1 line in your mailbox") && read.contains("[from bob] hi\n*** End"),
        "{read}"
    );
    client.sends("/mail delete\n/mail delete\n");
    assert_eq!(client.driver.asked, ["Mail", "DeleteMail([LineId(7)])"]);
    assert_eq!(client.reads().matches("Read it first").count(), 1);
    client.sends("/mail box\n");
    assert_eq!(client.reads(), "*** Like this: /mail [delete]\n");
}
