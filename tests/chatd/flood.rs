//! A client that floods is read more slowly and told so once; nobody else notices. And a full channel slows its
//! talkers down through TCP: it does not grow, and nothing is lost.

use crate::harness::Server;

#[test]
pub fn a_flooder_is_delayed_told_once_and_others_are_unaffected() {
    let server = Server::start(&["--flood", "5/1"]);
    let [mut flooder, mut bob, mut carol] = server.enter(["flooder", "bob", "carol"]);
    let flood: String = (0..1000).map(|i| format!("{i}\n")).collect();
    flooder.sends(flood.as_bytes());
    flooder.hears("*** More than 5 lines at once: yours are read at 1 a second for a while.");

    // The others talk as if nothing were; the flood drips in between.
    let mut flooded = 0;
    for i in 0..4 {
        bob.says(&format!("bob {i}"));
        loop {
            let line = carol.reads().unwrap();
            if line == format!("<bob> bob {i}") {
                break;
            }
            assert_eq!(line, format!("<flooder> {flooded}"));
            flooded += 1;
        }
    }
    while flooded < 8 {
        carol.hears(&format!("<flooder> {flooded}"));
        flooded += 1;
    }
    assert!(flooded < 100, "a thousand lines were sent, at one a second that would be minutes");
    flooder.stops_sending();
    server.signal("INT"); // who is delayed is not waited for
    let lines = flooder.hears_to_the_end();
    assert!(!lines.iter().any(|line| line.contains("More than")), "it was told once: {lines:?}");
    assert_eq!(lines.last().map(String::as_str), Some("*** Hung up: the server is shutting down."));
}

#[test]
pub fn flood_off_delays_nobody() {
    let server = Server::start(&["--flood", "off"]);
    let [mut talker, mut bob] = server.enter(["talker", "bob"]);
    for i in 0..5_000 {
        talker.says(&i.to_string());
    }
    for i in 0..5_000 {
        bob.hears(&format!("<talker> {i}"));
    }
    talker.hears_nothing();
}

#[test]
fn who_floods_and_goes_does_not_haunt_its_name() {
    let server = Server::start(&["--flood", "5/1"]);
    let [mut bob] = server.enter(["bob"]);
    for (way, farewell) in [("reset", "(connection lost)"), ("close", "(connection closed)")] {
        let mut ghost = server.connect("ghost");
        ghost.says("ghost");
        ghost.hears_until("*** Hello ghost.");
        ghost.has_read_everything();
        bob.hears("*** ghost entered lobby");
        ghost.sends(&b"\n".repeat(16_000)); // at one a second that is hours
        ghost.hears("*** More than 5 lines at once: yours are read at 1 a second for a while.");
        match way {
            "reset" => ghost.resets(),
            _ => ghost.stops_sending(),
        }
        bob.hears(&format!("*** ghost left lobby {farewell}"));
    }
}
