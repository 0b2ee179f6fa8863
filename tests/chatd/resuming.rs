//! Coming back by a token after a broken connection, on a real server.

use crate::harness::{Client, Server};

/// The token in a note that says who somebody is.
fn token_in(note: &str) -> String {
    let token = note.split_once("\"resume\":\"").expect("a token").1;
    token.split_once('"').unwrap().0.to_owned()
}

/// Somebody at the door whose program reads notes.
fn program(server: &Server, name: &str) -> Client {
    let mut program = server.connect(name);
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
