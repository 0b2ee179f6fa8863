//! A thread of the server's own that hangs: it is noticed, and a stop does not wait for it.

use crate::harness::{Client, DEADLINE, Folder, wait_for};
use argh::FromArgs as _;
use chatd::server::{Chatd, lent::LentListeners, options::Options};
use std::{
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::Duration,
};

/// A server in this process whose fan-out hangs as soon as an administrator, whom this returns with it, types `/shutdown`.
/// It goes on when the sender is dropped. The receiver is told when it hangs.
fn server(folder: &Folder) -> (Chatd, Client, Sender<()>, Receiver<()>) {
    folder.run("account add boss");
    folder.run("account promote boss");
    let (release, held) = channel();
    let (hang, hangs) = channel();
    let database = folder.path("chatd.db");
    let options = ["--listen", "127.0.0.1:0", "--web", "none", "--db", database.to_str().unwrap()];
    let options = Options::from_args(&["chatd"], &options).unwrap();
    let stop = move || {
        hang.send(()).unwrap(); // the fan-out calls this to stop the server
        let _ = held.recv();
    };
    let chatd = Chatd::start(&options, LentListeners::default(), Vec::new(), stop).unwrap();
    let mut boss = Client::connect(chatd.addresses()[0], "boss");
    boss.asks_until("boss", "*** boss is registered.");
    boss.asks_until("correct horse", "*** Hello boss.");
    (chatd, boss, release, hangs)
}

#[test]
fn a_fanout_that_hangs_is_noticed_and_so_is_that_it_goes_on() {
    let folder = Folder::new();
    let (chatd, mut boss, release, hangs) = server(&folder);
    let mut watch = chatd.watch();
    assert!(watch.look().is_empty(), "it waits for events, which is not to hang");
    boss.says("/shutdown");
    hangs.recv_timeout(DEADLINE).unwrap();
    let look = |watch: &mut chatd::server::watch::Watch| {
        thread::park_timeout(Duration::from_millis(100));
        watch.look().pop().map(|(_, line)| line)
    };
    let told = wait_for(|| look(&mut watch), || "nobody notices".to_owned());
    let lead = "thread fanout does not go on: applying events for ";
    let seconds = told.strip_prefix(lead).and_then(|rest| rest.split_once(" s.")?.0.parse().ok());
    assert!(seconds.is_some_and(|seconds: u64| seconds >= 5), "{told}"); // a busy machine looks later
    drop(release);
    let told = wait_for(|| look(&mut watch), || "nobody notices that it is over".to_owned());
    assert_eq!(told, "thread fanout goes on again");
    boss.says("hi");
    boss.hears_until("*** boss shuts the server down");
    chatd.shutdown().unwrap();
}

#[test]
fn a_fanout_that_hangs_does_not_keep_a_stop_from_ending() {
    let folder = Folder::new();
    let (chatd, mut boss, release, hangs) = server(&folder);
    boss.says("/shutdown"); // nobody reads of it: what is applied waits for the disk
    hangs.recv_timeout(DEADLINE).unwrap();
    boss.says("hi");
    let (done, is_done) = channel();
    thread::spawn(move || done.send(chatd.shutdown()));
    // The promise is 5 s; a busy machine may take longer. A stop that waits never ends: the thread is not let go before.
    let stopped = is_done.recv_timeout(DEADLINE).expect("the stop waits for a thread that hangs");
    let why = stopped.unwrap_err().to_string();
    assert!(why.starts_with("thread fanout hangs (applying events for "), "{why}");
    assert!(why.contains("and what waits for 1 clients"), "{why}");
    drop(release);
}
