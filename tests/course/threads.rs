//! Steps 1 and 3 to 5: iterative, fork, a thread for each client, a bound, a pool.

use super::harness::*;

const SENTENCE: &str = "Thank you, I have read it.\n";
const SLOW: &str = "That took me one second.\n";

#[test]
fn iterative_one_sentence_for_whatever_comes() {
    let server = start("iterative");
    for bytes in [&b"hello"[..], b"\0\xff\n", b"x"] {
        let mut client = Peer::connect(&server);
        for _ in 0..3 {
            client.sends(bytes);
            client.reads(SENTENCE);
        }
    }
    ends_on_ctrl_c(server);
}

#[test]
fn the_second_client_waits() {
    let server = start("iterative");
    let (mut first, mut second) = (Peer::connect(&server), Peer::connect(&server));
    first.sends("1");
    first.reads(SENTENCE);
    second.sends("2"); // connected, and sent: the kernel keeps it, in the accept queue
    second.hears_nothing();
    first.sends("1");
    first.reads(SENTENCE);
    drop(first);
    second.reads(SENTENCE);
    ends_on_ctrl_c(server); // with the second client still there
}

#[test]
fn fork_a_process_for_each_client() {
    let server = start("fork");
    let mut clients: Vec<Peer> = (0..5).map(|_| Peer::connect(&server)).collect();
    let children = format!("/proc/{0}/task/{0}/children", server.pid());
    let running = || std::fs::read_to_string(&children).unwrap().split_whitespace().count();
    eventually("five clients have five processes", || running() == 5);
    for client in clients.iter_mut().rev() {
        client.sends("please\n");
    }
    for client in clients {
        assert_eq!(client.reads_to_the_end(), SLOW);
    }
    // Those that ended are buried when the next one comes. One at a time: a visitor has a child of its own for a second.
    eventually("the children are buried", || {
        let mut visitor = Peer::connect(&server);
        visitor.sends("please\n");
        assert_eq!(visitor.reads_to_the_end(), SLOW);
        running() <= 1
    });
    ends_on_ctrl_c(server);
}

#[test]
fn fork_ends_with_a_child_that_waits_for_its_line() {
    let server = start("fork");
    let silent = Peer::connect(&server);
    let mut served = Peer::connect(&server);
    served.sends("please\n");
    assert_eq!(served.reads_to_the_end(), SLOW);
    ends_on_ctrl_c(server);
    silent.ends();
}

#[test]
fn slow_answer_a_thread_for_each_client() {
    let server = start("slow-answer");
    let mut clients: Vec<Peer> = (0..20).map(|_| Peer::connect(&server)).collect();
    eventually("each has a thread", || {
        server.thread_names().iter().filter(|name| name.starts_with('c')).count() == 20
    });
    for client in clients.iter_mut().rev() {
        client.sends("please\n");
    }
    for client in clients {
        assert_eq!(client.reads_to_the_end(), SLOW);
    }
    let _silent = Peer::connect(&server);
    ends_on_ctrl_c(server);
}

#[test]
fn slow_answer_an_endless_line_is_a_line() {
    let server = start("slow-answer");
    let mut client = Peer::connect(&server);
    client.sends([b'x'; 1024]);
    assert_eq!(client.reads_to_the_end(), SLOW);
}

#[test]
fn hello_to_whoever_connects() {
    let server = start("hello");
    for _ in 0..3 {
        assert_eq!(Peer::connect(&server).reads_to_the_end(), "Hello World!");
    }
    ends_on_ctrl_c(server);
}

#[test]
fn upper_case_for_eight_and_a_sentence_for_the_ninth() {
    let server = start("upper");
    let mut clients: Vec<Peer> = (0..8).map(|_| Peer::connect(&server)).collect();
    for client in clients.iter_mut().rev() {
        client.sends("Grüße, class\n");
        client.reads("GRüßE, CLASS\n");
    }
    assert_eq!(Peer::connect(&server).reads_to_the_end(), "Full: 8 are here.\n");
    clients[0].stops_sending();
    clients.remove(0).ends();
    eventually("there is a place again", || {
        let mut next = Peer::connect(&server);
        next.stops_sending();
        next.reads_to_the_end().is_empty()
    });
    ends_on_ctrl_c(server); // with seven clients still there
}

#[test]
fn a_pool_of_four_and_the_fifth_student_waits() {
    let server = start("upper-pool");
    let mut four: Vec<Peer> = (0..4).map(|_| Peer::connect(&server)).collect();
    for student in &mut four {
        student.sends("a");
        student.reads("A");
    }
    let mut fifth = Peer::connect(&server);
    fifth.sends("b");
    fifth.hears_nothing(); // although the four are silent and their threads idle
    drop(four.remove(2));
    fifth.reads("B");
    ends_on_ctrl_c(server);
}
