//! Threads that cannot start: the client says so and leaves the terminal as it was found, or it does without.

use crate::{
    harness::preload::preload,
    person::{Person, Start},
    server::Server,
};

/// A person whose client cannot start its thread of this number.
fn start(server: &Server, library: &str, number: usize, is_full: bool) -> Person {
    let line = format!("export LD_PRELOAD={library} THREAD_FAIL={number}; exec \"$@\"");
    let start = Start::new(server, &["--name", "alice"]).shell(line.leak());
    if is_full { start.full() } else { start }.go()
}

#[test]
fn whichever_thread_cannot_start_it_is_said_and_the_terminal_is_as_it_was() {
    let Some(library) = preload("tests/harness/threads.c") else { return };
    let library = library.to_str().unwrap();
    // With --inline: one looks the host up, and the others wait for signals, lines and bytes; on the full screen one
    // more waits for keys.
    for (is_full, needed) in [(false, 4), (true, 5)] {
        let server = Server::start();
        for number in 1..=needed {
            let person = start(&server, library, number, is_full);
            let code = person.ends();
            assert_eq!(code, if number == 1 { 9 } else { 1 }, "thread {number}, full: {is_full}");
            person.sees("chat: ");
            person.finds_the_terminal_as_it_was();
        }
        // They connect first, so those have come, too.
        (2..=needed).for_each(|_| server.accepts().says_no_more());
        // One that only hurries the end along is not needed.
        let person = start(&server, library, needed + 1, is_full);
        let client = server.accepts();
        client.enters_as("alice");
        person.sees_prompt("alice@lobby> ");
        person.types("/quit\r");
        client.says("/quit");
        person.ends_with(0);
    }
}
