//! The promises that do not depend on the I/O model, tried on chatd's versions in the two other models: the same tests,
//! each under its own name. And what is true of those versions alone.

use crate::harness::{Client, Program, Server, eventually};
use std::process::Command;

/// A module for each program, with a test for each promise.
macro_rules! promises {
    ({ $($program:ident: $which:expr,)* } keep $promises:tt) => {
        $(mod $program { promises!(@each $which, $promises); })*
    };
    (@each $which:expr, { $($file:ident::$promise:ident,)* }) => {
        $(#[test] fn $promise() { $which.keeps(crate::$file::$promise); })*
    };
}

promises! {
    { select: crate::harness::Program::Select, epoll: crate::harness::Program::Epoll, }
    keep {
        protocol::every_conversation_on_the_page_happens,
        order::two_talkers_at_full_speed_twenty_listeners_one_sequence,
        order::past_and_present_meet_without_a_gap_or_a_repeat,
        order::they_meet_too_when_the_past_has_to_be_looked_up,
        flood::a_flooder_is_delayed_told_once_and_others_are_unaffected,
        flood::flood_off_delays_nobody,
        slow_consumer::eight_of_64_stop_reading_and_the_others_get_every_line,
        slow_consumer::the_write_deadline_finds_who_reads_nothing_in_a_quiet_room,
        slow_consumer::a_long_answer_waits_for_its_reader_and_does_not_count_against_the_mark,
        slow_consumer::a_joiner_is_not_delayed_by_who_is_stuck_in_a_long_answer,
        slow_consumer::one_who_reads_again_in_time_is_told_why_it_was_hung_up,
        shutdown::everybody_is_told_and_the_exit_code_is_0,
        shutdown::what_was_accepted_is_delivered,
        shutdown::stuck_clients_do_not_hold_it_up,
        shutdown::a_second_signal_ends_it_at_once,
        telnet::negotiations_are_refused_and_split_anywhere,
        telnet::the_server_never_begins_a_negotiation,
        telnet::every_line_end,
        telnet::are_you_there,
        telnet::netcat,
        telnet::debians_telnet,
        hostile::every_path_is_clean,
        hostile::nobody_can_make_a_line_that_looks_like_another_kind,
        hostile::a_panic_ends_one_client_only_with_a_farewell,
        hostile::crash_is_no_command_without_demo,
        hostile::ten_refused_names_are_enough,
        hostile::a_name_is_free_at_once_however_its_bearer_went,
        hostile::look_alikes_are_refused_under_unicode_names,
        threads_max::a_class_that_arrives_in_one_second_fits_the_accept_queue,
        threads_max::clients_that_say_one_line_and_go_are_heard_and_leave_nothing_behind,
        threads_max::half_a_line_before_the_end_of_file_is_a_line,
        memory::what_anybody_was_shown_is_there_after_kill_9,
        threads_max::no_name_in_time_is_hung_up_however_slowly_it_types,
    }
}

const LOOPS: [Program; 2] = [Program::Select, Program::Epoll];

#[test]
fn many_clients_are_one_thread_the_log_and_the_historian() {
    for program in LOOPS {
        program.keeps(|| {
            let server = Server::start(&[]);
            let _clients = server.enter(["alice", "bob", "carol"]);
            let expected = [Program::current().name(), "historian", "logger"];
            eventually("the main thread is called like the program", || {
                let mut names = server.thread_names(); // a thread takes its name itself, a moment after its start
                names.sort();
                names == expected
            });
        });
    }
}

#[test]
fn client_513_is_refused_in_a_sentence_by_a_loop_too() {
    for program in LOOPS {
        program.keeps(|| {
            let server = Server::start(&["--threads-max", "512", "--flood", "off"]);
            let [mut alice] = server.enter(["alice"]);
            let mut clients: Vec<Client> =
                (1..512).map(|i| server.connect(&format!("n{i}"))).collect();
            for client in &mut clients {
                client.hears_until("*** What is your name?");
            }
            for flood in [0, 1, 60_000] {
                let mut late = server.connect("late");
                let _ = std::io::Write::write_all(late.stream(), &vec![b'x'; flood]);
                late.hears("*** Sorry: all 512 places are taken. Please try again later.");
                late.is_hung_up();
            }
            alice.hears_nothing();
            clients.pop();
            eventually("the place of the one who left is free", || {
                server.connect("late").reads().is_some_and(|line| line.starts_with("*** Welcome"))
            });
        });
    }
}

#[test]
fn the_wall_of_select_is_told_at_the_start_and_held() {
    Program::Select.keeps(|| {
        let server = Server::start(&["--threads-max", "1200", "--flood", "off"]);
        server.logs("can hold 992 clients, not 1200: its limit on descriptors in one select (FD_SETSIZE) is 1024");
        let [mut alice] = server.enter(["alice"]);
        let mut clients: Vec<Client> = (1..992).map(|i| server.connect(&format!("n{i}"))).collect();
        for client in &mut clients {
            client.hears_until("*** What is your name?");
        }
        let mut late = server.connect("late");
        late.hears("*** Sorry: all 992 places are taken. Please try again later.");
        alice.hears_nothing();
    });
}

#[test]
fn a_descriptor_beyond_the_wall_of_select_is_refused_in_a_sentence() {
    // Nearly all that lie below the wall are taken before the server starts.
    let mut command = Command::new("bash");
    let path = Program::Select.path();
    let take =
        "ulimit -n 2048; for ((fd = 3; fd < 1000; fd++)); do eval \"exec $fd</dev/null\"; done";
    command
        .args(["-c", &format!("{take}; exec {} --listen 127.0.0.1:0 --db none", path.display())]);
    let server = Server::start_program(command);
    let [mut alice, mut bob] = server.enter(["alice", "bob"]);
    let sorry =
        "*** Sorry: select can watch 1024 descriptors, and they are taken. Please try again later.";
    let mut clients: Vec<Client> = (0..24).map(|i| server.connect(&format!("n{i}"))).collect();
    let lines: Vec<String> = clients.iter_mut().map(|client| client.reads().unwrap()).collect();
    let admitted = lines.iter().filter(|line| line.starts_with("*** Welcome")).count();
    assert!(admitted > 0, "{lines:?}");
    assert!(lines[admitted..].iter().all(|line| line == sorry) && admitted < 24, "{lines:?}");

    bob.says("/quit");
    alice.hears("*** bob left lobby (quit)");
    drop(bob);
    eventually("a descriptor below the wall is free", || {
        server.connect("late").reads().is_some_and(|line| line.starts_with("*** Welcome"))
    });
    alice.hears_nothing();
}

#[test]
fn epoll_has_no_such_wall() {
    Program::Epoll.keeps(|| {
        let mut server = Server::start(&["--threads-max", "1200", "--flood", "off"]);
        let [mut alice] = server.enter(["alice"]);
        let mut clients: Vec<Client> =
            (1..1200).map(|i| server.connect(&format!("n{i}"))).collect();
        for client in &mut clients {
            client.hears_until("*** What is your name?");
        }
        alice.hears_nothing();
        assert!(server.is_running());
    });
}

#[test]
fn a_loop_under_64_descriptors_says_the_true_number() {
    for program in LOOPS {
        let mut command = Command::new("bash");
        let path = program.path();
        command.args([
            "-c",
            &format!("ulimit -n 64; exec {} --listen 127.0.0.1:0 --db none", path.display()),
        ]);
        let server = Server::start_program(command);
        server.logs("can hold 32 clients, not 512: its limit on open files (ulimit -n) is 64");
        let crowd: Vec<Client> = (0..100).map(|i| server.connect(&format!("n{i}"))).collect();
        drop(crowd);
        eventually("there is room again", || {
            server.connect("late").reads().is_some_and(|line| line.starts_with("*** Welcome"))
        });
        assert!(
            !server.log().contains("cannot accept"),
            "the refused leave descriptors for the others"
        );
    }
}
