//! Keys of the full screen, one by one.

use crate::{full::alice_on, person::Person};

/// Types keys, and waits until this stands behind the prompt.
#[track_caller]
fn makes(person: &Person, keys: &str, line: &str) {
    person.types(keys);
    person.sees_prompt(&format!("alice@lobby> {line}"));
}

#[test]
fn keys_that_edit() {
    let (_server, _client, person) = alice_on(10, 70);
    for (keys, line) in [
        ("one two three", "one two three"),
        ("\x17", "one two"),               // Ctrl-W
        ("\x1f", "one two three"),         // Ctrl-_ takes that back
        ("\x1bb\x1bb\x1bd", "one  three"), // Alt-B twice, Alt-D (a blank is left)
        ("\x1f", "one two three"),
        ("\x15", "two three"),            // Ctrl-U
        ("\x19", "one two three"),        // Ctrl-Y
        ("\x01\x1bf!", "one! two three"), // Ctrl-A, Alt-F
        ("\x0b", "one!"),                 // Ctrl-K
        ("\x1b\x7f", ""),                 // Alt-Backspace
        ("\x19", "one!"),
        ("\x05\x08\x14", "oen"), // Ctrl-E, Ctrl-H, Ctrl-T
        ("\x01\x1b[3~", "en"),   // Del
        ("\x1bu", "EN"),         // Alt-U
    ] {
        makes(&person, keys, line);
    }
    // Undone are steps of this line, not of the one before.
    makes(&person, "\x03", "");
    makes(&person, "\x1f\x1f", "");
}

/// Alt-1 to Alt-9, Ctrl-N and Ctrl-P; on a window that is not there they do nothing.
#[test]
fn keys_that_go_to_windows() {
    let (_server, client, person) = alice_on(12, 70);
    client.gets("[from bob] hi\n[from carol] hi");
    person.sees("3 carol (1)");
    for (key, prompt) in [
        ("\x1b3", "to carol>"),
        ("\x1b2", "to bob>"),
        ("\x1b9", "to bob>"),
        ("\x0e", "to carol>"),
        ("\x0e", "alice@lobby>"),
        ("\x10", "to carol>"),
        ("\x10", "to bob>"),
        ("\x1b1", "alice@lobby>"),
    ] {
        person.types(key);
        person.sees_prompt(prompt);
    }
}

/// F2: a line and a link are copied whole, since nothing stands beside them and the terminal wraps them.
#[test]
fn the_last_page_bare() {
    let (_server, client, person) = alice_on(14, 100);
    let link = format!("https://example.org/{}", "long/".repeat(30));
    client.gets(&format!("<bob> see {link} there\n{{\"last\":11}}"));
    person.sees(" there");
    person.types("half typed");
    person.sees_prompt("alice@lobby> half typed");
    person.types("\x1bOQ");
    person.sees("(any key: back to the chat)");
    let bare = person.looks(vt100::Screen::contents);
    assert!(bare.contains(&format!("<bob> see {link} there\n")), "{bare}");
    assert!(!bare.contains('│') && !person.looks(vt100::Screen::alternate_screen));
    client.gets("<bob> meanwhile\n{\"last\":12}");
    person.types("x"); // is no letter of the line
    person.sees("<bob> meanwhile");
    person.sees_prompt("alice@lobby> half typed");
    assert!(person.looks(vt100::Screen::alternate_screen));
}
