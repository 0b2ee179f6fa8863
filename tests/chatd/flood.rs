//! A client that floods is read more slowly and told so once; nobody else notices. And a full channel slows its
//! talkers down through TCP: it does not grow, and nothing is lost.

use crate::harness::Server;

#[test]
fn a_flooder_is_delayed_told_once_and_others_are_unaffected() {
    let server = Server::start(&["--flood", "5/2"]);
    let [mut flooder, mut bob, mut carol] = server.enter(["flooder", "bob", "carol"]);
    for i in 0..12 {
        flooder.says(&i.to_string());
    }
    flooder.says("/quit"); // behind all the others: it has to wait its turn
    let mut chatted = 0;
    let mut flooded = 0;
    // While the flooder's lines drip in, bob and carol talk as they like: each of bob's lines comes back by carol.
    while flooded < 12 {
        bob.says(&format!("bob {chatted}"));
        loop {
            let line = carol.reads().unwrap();
            match line.strip_prefix("<flooder> ") {
                Some(number) => {
                    assert_eq!(number, flooded.to_string());
                    flooded += 1;
                }
                None => {
                    assert_eq!(line, format!("<bob> bob {chatted}"));
                    break;
                }
            }
        }
        chatted += 1;
        if chatted % 3 == 0 {
            bob.says("/away"); // the two are under the same limit: slow down as a person would
            bob.hears_until("*** You are away");
        }
    }
    let lines = flooder.hears_to_the_end();
    let told =
        lines.iter().filter(|line| line.contains("More than 5 lines at once: yours are read at 2 a second")).count();
    assert_eq!(told, 1, "{lines:?}");
    assert_eq!(lines.last().map(String::as_str), Some("*** Goodbye."));
}

#[test]
fn flood_off_delays_nobody() {
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
