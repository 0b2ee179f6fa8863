//! Coming back by a token after a broken connection, on a real server.

use crate::harness::{Client, Folder, Server, eventually, folder::PASSWORD, wait_for};
use std::thread;

/// The token in a note that says who somebody is.
pub fn token_in(note: &str) -> String {
    let token = note.split_once("\"resume\":\"").expect("a token").1;
    token.split_once('"').unwrap().0.to_owned()
}

/// Somebody at the door whose program reads notes.
pub fn program(server: &Server, name: &str) -> Client {
    at_the_door(server.connect(name))
}

fn at_the_door(mut program: Client) -> Client {
    program.hears_until("*** What is your name?");
    program.asks("/notes on", "{\"chatd\":{…},\"ask\":\"name\"}");
    program
}

#[test]
pub fn a_cut_client_comes_back_as_they_were_and_misses_nothing() {
    let server = Server::start("");
    let [mut bob] = server.enter(["bob"]);
    let mut page = program(&server, "page");
    let mut token = token_in(&page.asks_until("alice", "{\"in\":\"alice\""));
    page.asks_until("/join math", "{\"room\":\"math\"");
    page.asks_until("/echo on", "*** You read your own lines");
    bob.asks_until("/join math", "*** You are in math with alice.");
    let mut last = 0;
    for round in 0..6 {
        let old = if round % 2 == 0 {
            Some(page)
        } else {
            page.resets();
            None
        };
        bob.says(&format!("round {round}"));
        bob.has_read_everything();
        page = program(&server, "page again");
        page.says(&format!("/since math {last}"));
        let welcome = page.asks_until(&format!("/resume {token}"), "*** ");
        assert_eq!(welcome, "*** Hello again alice.");
        page.hears("*** You are in math with bob.");
        page.hears("*** 1 line was said in math since you left (times are {…}):");
        page.hears(&format!("({{…}}) <bob> round {round}"));
        let used = std::mem::replace(&mut token, token_in(&page.hears_until("{\"in\":\"alice\"")));
        last += 1;
        let room = page.hears_until("{\"room\":\"math\"");
        assert!(room.contains(&format!("\"last\":{last}}}")), "{room}");
        if let Some(mut old) = old {
            let lines = old.hears_to_the_end();
            let [.., bye, words] = &lines[..] else { panic!("{lines:?}") };
            assert_eq!(bye, "{\"bye\":4009,\"again\":false}");
            assert_eq!(words, "*** Hung up: you logged in again, from the same address.");
        }
        let mut thief = program(&server, "thief");
        thief.asks_until(&format!("/resume {used}"), "*** That token is not good");
    }
    page.asks_until("still here", "<alice> still here");
    assert!(!server.log().contains(&token), "a token is in no log");
}

// --- A server that follows another ---

/// Stops a server: in order, or with `kill -9`.
fn stops(mut server: Server, in_order: bool) {
    server.signal(if in_order { "TERM" } else { "KILL" });
    eventually("it ends", || server.has_ended());
    assert_eq!(server.exit_code() == Some(0), in_order);
}

#[test]
pub fn a_token_holds_after_a_stop_and_after_kill_9() {
    let folder = Folder::with_administrator(&["boss"]);
    let mut server = folder.start("--instructor");
    let mut boss = program(&server, "boss");
    boss.asks_until("boss", "*** boss is registered.");
    let mut bosses = token_in(&boss.asks_until(PASSWORD, "{\"in\":\"boss\""));
    let mut carol = program(&server, "carol");
    carol.asks_until("carol", "{\"in\":\"carol\"");
    carol.asks_until("/join math", "{\"room\":\"math\"");
    for setting in ["/timestamps on", "/echo on", "/quiet on", "/ignore dan"] {
        carol.says(setting);
        carol.has_read_everything();
    }
    let code = server.pairing_code();
    let mut carols = token_in(&carol.asks_until(
        &format!("/instructor {code}"),
        "{\"in\":\"carol\",\"account\":null,\"admin\":true,\"ask\":null,\"resume\"",
    ));
    for (round, in_order) in [false, true, false].into_iter().enumerate() {
        stops(server, in_order);
        server = folder.start("--instructor");
        boss = program(&server, "boss again");
        boss.asks(&format!("/resume {bosses}"), "*** Hello again boss.");
        let note = boss.hears_until("{\"in\":\"boss\"");
        assert!(note.contains("\"account\":\"boss\",\"admin\":true"), "{note}");
        let used = std::mem::replace(&mut bosses, token_in(&note));
        carol = program(&server, "carol again");
        carol.asks(&format!("/resume {carols}"), "*** Hello again carol.");
        if round == 0 {
            carol.hears("*** You are an instructor no longer: {…}");
        }
        let note = carol.hears_until("{\"in\":\"carol\"");
        assert!(note.contains("\"account\":null,\"admin\":false"), "{note}");
        carols = token_in(&note);
        carol.hears_until("{\"room\":\"math\"");
        let said = carol.asks_until(&format!("round {round}"), "[");
        assert!(said.ends_with(&format!("] <carol> round {round}")), "{said}");
        carol.asks_until("/ignore", "*** You ignore: dan.");
        carol.asks_until("/quiet", "*** You read who comes and goes again.");
        carol.asks_until("/quiet", "*** You no longer read who comes and goes.");
        let mut thief = program(&server, "thief");
        thief.asks_until(&format!("/resume {used}"), "*** That token is not good");
        // It holds no longer where it was used before the server was killed.
        stops(server, false);
        server = folder.start("--instructor");
        let mut thief = program(&server, "thief");
        thief.asks_until(&format!("/resume {used}"), "*** That token is not good");
        thief.asks_until("thief", "*** Hello thief.");
    }
    let tokens: Vec<String> = folder.select("SELECT hex(token) || profile FROM returning_client");
    assert!(!tokens.is_empty() && !tokens.iter().any(|row| row.to_lowercase().contains(&bosses)));
    assert!(!server.log().contains(&bosses));
}

/// Nothing of tokens is written while another program has the file; then all is.
#[test]
pub fn who_comes_back_in_an_outage_comes_back_after_kill_9_too() {
    let folder = Folder::new();
    let server = folder.start("");
    let mut alice = program(&server, "alice");
    let used = token_in(&alice.asks_until("alice", "{\"in\":\"alice\""));
    let mut bob = program(&server, "bob");
    let bobs = token_in(&bob.asks_until("bob", "{\"in\":\"bob\""));
    let database = folder.database();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut alice = program(&server, "alice again");
    let token = token_in(&alice.asks_until(&format!("/resume {used}"), "{\"in\":\"alice\""));
    bob.asks_until("/quit", "*** Goodbye.");
    alice.asks_until("/join math", "{\"room\":\"math\"");
    database.execute_batch("ROLLBACK").unwrap();
    alice.hears_until("*** The history is written again; nothing is missing.");
    alice.asks_until("/join red", "{\"room\":\"red\""); // it is shown when all that was before it is written
    stops(server, false);
    let server = folder.start("");
    for token in [used, bobs] {
        let mut thief = program(&server, "thief");
        thief.asks_until(&format!("/resume {token}"), "*** That token is not good");
    }
    let mut alice = program(&server, "alice once more");
    alice.asks(&format!("/resume {token}"), "*** Hello again alice.");
    alice.hears("*** You are in red, alone.");
}

#[test]
pub fn what_the_operator_does_while_the_server_is_off_ends_tokens() {
    let folder = Folder::with_accounts(&["amy", "ben", "cat", "dan"]);
    let server = folder.start("");
    let tokens: Vec<(String, String)> = ["amy", "ben", "cat", "dan"]
        .into_iter()
        .map(|name| {
            let mut client = program(&server, name);
            client.asks_until(name, &format!("*** {name} is registered."));
            (name.to_owned(), token_in(&client.asks_until(PASSWORD, "{\"in\"")))
        })
        .collect();
    stops(server, false);
    folder.run_with("account passwd amy", "another one\n");
    folder.run("account remove ben");
    folder.run("ban add cat");
    let server = folder.start("");
    for (name, token) in tokens {
        let mut client = program(&server, &name);
        client.says(&format!("/resume {token}"));
        client.hears_until(match &*name {
            "cat" => "*** Hung up: you are banned by operator",
            "dan" => "*** Hello again dan.",
            _ => "*** That token is not good",
        });
    }
}

// --- Whose place, and whose token ---

#[test]
pub fn who_comes_back_to_a_full_server_has_their_own_place() {
    let server = Server::start("--threads-max 2");
    let [mut bob] = server.enter(["bob"]);
    let mut page = program(&server, "page");
    let mut token = token_in(&page.asks_until("alice", "{\"in\":\"alice\""));
    bob.hears("*** alice entered lobby");
    // More often than there are places for administrators; in the end with an odd number, for who comes back through one of
    // these and keeps it leaves an ordinary one to the next.
    for _ in 0..13 {
        let old = page;
        page = server.connect("page again");
        page.hears_until("*** What is your name?");
        page.asks("/notes on", "{\"chatd\":{…},\"ask\":\"name\"}");
        page.asks(&format!("/resume {token}"), "*** Hello again alice.");
        token = token_in(&page.hears_until("{\"in\":\"alice\""));
        bob.hears_until("*** alice entered lobby");
        old.ends();
    }
    // A place for an administrator is no place for anybody else.
    let mut late = server.connect("late");
    late.hears_until("*** All 2 places are taken; this one is kept for an administrator.");
    late.hears_until("*** What is your name?");
    late.asks("late", "*** Sorry: all 2 places are taken. Please try again later.");
    // Whoever has left a place has lost it, and not the token.
    page.resets();
    bob.hears_until("*** alice left lobby");
    let [mut carl] = server.enter(["carl"]);
    let mut page = server.connect("page too late");
    page.hears_until("*** Sorry: all 2 places are taken.");
    page.ends();
    carl.asks_until("/quit", "*** Goodbye.");
    bob.hears_until("*** carl left lobby");
    // (The place is free a moment after everybody has read that carl is gone.)
    let tries = || {
        let mut page = server.connect("page in time");
        let asked = page.reads().is_some_and(|line| line.starts_with("*** Welcome"));
        asked.then_some(page)
    };
    let mut page = wait_for(tries, || "no place is free".to_owned());
    page.hears("*** What is your name?");
    page.asks(&format!("/resume {token}"), "*** Hello again alice.");
}

#[test]
pub fn of_two_programs_with_one_token_one_comes_in() {
    let server = Server::start("");
    let mut page = program(&server, "page");
    let token = token_in(&page.asks_until("alice", "{\"in\":\"alice\""));
    let mut programs: Vec<Client> = (0..8).map(|i| program(&server, &format!("p{i}"))).collect();
    thread::scope(|scope| {
        for one in &mut programs {
            scope.spawn(|| one.says(&format!("/resume {token}")));
        }
    });
    let told: Vec<String> = programs.iter_mut().map(|one| one.hears_until("*** ")).collect();
    let came_in = told.iter().filter(|line| **line == "*** Hello again alice.").count();
    let refused = told.iter().filter(|line| line.starts_with("*** That token is not good")).count();
    assert_eq!((came_in, refused), (1, 7), "{told:?}");
    page.hears_to_the_end();
}

/// As somebody on the way reads one that does not go by TLS. Whoever is quicker is in; the other one is told so, and
/// the owner of an account has the last word.
#[test]
pub fn a_stolen_token_is_good_once_and_its_owner_is_told_and_comes_in_by_the_password() {
    let folder = Folder::with_accounts(&["alice"]);
    let mut server = folder.start("");
    let logs_in = |server: &Server| {
        let mut owner = program(server, "owner");
        owner.asks_until("alice", "*** alice is registered.");
        let token = token_in(&owner.asks_until(PASSWORD, "{\"in\":\"alice\""));
        (owner, token)
    };
    let is_no_good = |server: &Server, token: &str| {
        let mut again = program(server, "again");
        again.asks_until(&format!("/resume {token}"), "*** That token is not good");
    };
    let (mut owner, stolen) = logs_in(&server);
    let thief = Client::connect_from("127.0.0.9", server.address, "thief");
    let mut thief = at_the_door(thief);
    let thiefs = token_in(&thief.asks_until(&format!("/resume {stolen}"), "{\"in\":\"alice\""));
    let told = owner.hears_to_the_end();
    let last = told.last().map(String::as_str);
    assert_eq!(last, Some("*** Hung up: you logged in again, from another address."));
    server.logs("the account logged in again, from 127.0.0.9");
    is_no_good(&server, &stolen);
    let (owner, owners) = logs_in(&server);
    thief.hears_until("*** Hung up: you logged in again, from another address.");
    thief.ends();
    is_no_good(&server, &thiefs);
    drop(owner);
    eventually("the owner is gone", || server.log().matches(":alice left").count() == 3);
    stops(server, false);
    server = folder.start("");
    [stolen, thiefs].iter().for_each(|token| is_no_good(&server, token));
    let mut owner = program(&server, "owner");
    owner.asks(&format!("/resume {owners}"), "*** Hello again alice.");
}

/// The old connection takes nothing any more, and what waits for it does not hold up the new one.
#[test]
pub fn a_connection_that_is_half_dead_is_ended_at_once() {
    let server = Server::start("--flood off --write-deadline 3600");
    let mut page = program(&server, "page");
    let token = token_in(&page.asks_until("alice", "{\"in\":\"alice\""));
    page.has_read_everything();
    let [mut bob] = server.enter(["bob"]);
    // Alice has asked for more than the kernel takes, and reads none of it.
    for i in 0..300 {
        bob.says(&format!("{i} {}", "x".repeat(980)));
    }
    bob.has_read_everything();
    for _ in 0..40 {
        page.says("/history 300");
    }
    eventually("the first answer comes", || page.has_unread());
    let mut again = program(&server, "page again");
    again.asks(&format!("/resume {token}"), "*** Hello again alice.");
    bob.hears_until("*** alice left lobby");
    bob.hears_until("*** alice entered lobby");
    bob.says("hello?");
    again.hears_until("<bob> hello?");
    again.asks_until("/who", "*** 2 in lobby:");
    let (lines, _) = page.finds_in_its_buffer();
    assert!(!lines.is_empty());
}

#[test]
pub fn a_locked_entrance_lets_in_who_comes_back_and_nobody_else() {
    let folder = Folder::with_administrator(&["boss"]);
    let server = folder.start("");
    let mut boss = server.logs_in("boss");
    let mut page = program(&server, "page");
    let token = token_in(&page.asks_until("alice", "{\"in\":\"alice\""));
    boss.asks_until("/lock exam", "*** boss locked the entrance (exam)");
    page.resets();
    boss.hears_until("*** alice left lobby");
    let mut thief = program(&server, "thief");
    thief.asks("alice", "{\"bye\":4003,\"again\":false}");
    let mut page = program(&server, "page again");
    page.asks(&format!("/resume {token}"), "*** Hello again alice.");
    let token = token_in(&page.hears_until("{\"in\":\"alice\""));
    boss.asks_until("/kick alice", "*** alice is gone.");
    let mut page = program(&server, "page once more");
    page.asks_until(&format!("/resume {token}"), "*** That token is not good");
}

/// What a program may get wrong, or means ill: nobody comes in by it, nobody reads it, and the server goes on.
#[test]
pub fn odd_words_behind_these_commands_harm_nobody() {
    let folder = Folder::new();
    let server = folder.start("--flood off --source-limits off");
    let [mut bob] = server.enter(["bob"]);
    let mut page = program(&server, "page");
    let token = token_in(&page.asks_until("alice", "{\"in\":\"alice\""));
    bob.hears("*** alice entered lobby");
    // A room that does not remember all, and so the file is asked.
    (0..310).for_each(|i| page.says(&format!("line {i}")));
    bob.hears_until("<alice> line 309");
    page.has_read_everything();
    let (upper, short, long) = (token.to_uppercase(), &token[1..], format!("{token}0"));
    let numbers =
        ["", "-1", "+1", "1e3", "01 1", "\u{661}", "9223372036854775808", "99999999999999999999"];
    let whole = ["0", "1", "309", "310", "9223372036854775806", "9223372036854775807"];
    let rooms =
        ["7up", "lo\u{202e}bby", "..", "%s%n", "';--", "aaaaaaaaaaaaaaaaaaaaa", "\u{1f98a}"];
    let tokens = ["0", "null", "\u{7f}", "' OR 1=1 --", "{\"resume\":1}", &upper, short, &long];
    let odd: Vec<String> = numbers
        .iter()
        .map(|number| format!("/since lobby {number}"))
        .chain(whole.iter().map(|number| format!("/since lobby {number}")))
        .chain(rooms.iter().map(|room| format!("/since {room} 1")))
        .chain(tokens.iter().map(|token| format!("/resume {token}")))
        .chain(["yes", "1", "on on", "{}", "off"].iter().map(|word| format!("/notes {word}")))
        .chain([format!("/resume {token} {token}"), "/resume".to_owned(), "/since".to_owned()])
        .collect();
    let mut inside = server.lets_in("carol");
    bob.hears("*** carol entered lobby");
    for word in &odd {
        inside.says(word);
        inside.has_read_everything();
        let mut door = server.connect(word);
        door.says(word);
        door.says("/quit");
        let told = door.hears_to_the_end();
        assert!(told.last().is_some_and(|line| line.ends_with("Goodbye.")), "{word}: {told:?}");
        assert!(!told.iter().any(|line| line.contains("Hello")), "{word}: {told:?}");
    }
    bob.hears_nothing();
    page.says("still here");
    bob.hears("<alice> still here");
}
