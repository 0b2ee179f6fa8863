//! Every way to leave leaves the terminal as it was found.

use crate::person::alice;
#[cfg(target_os = "linux")]
use crate::{harness::has_program, person::alice_who, wait_until};
use rustix::process::Signal;

#[test]
fn quit() {
    let (_server, client, person) = alice();
    person.types("/quit gone fishing\r");
    client.says("/quit gone fishing");
    client.leaves();
    person.ends_with(0);
    person.sees("*** Goodbye.");
}

#[test]
fn control_d_on_an_empty_line() {
    let (_server, client, person) = alice();
    person.types("ab\x01\x04"); // in a line it takes a letter away
    person.sees_prompt("alice@lobby> b");
    person.types("\x7f\x05\x7f");
    person.sees_prompt("alice@lobby> ");
    person.types("\x04");
    client.leaves();
    person.ends_with(0);
    person.sees("*** Goodbye.");
}

/// It empties the line, on an empty one it says how to leave, and twice it leaves.
#[test]
fn control_c() {
    let (_server, client, person) = alice();
    person.half_types("half typed");
    person.types("\x03");
    person.sees_prompt("alice@lobby> ");
    person.types("\x03");
    person.sees("chat: Ctrl-C again leaves; so do Ctrl-D and /quit.");
    person.sees_prompt("alice@lobby> ");
    person.types("still here\r\x03");
    client.says("still here");
    person.types("\x03");
    client.leaves();
    person.ends_with(0);
}

#[test]
fn nothing_that_came_before_the_end_is_lost() {
    let (_server, client, person) = alice();
    person.types("/quit\r");
    client.says("/quit");
    let lines: Vec<String> = (0..2000).map(|n| format!("<bob> {n}")).collect();
    client.gets(&lines.join("\n"));
    client.gets_goodbye();
    assert_eq!(person.ends(), 0);
    person.sees("*** Goodbye.");
    let shown = person.all_rows_with("<bob>");
    assert!(shown == lines, "{} lines", shown.len());
}

#[test]
fn a_server_that_says_no_goodbye() {
    let (_server, client, person) = alice();
    person.types("\x04");
    client.says_no_more(); // and the connection stays open
    person.ends_with(0);
}

#[test]
fn impatience() {
    let (_server, client, person) = alice();
    person.types("\x04\x04");
    client.says_no_more();
    person.ends_with(0);
}

#[test]
fn signals() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129)] {
        let (_server, _client, person) = alice();
        person.half_types("half typed");
        person.kills(signal);
        person.ends_with(code);
        person.sees_that("the cursor on a new line", |screen| screen.cursor_position().1 == 0);
    }
}

/// Another thread is drawing meanwhile, and has the time to draw on behind the end.
#[cfg(target_os = "linux")]
#[test]
fn a_signal_while_lines_come() {
    const LATE: &str =
        "exec strace -D -f -qq -o /dev/null -e inject=exit_group:delay_enter=300000 \"$@\"";
    if !has_program("strace") {
        return;
    }
    let inline = alice_who(|start| start.shell(LATE));
    let full = alice_who(|start| start.shell(LATE).full());
    for ((_server, client, person), end) in
        [(inline, "\x1b[?25h\r\r\n\x1b[J"), (full, "\x1b[?1049l\x1b[?25h")]
    {
        person.half_types("half typed");
        client.gets(&"<bob> goes on\n".repeat(2000));
        person.sees("<bob>");
        person.kills(Signal::TERM);
        person.ends_with(143);
        let complaint = || format!("behind the end: {:?}", person.bytes().rsplit_once(end));
        wait_until(|| person.bytes().ends_with(end), complaint);
    }
}

#[test]
fn an_interrupt_from_outside() {
    let (_server, client, person) = alice();
    person.kills(Signal::INT);
    client.leaves();
    person.ends_with(0);
}

#[test]
fn stopped_and_continued() {
    let (_server, client, person) = alice();
    person.half_types("half typed");
    person.types("\x1a");
    person.sees_that("the editor's modes off", |screen| !screen.bracketed_paste());
    person.finds_the_terminal_as_it_was();
    person.sees_it_stopped();
    person.kills(Signal::CONT);
    person.sees_that("the editor's modes on", vt100::Screen::bracketed_paste);
    person.sees_prompt("alice@lobby> half typed");
    person.types("!\r");
    client.says("half typed!");
}

#[cfg(debug_assertions)] // the command is in debug builds alone
#[test]
fn a_panic() {
    let (_server, _client, person) = alice();
    person.types("/panic\r");
    person.ends_with(101);
    person.sees("asked for by /panic");
}
