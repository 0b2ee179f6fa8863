//! What the full screen says of where one stands: away, lag, unread lines; and of lines that did not arrive.

use crate::{full::alice_on, harness::Folder, person::Start, server::who};
use rustix::process::Signal;
use vt100::Screen;

#[test]
fn the_status_row_tells_of_away_and_of_lag() {
    let (_server, client, person) = alice_on(12, 70);
    person.types("/away lunch\r");
    client.says("/away lunch");
    client.gets("*** You are away: lunch. /back ends it.");
    person.sees("away: /back  3 here");
    person.types("slow\r");
    client.says("slow");
    person.sees("  …   <alice> slow");
    person.sees("lag ");
    client.gets("*** Welcome back.\n<alice> slow\n{\"last\":11}");
    person.sees_that("it is said", |screen| {
        let text = screen.contents();
        text.contains(" <alice> slow")
            && !text.contains("…   <alice>")
            && !text.contains("away: /back")
    });
}

#[test]
fn a_talk_does_not_hide_that_the_room_goes_on() {
    let (_server, client, person) = alice_on(12, 70);
    client.gets("[from bob] psst");
    person.sees("2 bob (1)");
    person.types("\x1b2");
    person.sees_prompt("to bob>");
    client.gets("<carol> hello\n<carol> again");
    person.sees("1 lobby (2)  [2 bob]");
    person.types("\x1b1");
    person.sees("[1 lobby]  2 bob");
}

#[test]
fn what_did_not_arrive_is_offered_again_but_for_passwords() {
    let (server, client, person) = alice_on(20, 100);
    // (Behind /login a question for a password is expected for a moment, and what is typed then would be one.)
    person.types("one\rtwo\r/instructor hunter22\r");
    client.says("one");
    client.says("two");
    client.says("/instructor hunter22");
    client.loses_connection();
    person.sees("no connection");
    person.types("three\r");
    person.sees("not sent: there is no connection at the moment. /again sends it.");
    let client = server.accepts();
    client.gets_welcome();
    client.says_among("/resume T0KEN");
    client.gets(&format!("*** Hello again alice.\n{}", who("alice")));
    client.gets_room("lobby", &["bob"], 99);
    person.sees("not said or done, because the connection was lost: one");
    person.sees("not said or done, because the connection was lost: /instructor …");
    person.sees("not said or done, because the connection was lost: two");
    person.sees("/again sends what did not arrive.");
    person.types("/again\r");
    client.says("three");
    client.says("one");
    client.says("two");
    person.types("/again\r");
    person.sees("everything that you typed has arrived, as far as is known.");
    assert!(!person.bytes().contains("hunter"), "shown");
}

#[test]
fn what_was_said_while_one_was_stopped_stands_behind_a_sentence() {
    let (_server, client, person) = alice_on(14, 70);
    client.gets("<bob> before");
    person.sees("<bob> before");
    person.types("half typed\x1a");
    person.sees_it_stopped();
    client.gets("<bob> meanwhile");
    person.kills(Signal::CONT);
    person.sees("<bob> meanwhile");
    person.sees_prompt("alice@lobby> half typed");
    let text = person.looks(Screen::contents);
    let places = ["<bob> before", "read up to here", "chat: stopped at 20", "<bob> meanwhile"]
        .map(|part| text.find(part).unwrap_or_else(|| panic!("{part}: {text}")));
    assert!(places.is_sorted(), "{text}");
}

/// On a real server, whose numbers of lines it takes.
#[test]
fn of_a_room_that_was_left_one_reads_what_was_said_meanwhile() {
    let folder = Folder::new();
    let server = folder.start("");
    let person =
        Start::at(server.address.to_string(), &["--name", "alice"]).full().size(24, 80).go();
    person.sees_prompt("alice@lobby>");
    let mut bob = server.lets_in("bob");
    bob.says("before");
    person.sees("<bob> before");
    person.types("/join math\r");
    person.sees_prompt("alice@math>");
    bob.has_read_everything();
    (0..30).for_each(|n| bob.says(&format!("meanwhile {n};")));
    bob.says("/msg alice psst");
    person.sees("[from bob] psst");
    person.types("/leave\r");
    person.sees_prompt("alice@lobby>");
    person.sees("meanwhile 29;");
    person.types("\x1b[5~\x1b[5~");
    person.sees("meanwhile 0;");
    person.sees("31 lines were said in lobby since you left");
    person.types("\x1b");
    person.sees("chat: 1 of these lines was private: you have read it.");
    bob.says("that is all");
    person.sees("<bob> that is all");
    person.types("/find psst\r");
    person.sees("[from bob] psst");
    person.types("/find\r");
    person.sees("no line before has \"psst\".");
    person.types("/find told when\r");
    person.sees("no line before has \"told when\".");
}
