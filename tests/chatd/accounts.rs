//! Registered names: who logs in, how long it takes, what it costs, and that a password goes nowhere. The conversations
//! themselves are in docs/protocol.md.

use crate::harness::{Client, Folder, Program, Server, eventually, script::hold};
use std::{
    fs, thread,
    time::{Duration, Instant},
};

const PASSWORD: &str = "correct horse";

/// A folder with a database in which these have accounts.
fn accounts(names: &[&str]) -> Folder {
    let folder = Folder::new();
    for name in names {
        folder.run(&format!("account add {name}"));
    }
    folder
}

/// `count` accounts, `n0` and so on, all with the same password: they are copies of the first, for a hash is costly.
fn many_accounts(count: usize) -> (Folder, Vec<String>) {
    let names: Vec<String> = (0..count).map(|i| format!("n{i}")).collect();
    let folder = accounts(&["n0"]);
    let copy = "INSERT INTO account (name, folded, password, is_admin, since)
        SELECT ?1, ?1, password, 0, since FROM account WHERE id = 1";
    let mut database = folder.database();
    let transaction = database.transaction().unwrap();
    for name in &names[1..] {
        transaction.execute(copy, [name]).unwrap();
    }
    transaction.commit().unwrap();
    (folder, names)
}

fn log_in(server: &Server, name: &str) -> Client {
    let mut client = server.connect(name);
    client.asks_until(name, &format!("*** {name} is registered."));
    client.says(PASSWORD);
    client
}

/// Logs in and waits until it is done.
fn logged_in(server: &Server, name: &str) -> Client {
    let mut client = log_in(server, name);
    client.hears_until(&format!("*** Hello {name}."));
    client
}

/// The password on a slip, as `chatd account import` prints it.
fn on_the_slip(printed: &str, name: &str) -> String {
    let slip = printed.split_once(&format!("{name}\n")).unwrap().1;
    slip.split_once("first time:  ").unwrap().1.lines().next().unwrap().to_owned()
}

#[test]
pub fn who_comes_with_a_slip_chooses_a_password_of_their_own() {
    let folder = Folder::new();
    fs::write(folder.path("class.csv"), "name;class\nanna;7a\nben;7a\n").unwrap();
    let printed = folder.run_with("account import class.csv", "").out;
    let server = folder.start("");
    let [mut zoe] = server.enter(["zoe"]);
    let choose = "*** That password was for one time. Choose a password of your own";
    let slip = on_the_slip(&printed, "anna");
    // Once they are cut off before they have chosen, and the slip is still good; however it is typed.
    for typed in [slip.clone(), slip.to_lowercase().replace('-', " ")] {
        let mut anna = server.connect("anna");
        anna.asks_until("anna", "*** anna is registered.");
        anna.asks_until(&typed, choose);
    }
    let mut anna = server.connect("anna");
    anna.asks_until("anna", "*** anna is registered.");
    anna.asks_until(&slip, choose);
    anna.says("hello"); // is no talk
    anna.hears("*** A password has at least 8 bytes.");
    anna.hears_until(choose);
    anna.asks_until("my own password", "*** The same password once more:");
    anna.asks_until("my own password", "*** Your password is changed.");
    anna.says("here I am");
    zoe.hears_until("<anna> here I am");
    drop(anna);

    let mut thief = server.connect("thief");
    thief.asks_until("anna", "*** anna is registered.");
    thief.asks_until(&slip, "*** That is not the password of this name.");
    thief.asks_until("my own password", "*** Hello anna.");
    drop(server);
    let server = folder.start("");
    let mut ben = server.connect("ben");
    ben.asks_until("ben", "*** ben is registered.");
    ben.asks_until(&on_the_slip(&printed, "ben"), choose);
}

#[test]
fn an_older_hash_is_made_again_and_its_owner_hears_the_others_meanwhile() {
    let folder = accounts(&["alice"]);
    let params = argon2::Params::new(8192, 1, 1, None).unwrap();
    let older = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let hash = argon2::PasswordHasher::hash_password(&older, PASSWORD.as_bytes()).unwrap();
    folder.database().execute("UPDATE account SET password = ?1", [hash.to_string()]).unwrap();

    let server = folder.start("");
    let mut alice = log_in(&server, "alice");
    alice.hears_until("*** You are in lobby");
    let [mut bob] = server.enter(["bob"]);
    bob.says("hi");
    alice.hears_until("<bob> hi");
    eventually("it is made again", || {
        folder.select::<String>("SELECT password FROM account")[0].contains("$m=19456,")
    });
    bob.says("hi again");
    alice.hears_until("<bob> hi again");
}

#[test]
fn an_unknown_name_takes_as_long_as_a_wrong_password() {
    const ROUNDS: usize = 31;
    let (folder, names) = many_accounts(ROUNDS);
    let server = folder.start("");
    // What the server works, because the time depends on what else the machine does.
    let mut ticks = [0; 2];
    for (i, known) in names.iter().enumerate() {
        for (kind, name) in [(0, known.clone()), (1, format!("unknown{i}"))] {
            // Each from an address of its own and for a name of its own, or there would be delays.
            let from = format!("127.0.{}.{}", kind + 1, i + 1);
            let mut guesser = Client::connect_from(&from, server.address, "guesser");
            guesser.asks_until(&format!("g{kind}-{i}"), "*** Hello ");
            guesser.has_read_everything();
            let before = server.cpu_ticks();
            let wrong = "*** No account has this name and this password.";
            guesser.asks_until(&format!("/login {name} wrong horse"), wrong);
            ticks[kind] += server.cpu_ticks() - before;
        }
    }
    let [known, unknown] = ticks;
    let ratio = unknown as f64 / known as f64;
    println!("{ROUNDS} times: known {known}, unknown {unknown} ticks of 10 ms, ratio {ratio:.3}");
    // Without the hash that is made for nobody it would be 0.1 at most.
    assert!((0.7..1.4).contains(&ratio), "{ratio}");
}

/// Everybody has given a name, and all send the password at once. Until `is_over`, two others talk; returns how long each
/// of their lines took.
fn storm(server: &Server, names: &[String], is_over: fn(&[Client]) -> bool) -> Storm {
    let [mut ann, mut bob] = server.enter(["ann", "bob"]);
    let mut crowd: Vec<Client> = names.iter().map(|name| server.connect(name)).collect();
    for (client, name) in crowd.iter_mut().zip(names) {
        client.asks_until(name, &format!("*** {name} is registered."));
    }
    let memory_before = server.memory_kib("VmRSS");
    crowd.iter_mut().for_each(|client| client.says(PASSWORD));
    let mut waits = Vec::new();
    while !is_over(&crowd) {
        let asked = Instant::now();
        ann.says(&format!("line {}", waits.len()));
        bob.hears_until(&format!("<ann> line {}", waits.len()));
        waits.push(asked.elapsed());
    }
    Storm { crowd, memory_before, waits }
}

struct Storm {
    crowd: Vec<Client>,
    memory_before: u64,
    waits: Vec<Duration>,
}

#[test]
fn two_hundred_logins_at_once_stay_small_and_the_room_keeps_talking() {
    let (folder, names) = many_accounts(200);
    let server = folder.start("--flood off --login-deadline 600");
    let mut storm = storm(&server, &names, |crowd| crowd.last().unwrap().has_unread());
    for (client, name) in storm.crowd.iter_mut().zip(&names) {
        client.hears_until(&format!("*** Hello {name}."));
    }
    let answered = storm.waits.len();
    let grown = server.memory_kib("VmHWM").saturating_sub(storm.memory_before);
    println!("{answered} lines were answered meanwhile; {grown} KiB more were in use at the peak");
    assert!(answered > 0, "the room stood still");
    // Two hashes of 19 MiB, and what 200 clients that enter need.
    assert!(grown < 2 * 19 * 1024 + 40 * 1024, "{grown} KiB");
}

/// Not a test: shows what fifty logins at once cost those who only talk, in each model (docs/experiments.md).
#[test]
#[ignore = "a measurement: cargo test --release --test chatd login_storm -- --ignored --nocapture"]
fn login_storm() {
    for program in [Program::Chatd, Program::Select, Program::Epoll] {
        program.keeps(|| {
            let (folder, names) = many_accounts(50);
            let server = folder.start("--flood off --login-deadline 600");
            let began = Instant::now();
            let mut waits =
                storm(&server, &names, |crowd| crowd.iter().all(Client::has_unread)).waits;
            let all = began.elapsed();
            waits.sort();
            let (median, slowest) = (waits[waits.len() / 2], waits[waits.len() - 1]);
            println!(
                "{:13} {} logins in {all:.2?}; {} lines meanwhile, the median took {median:.1?}, the slowest {slowest:.1?}",
                program.name(),
                names.len(),
                waits.len(),
            );
        });
    }
}

#[test]
fn one_that_guesses_waits_longer_each_time_and_the_owner_does_not() {
    let folder = accounts(&["alice"]);
    let server = folder.start("");
    let mut owner = logged_in(&server, "alice"); // from here the owner has come in
    let mut mallory = server.lets_in("mallory");
    for _ in 0..4 {
        let wrong = "*** No account has this name and this password.";
        mallory.asks_until("/login alice wrong horse", wrong);
    }
    mallory.asks_until("/login alice wrong horse", "*** Hung up: 5 passwords were wrong.");
    mallory.is_hung_up();
    logged_in(&server, "alice");
    owner.hears_until("*** Hung up: you logged in again, from the same address.");
}

#[test]
fn a_password_goes_nowhere() {
    const PASSWORDS: [&str; 4] =
        ["hunter2hunter2", "battery staple", "wrong wrong wrong", "typed at the door"];
    let [first, second, wrong, wrong_at_the_door] = PASSWORDS;
    let folder = Folder::new();
    let server = folder.start("--log debug");
    let [mut alice, mut bob] = server.enter(["alice", "bob"]);
    alice.asks_until(&format!("/register {first}"), "*** alice is yours");
    let lines = ["/password", wrong, "/password", first, second, second, "/quit"];
    alice.says(&lines.join("\n"));
    let told = alice.hears_to_the_end().join("\n");
    assert!(told.contains("*** Your password is changed."), "{told}");
    let mut again = server.connect("alice");
    again.says(&["alice", wrong_at_the_door, second, "/threads", "/history"].join("\n"));
    again.hears_until("*** Hello alice.");
    again.has_read_everything();
    bob.says("/search wrong\n/quit");
    let read = bob.hears_to_the_end().concat();
    let mut everything = vec![server.log().into_bytes(), read.into_bytes()];
    drop(server);
    everything.extend(folder.files().iter().map(|file| fs::read(folder.path(file)).unwrap()));
    assert!(everything.len() > 2, "the database is among it");
    for password in PASSWORDS {
        let is_in = |bytes: &Vec<u8>| memchr::memmem::find(bytes, password.as_bytes()).is_some();
        assert!(!everything.iter().any(is_in), "{password:?} was written down");
    }
}

#[test]
fn a_password_is_the_same_wherever_it_is_typed() {
    hold(
        "",
        "@ alice
        alice > /register  correct \\x09 horse\\x20\\x20
        alice << *** alice is yours
        alice > /quit
        alice << *** Goodbye.
        alice x
        + alice
        alice > alice
        alice << *** alice is registered.
        alice > \\xc3\\x28
        alice < *** A password is text of 8 to 256 bytes. Once more. Password:
        alice > correct \\x09 horse
        alice << *** You are in lobby
        alice > /quit
        alice << *** Goodbye.
        alice x
        + alice
        alice > /login alice  correct \\x09 horse
        alice << *** You are in lobby",
    );
}

#[test]
fn telnet_is_asked_to_hide_what_is_typed() {
    const IAC: u8 = 255;
    let folder = accounts(&["alice"]);
    let server = folder.start("");
    let mut client = server.connect("alice");
    client.sends([IAC, 251, 24]); // WILL TERMINAL-TYPE: so it speaks telnet
    client.sends(b"alice\r\n");
    client.receives_until(&[IAC, 251, 1]); // WILL ECHO
    client.sends([IAC, 253, 1]); // DO ECHO
    client.sends(format!("{PASSWORD}\r\n"));
    client.receives_until(&[IAC, 252, 1]); // WONT ECHO
    client.hears_until("*** Hello alice.");
}

#[test]
fn an_operator_promotes_while_the_server_runs() {
    let folder = accounts(&["alice"]);
    let server = folder.start("");
    let mut alice = logged_in(&server, "alice");
    alice.asks_until("/announce hear me", "*** That is for administrators.");
    folder.run("account promote alice");
    let is =
        |alice: &mut Client, what| alice.asks_until("/whoami", "*** You are alice").contains(what);
    eventually("alice is an administrator", || is(&mut alice, "an administrator"));
    alice.asks("/announce hear me", "*** Announcement by @alice: hear me");
    server.logs("alice (c1, 127.0.0.1) announced: hear me");
    folder.run("account remove alice");
    eventually("the account is gone", || is(&mut alice, "not registered"));
    // The session has not kept an account that is gone.
    alice.asks_until(&format!("/register {PASSWORD}"), "*** alice is yours from now on.");
}

#[test]
fn a_mailbox_has_a_bound_and_says_so() {
    let folder = accounts(&["alice"]);
    let server = folder.start("--flood off");
    let [mut bob] = server.enter(["bob"]);
    let write = |bob: &mut Client, range: std::ops::Range<usize>| {
        for i in range {
            bob.asks(&format!("/msg alice {i}"), "*** alice is away: your message is kept.");
        }
    };
    write(&mut bob, 0..50);
    bob.asks(
        "/msg alice one too many for a stranger",
        "*** alice is away, and 50 messages wait there from people who are not registered, which is the most.",
    );
    bob.asks_until(&format!("/register {PASSWORD}"), "*** bob is yours");
    write(&mut bob, 50..100);
    bob.asks(
        "/msg alice one too many",
        "*** alice is away, and 100 messages wait there, which is the most.",
    );
    let mut alice = log_in(&server, "alice");
    alice.hears_until("*** 100 messages wait for you: /mail reads them.");
    alice.asks_until("/mail", "*** 100 lines in your mailbox");
    for i in 0..100 {
        assert!(alice.reads().unwrap().ends_with(&format!("[from bob] {i}")));
    }
    bob.says("/msg alice live");
    alice.hears_until("[from bob] live");
    alice.asks("/mail delete", "*** Your mailbox is empty now.");
}

#[test]
fn to_have_read_one_mailbox_deletes_nothing_from_another() {
    let folder = accounts(&["alice", "bob"]);
    let server = folder.start("");
    let [mut carol, mut dave] = server.enter(["carol", "dave"]);
    for name in ["bob", "alice"] {
        let is_kept = format!("*** {name} is away: your message is kept.");
        carol.asks_until(&format!("/msg {name} call me"), &is_kept);
    }
    dave.says(&format!("/login alice {PASSWORD}"));
    dave.asks_until("/mail", "*** /mail delete ");
    dave.asks_until(&format!("/login bob {PASSWORD}"), "*** You are logged in.");
    dave.asks_until("/mail delete", "*** Read it first: /mail.");
}

#[test]
fn an_administrator_stops_the_server() {
    let folder = accounts(&["alice"]);
    folder.run("account promote alice");
    let mut server = folder.start("");
    let [mut bob] = server.enter(["bob"]);
    let mut alice = logged_in(&server, "alice");
    bob.hears("*** alice entered lobby");
    alice.says("/shutdown 1");
    bob.hears("*** alice shuts the server down in 1 s.");
    bob.hears("*** Hung up: the server is shutting down.");
    assert_eq!(server.exit_code(), Some(0));
}

#[test]
fn many_log_in_to_one_account_and_one_stays() {
    let folder = accounts(&["alice"]);
    let server = folder.start("--login-deadline 600");
    let mut clients: Vec<Client> = thread::scope(|scope| {
        let logins: Vec<_> = (0..8).map(|_| scope.spawn(|| logged_in(&server, "alice"))).collect();
        logins.into_iter().map(|login| login.join().unwrap()).collect()
    });
    eventually("one thread is left", || {
        server.thread_names().iter().filter(|name| name.contains(":alice")).count() == 1
    });
    clients.iter_mut().for_each(Client::stops_sending);
    let stays =
        |client: &mut Client| !client.hears_to_the_end().concat().contains("you logged in again");
    assert_eq!(clients.iter_mut().map(stays).filter(|stays| *stays).count(), 1);
}

/// Somebody whose name was refused, and who types the password all the same, is not called so.
#[test]
fn a_password_from_a_slip_is_nobodys_name() {
    let server = Server::start("");
    let mut zoe = server.connect("zoe");
    zoe.asks_until("F2TY-1E1Y", "*** That looks like a password or a code, and not like a name.");
    zoe.asks_until("zoe", "*** Hello zoe.");
}
