//! Names that are kept: who logs in, how long it takes, what it costs, and that a password goes nowhere. The conversations
//! themselves are in docs/protocol.md.

use crate::harness::{Client, Folder, Program, Server, eventually, operate};
use chatd::{
    core::{
        event::{Attempt, Verdict},
        record::{Account, PasswordHash, Record, What},
        secret::Secret,
        source::Source,
    },
    server::porter::Porter,
    store::{Durability, Store},
};
use jiff::Timestamp;
use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

const PASSWORD: &str = "correct horse";

/// Writes accounts into a new file, all with [`PASSWORD`].
fn accounts(db: &str, names: &[String]) {
    accounts_with(db, names, &Porter::default().hash(&Secret::new(PASSWORD)).unwrap());
}

fn accounts_with(db: &str, names: &[String], hash: &PasswordHash) {
    let mut store = Store::open(Path::new(db), Durability::Off, Duration::from_secs(5)).unwrap();
    let at = Timestamp::now();
    let account = |(id, name): (usize, &String)| {
        let account =
            Account { id: id as i64 + 1, name: name.clone(), is_admin: false, since: at, mail: 0 };
        Record { at, what: What::Registered(account, hash.clone()) }
    };
    let records: Vec<Record> = names.iter().enumerate().map(account).collect();
    store.write(&records).unwrap();
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|i| format!("n{i}")).collect()
}

fn log_in(server: &Server, name: &str) -> Client {
    let mut client = server.connect(name);
    client.says(name);
    client.hears_until(&format!("*** {name} is registered."));
    client.says(PASSWORD);
    client
}

#[test]
fn an_older_hash_is_made_again_and_its_owner_hears_the_others_meanwhile() {
    let folder = Folder::new("older-hash");
    let db = folder.path("chat.db");
    let params = argon2::Params::new(8192, 1, 1, None).unwrap();
    let older = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let hash =
        argon2::PasswordHasher::hash_password(&older, PASSWORD.as_bytes()).unwrap().to_string();
    accounts_with(&db, &["alice".to_owned()], &PasswordHash(hash));

    let server = Server::start(&["--db", &db]);
    let mut alice = log_in(&server, "alice");
    alice.hears_until("*** You are in lobby");
    let [mut bob] = server.enter(["bob"]);
    bob.says("hi");
    alice.hears_until("<bob> hi");
    let file = rusqlite::Connection::open(&db).unwrap();
    eventually("it is made again", || {
        let stored: String =
            file.query_row("SELECT password FROM account", [], |row| row.get(0)).unwrap();
        stored.contains("$m=19456,")
    });
    bob.says("hi again");
    alice.hears_until("<bob> hi again");
}

#[test]
fn an_unknown_name_takes_as_long_as_a_wrong_password() {
    let porter = Porter::default();
    let stored = porter.hash(&Secret::new(PASSWORD)).unwrap();
    let wrong = Secret::new("wrong horse");
    let mut times = [Vec::new(), Vec::new()];
    for i in 0..150 {
        for (kind, stored) in [(0, Some(&stored)), (1, None)] {
            // Each from an address of its own and for a name of its own, or the delays would be measured.
            let source = Source::of([10, kind as u8, (i / 250) as u8, (i % 250) as u8].into());
            let attempt =
                Attempt { name: &format!("{kind}.{i}"), account: None, source, password: &wrong };
            let began = Instant::now();
            assert_eq!(porter.verify(&attempt, stored), Verdict::Wrong);
            times[kind].push(began.elapsed());
        }
    }
    let [known, unknown] = times.map(|mut times| {
        times.sort();
        times[times.len() / 2]
    });
    let ratio = unknown.as_secs_f64() / known.as_secs_f64();
    println!("median of 150: known {known:?}, unknown {unknown:?}, ratio {ratio:.3}");
    // Taken in turns in one run, so that a busy machine is busy for both; without the hash for nobody it would be 0.00.
    assert!((0.7..1.4).contains(&ratio), "{ratio}");
}

#[test]
fn two_hundred_logins_at_once_stay_small_and_the_room_keeps_talking() {
    let folder = Folder::new("logins");
    let db = folder.path("chatd.db");
    let names = names(200);
    accounts(&db, &names);
    let server = Server::start(&["--db", &db, "--flood", "off", "--login-deadline", "600"]);
    let [mut ann, mut bob] = server.enter(["ann", "bob"]);
    let mut crowd: Vec<Client> = names
        .iter()
        .map(|name| {
            let mut client = server.connect(name);
            client.says(name);
            client
        })
        .collect();
    for (client, name) in crowd.iter_mut().zip(&names) {
        client.hears_until(&format!("*** {name} is registered."));
    }
    let before = server.memory_kib("VmRSS");
    for client in &mut crowd {
        client.says(PASSWORD);
    }
    // While they are hashed, two at a time, ann and bob talk.
    let mut answered = 0;
    while !crowd.last().unwrap().has_unread() {
        ann.says(&format!("line {answered}"));
        bob.hears_until(&format!("<ann> line {answered}"));
        answered += 1;
    }
    for (client, name) in crowd.iter_mut().zip(&names) {
        client.hears_until(&format!("*** Hello {name}."));
    }
    let grown = server.memory_kib("VmHWM").saturating_sub(before);
    println!(
        "{answered} lines were answered meanwhile; the memory grew by {grown} KiB at its peak"
    );
    assert!(answered > 0, "the room stood still");
    // Two hashes of 19 MiB, and what 200 clients that enter need.
    assert!(grown < 2 * 19 * 1024 + 40 * 1024, "{grown} KiB");
}

/// Not a test: shows what fifty logins at once cost those who only talk, in each model (docs/experiments.md).
#[test]
#[ignore = "a measurement: cargo test --release --test chatd login_storm -- --ignored --nocapture"]
fn login_storm() {
    const LOGINS: usize = 50;
    for program in [Program::Chatd, Program::Select, Program::Epoll] {
        program.keeps(|| {
            let folder = Folder::new("storm");
            let (db, names) = (folder.path("chatd.db"), names(LOGINS));
            accounts(&db, &names);
            let server = Server::start(&["--db", &db, "--flood", "off", "--login-deadline", "600"]);
            let [mut ann, mut bob] = server.enter(["ann", "bob"]);
            let mut crowd: Vec<Client> = names.iter().map(|name| server.connect(name)).collect();
            for (client, name) in crowd.iter_mut().zip(&names) {
                client.says(name);
                client.hears_until(&format!("*** {name} is registered."));
            }
            crowd.iter_mut().for_each(|client| client.says(PASSWORD));
            let (began, mut waits) = (Instant::now(), Vec::new());
            while !crowd.iter().all(Client::has_unread) {
                let asked = Instant::now();
                ann.says("hi");
                bob.hears_until("<ann> hi");
                waits.push(asked.elapsed());
            }
            let all = began.elapsed();
            waits.sort();
            println!(
                "{:13} {LOGINS} logins in {all:.2?}; {} lines meanwhile, the median took {:.1?}, the slowest {:.1?}",
                Program::current().name(),
                waits.len(),
                waits[waits.len() / 2],
                waits[waits.len() - 1],
            );
        });
    }
}

#[test]
fn who_guesses_waits_longer_each_time_and_the_owner_does_not() {
    let folder = Folder::new("guess");
    let db = folder.path("chatd.db");
    accounts(&db, &["alice".to_owned()]);
    let server = Server::start(&["--db", &db]);
    let mut owner = log_in(&server, "alice"); // from here the owner has come in
    owner.hears_until("*** Hello alice.");
    let [mut mallory] = server.enter_in_trouble(["mallory"]);
    for _ in 0..4 {
        mallory.says("/login alice wrong horse");
        mallory.hears_until("*** No account has this name and this password.");
    }
    mallory.says("/login alice wrong horse");
    mallory.hears_until("*** Hung up: 5 passwords were wrong.");
    mallory.is_hung_up();
    let mut again = log_in(&server, "alice");
    again.hears_until("*** Hello alice.");
    owner.hears_until("*** Hung up: you logged in again, from 127.0.0.1.");
}

#[test]
fn a_password_goes_nowhere() {
    const SECRETS: [&str; 4] =
        ["hunter2hunter2", "battery staple", "wrong wrong wrong", "typed at the door"];
    let folder = Folder::new("secret");
    let db = folder.path("chatd.db");
    let server = Server::start(&["--db", &db, "--log", "debug"]);
    let [mut alice, mut bob] = server.enter(["alice", "bob"]);
    alice.says(&format!("/register {}", SECRETS[0]));
    alice.hears_until("*** alice is yours");
    for line in ["/password", SECRETS[2], "/password", SECRETS[0], SECRETS[1], SECRETS[1], "/quit"]
    {
        alice.says(line);
    }
    let told = alice.hears_to_the_end().join("\n");
    assert!(told.contains("*** Your password is changed."), "{told}");
    let mut again = server.connect("alice");
    for line in ["alice", SECRETS[3], SECRETS[1], "/threads", "/history"] {
        again.says(line);
    }
    again.hears_until("*** Hello alice.");
    again.has_read_everything();
    bob.says("/search wrong");
    bob.says("/quit");
    let read = bob.hears_to_the_end().concat();
    let mut everything = vec![server.log().into_bytes(), read.into_bytes()];
    drop(server);
    for entry in fs::read_dir(Path::new(&db).parent().unwrap()).unwrap() {
        everything.push(fs::read(entry.unwrap().path()).unwrap());
    }
    for secret in SECRETS {
        for bytes in &everything {
            assert!(
                memchr::memmem::find(bytes, secret.as_bytes()).is_none(),
                "{secret:?} was written down"
            );
        }
    }
}

#[test]
fn a_password_is_the_same_wherever_it_is_typed() {
    let server = Server::start(&[]);
    let [mut alice] = server.enter(["alice"]);
    alice.says("/register  correct \t horse  ");
    alice.hears_until("*** alice is yours");
    alice.says("/quit");
    alice.hears_to_the_end();
    let mut again = server.connect("alice");
    again.says("alice");
    again.hears_until("*** alice is registered.");
    again.sends(b"\xc3\x28\n"); // is no password, and no name either
    again.hears("*** A password is text of 8 to 256 bytes. Once more. Password:");
    again.says("correct \t horse");
    again.hears_until("*** Hello alice.");
}

#[test]
fn telnet_is_asked_to_hide_what_is_typed() {
    const IAC: u8 = 255;
    let folder = Folder::new("telnet");
    let db = folder.path("chatd.db");
    accounts(&db, &["alice".to_owned()]);
    let server = Server::start(&["--db", &db]);
    let mut client = server.connect("alice");
    client.sends(&[IAC, 251, 24]); // WILL TERMINAL-TYPE: so it speaks telnet
    client.sends(b"alice\r\n");
    client.hears_bytes(&[IAC, 251, 1]); // WILL ECHO
    client.sends(&[IAC, 253, 1]); // DO ECHO
    client.sends(format!("{PASSWORD}\r\n").as_bytes());
    client.hears_bytes(&[IAC, 252, 1]); // WONT ECHO
    client.hears_until("*** Hello alice.");
}

#[test]
fn an_operator_promotes_while_the_server_runs() {
    let folder = Folder::new("promote");
    let db = folder.path("chatd.db");
    accounts(&db, &["alice".to_owned()]);
    let server = Server::start(&["--db", &db]);
    let mut alice = log_in(&server, "alice");
    alice.hears_until("*** Hello alice.");
    alice.says("/announce hear me");
    alice.hears_until("*** That is for administrators.");
    operate(&db, &["account", "promote", "alice"], "");
    eventually("alice is an administrator", || {
        alice.says("/whoami");
        alice.hears_until("*** You are alice").contains("an administrator")
    });
    alice.says("/announce hear me");
    alice.hears("*** Announcement by alice: hear me");
    server.logs("alice (c1, 127.0.0.1) announced: hear me");
    operate(&db, &["account", "remove", "alice"], "");
    eventually("the account is gone", || {
        alice.says("/whoami");
        alice.hears_until("*** You are alice").contains("not registered")
    });
    alice.says(&format!("/register {PASSWORD}")); // the session has not kept an account that is gone
    alice.hears_until("*** alice is yours from now on.");
}

#[test]
fn a_mailbox_has_a_bound_and_says_so() {
    let folder = Folder::new("mailbox");
    let db = folder.path("chatd.db");
    accounts(&db, &["alice".to_owned()]);
    let server = Server::start(&["--db", &db, "--flood", "off"]);
    let [mut bob] = server.enter(["bob"]);
    let write = |bob: &mut Client, range: std::ops::Range<usize>| {
        for i in range {
            bob.says(&format!("/msg alice {i}"));
            bob.hears("*** alice is away: your message is kept.");
        }
    };
    write(&mut bob, 0..50);
    bob.says("/msg alice one too many for a stranger");
    bob.hears("*** alice is away, and 50 messages wait there from people who are not registered, which is the most.");
    bob.says(&format!("/register {PASSWORD}"));
    bob.hears_until("*** bob is yours");
    write(&mut bob, 50..100);
    bob.says("/msg alice one too many");
    bob.hears("*** alice is away, and 100 messages wait there, which is the most.");
    let mut alice = log_in(&server, "alice");
    alice.hears_until("*** 100 messages wait for you: /mail reads them.");
    alice.says("/mail");
    alice.hears_until("*** 100 lines in your mailbox");
    for i in 0..100 {
        assert!(alice.reads().unwrap().ends_with(&format!("[from bob] {i}")));
    }
    bob.says("/msg alice live");
    alice.hears_until("[from bob] live");
    alice.says("/mail delete");
    alice.hears("*** Your mailbox is empty now.");
}

#[test]
fn what_one_account_has_read_strikes_nothing_out_of_anothers_mailbox() {
    let folder = Folder::new("two-mailboxes");
    let db = folder.path("chatd.db");
    accounts(&db, &["alice".to_owned(), "bob".to_owned()]);
    let server = Server::start(&["--db", &db]);
    let [mut carol, mut dave] = server.enter(["carol", "dave"]);
    for name in ["bob", "alice"] {
        carol.says(&format!("/msg {name} call me"));
        carol.hears_until(&format!("*** {name} is away: your message is kept."));
    }
    dave.says(&format!("/login alice {PASSWORD}"));
    dave.says("/mail");
    dave.hears_until("*** /mail delete strikes out");
    dave.says(&format!("/login bob {PASSWORD}"));
    dave.hears_until("*** You are logged in.");
    dave.says("/mail delete");
    dave.hears_until("*** Read it first: /mail.");
}

#[test]
fn an_administrator_stops_the_server() {
    let folder = Folder::new("shutdown");
    let db = folder.path("chatd.db");
    accounts(&db, &["alice".to_owned()]);
    operate(&db, &["account", "promote", "alice"], "");
    let mut server = Server::start(&["--db", &db]);
    let [mut bob] = server.enter(["bob"]);
    let mut alice = log_in(&server, "alice");
    alice.hears_until("*** Hello alice.");
    bob.hears("*** alice entered lobby");
    alice.says("/shutdown 1");
    bob.hears("*** alice shuts the server down in 1 s.");
    bob.hears("*** Hung up: the server is shutting down.");
    assert_eq!(server.exit_code(), Some(0));
}

#[test]
fn many_log_in_to_one_account_and_one_stays() {
    let folder = Folder::new("takeover");
    let db = folder.path("chatd.db");
    accounts(&db, &["alice".to_owned()]);
    let server = Server::start(&["--db", &db, "--login-deadline", "600"]);
    let ends: Vec<bool> = thread::scope(|scope| {
        let logins: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let mut client = log_in(&server, "alice");
                    client.hears_until("*** Hello alice.");
                    client
                })
            })
            .collect();
        let mut clients: Vec<Client> =
            logins.into_iter().map(|login| login.join().unwrap()).collect();
        eventually("one thread is left", || {
            server.thread_names().iter().filter(|name| name.contains(":alice")).count() == 1
        });
        clients.iter_mut().for_each(|client| client.stops_sending());
        clients
            .into_iter()
            .map(|mut client| client.hears_to_the_end().concat().contains("you logged in again"))
            .collect()
    });
    assert_eq!(ends.iter().filter(|taken_over| !**taken_over).count(), 1, "{ends:?}");
}
