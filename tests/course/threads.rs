//! Steps 1 and 3 to 5: iterative, fork, a thread for each client, a bound, a pool.

use crate::{harness::*, start};

const SENTENCE: &str = "Thank you, I have read it.\n";
const SLOW: &str = "That took me one second.\n";

#[test]
fn iterative_one_sentence_for_whatever_comes() {
    let mut server = start("iterative");
    for bytes in [&b"hello"[..], b"\0\xff\n", b"x"] {
        let mut client = server.connect("ann");
        for _ in 0..3 {
            client.sends(bytes);
            client.receives(SENTENCE);
        }
    }
    server.ends_on_ctrl_c();
}

#[test]
fn the_second_client_waits() {
    let mut server = start("iterative");
    let [mut first, mut second] = ["first", "second"].map(|name| server.connect(name));
    first.sends("1");
    first.receives(SENTENCE);
    second.sends("2"); // connected, and sent: the kernel keeps it, in the accept queue
    second.hears_nothing_for_now();
    first.sends("1");
    first.receives(SENTENCE);
    drop(first);
    second.receives(SENTENCE);
    server.ends_on_ctrl_c(); // with the second client still there
}

/// Each sends a line, the last one first, and reads the answer that takes a second.
fn all_ask(mut clients: Vec<Client>) {
    clients.iter_mut().rev().for_each(|client| client.sends("please\n"));
    for client in &mut clients {
        assert_eq!(client.receives_to_the_end(), SLOW);
    }
}

#[test]
fn fork_a_process_for_each_client() {
    let mut server = start("fork");
    let clients = server.connect_all(0..5);
    let children = format!("/proc/{0}/task/{0}/children", server.pid());
    let running = || std::fs::read_to_string(&children).unwrap().split_whitespace().count();
    eventually("five clients have five processes", || running() == 5);
    let child = std::fs::read_to_string(&children).unwrap();
    let child = child.split_whitespace().next().unwrap();
    let descriptors = || std::fs::read_dir(format!("/proc/{child}/fd")).unwrap().count();
    // What the parent has, less its listener, and the client's socket.
    eventually("a child lets go of the listener", || descriptors() == server.descriptors());
    all_ask(clients);
    // Those that ended are buried when the next one comes. One at a time: a visitor has a child of its own for a second.
    eventually("the children are buried", || {
        all_ask(server.connect_all(0..1));
        running() <= 1
    });
    server.ends_on_ctrl_c();
}

#[test]
fn fork_ends_with_a_child_that_waits_for_its_line() {
    let mut server = start("fork");
    let silent = server.connect("silent");
    all_ask(server.connect_all(0..1));
    server.ends_on_ctrl_c();
    silent.ends();
}

#[test]
fn slow_answer_a_thread_for_each_client() {
    let mut server = start("slow-answer");
    let clients = server.connect_all(0..20);
    eventually("each has a thread", || {
        server.thread_names().iter().filter(|name| name.starts_with('c')).count() == 20
    });
    all_ask(clients);
    let _silent = server.connect("silent");
    server.ends_on_ctrl_c();
}

#[test]
fn slow_answer_an_endless_line_is_a_line() {
    let server = start("slow-answer");
    let mut client = server.connect("ann");
    client.sends([b'x'; 1024]);
    assert_eq!(client.receives_to_the_end(), SLOW);
}

#[test]
fn upper_case_for_eight_and_a_sentence_for_the_ninth() {
    let mut server = start("upper");
    let mut clients = server.connect_all(0..8);
    for client in clients.iter_mut().rev() {
        client.sends("Grüße, class\n");
        client.receives("GRüßE, CLASS\n");
    }
    assert_eq!(server.connect("ninth").receives_to_the_end(), "Full: 8 are here.\n");
    clients[0].stops_sending();
    clients.remove(0).ends();
    eventually("there is a place again", || {
        let mut next = server.connect("next");
        next.stops_sending();
        next.receives_to_the_end().is_empty()
    });
    server.ends_on_ctrl_c(); // with seven clients still there
}

#[test]
fn a_pool_of_four_and_the_fifth_student_waits() {
    let mut server = start("upper-pool");
    let mut four = server.connect_all(0..4);
    for student in &mut four {
        student.sends("a");
        student.receives("A");
    }
    let mut fifth = server.connect("fifth");
    fifth.sends("b");
    fifth.hears_nothing_for_now(); // although the four are silent and their threads idle
    drop(four.remove(2));
    fifth.receives("B");
    server.ends_on_ctrl_c();
}
