//! Each way to end has its own sentence and its own exit code.

use crate::pipes::{Piped, piped};
use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    time::Duration,
};

const SORRY: &str = "*** Sorry: all 512 places are taken. Please try again later.";

#[track_caller]
fn assert_ends(arguments: &[&str], code: i32, sentence: &str) {
    assert_eq!(Piped::start(arguments).ends_with(code, sentence), "");
}

#[test]
fn refused() {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    assert_ends(&[&free.to_string()], 4, "no server listens there");
}

#[test]
fn an_unknown_host() {
    // Two dots in a row are no name: nobody is asked for it, here or in the network.
    assert_ends(&["no..such..host"], 3, "no host is called \"no..such..host\"");
}

/// A listener whose accept queue is full does not answer at all, on Linux.
#[cfg(target_os = "linux")]
#[test]
fn no_answer() {
    let listener =
        socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    listener.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap().as_socket().unwrap();
    let connect = || TcpStream::connect_timeout(&address, Duration::from_millis(200));
    let full: Vec<TcpStream> = std::iter::from_fn(|| connect().ok()).take(16).collect();
    assert!(full.len() < 16, "the queue does not fill");
    assert_ends(&[&address.to_string()], 5, "did not answer within 5 s");
}

#[test]
fn a_full_server() {
    let (_server, client, piped) = piped(&["--name", "alice"]);
    client.gets(SORRY);
    client.loses_connection();
    assert_eq!(piped.ends_with(6, "the server is full"), format!("{SORRY}\n"));
}

#[test]
fn a_name_that_is_taken_or_refused() {
    let taken = "*** The name \"alice\" is taken. What is your name?";
    let refused = "*** A name starts with a letter, and \"7up\" does not. What is your name?";
    for (name, answer, code, sentence) in [
        ("alice", taken, 7, "the name \"alice\" is taken. Choose another with --name."),
        ("7up", refused, 10, "A name starts with a letter"),
    ] {
        let (_server, client, piped) = piped(&["--name", name]);
        client.gets_welcome();
        client.says(name);
        client.gets_refusal(answer);
        piped.ends_with(code, sentence);
    }
}

/// Also if there is nothing to say: the end of the input comes before the refusal.
#[test]
fn a_name_that_is_refused_when_all_is_said() {
    let (_server, client, mut piped) = piped(&["--name", "7up"]);
    client.gets_welcome();
    client.says("7up");
    piped.reads_no_more();
    client.says_no_more();
    client
        .gets_refusal("*** A name starts with a letter, and \"7up\" does not. What is your name?");
    piped.ends_with(10, "A name starts with a letter");
}

#[test]
fn the_server_goes() {
    let (_server, client, piped) = piped(&["--name", "alice"]);
    client.enters_as("alice");
    client.gets(
        "{\"bye\":1011,\"again\":true}\n*** Hung up: an error in the server ended your connection.",
    );
    client.loses_connection();
    piped.ends_with(8, "hung up. It said: an error in the server");
}

#[test]
fn options() {
    assert!(Piped::start(&["--help"]).ends_with(0, "").contains("--no-reconnect"));
    let version = concat!("chat ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(Piped::start(&["--version"]).ends_with(0, ""), version);
    assert_ends(
        &["--no-such-option"],
        2,
        "chat: Unrecognized argument: --no-such-option\nLike this",
    );
    assert_ends(&["localhost:port"], 2, "chat: \"port\" is no port: that is a number from 1");
    assert_ends(&["localhost", "port"], 2, "is no port");
    assert_ends(&["--name", "two\nlines"], 2, "chat: --name wants one word");
    assert_ends(&["--room", "two words"], 2, "chat: --room wants one word");
}

/// At a terminal a taken name is no ending: the person is asked again.
#[cfg(unix)]
#[test]
fn a_taken_name_at_a_terminal() {
    let (_server, client, person) = crate::person::somebody(&["--name", "alice"]);
    client.gets_welcome();
    client.says("alice");
    client.gets_refusal("*** The name \"alice\" is taken. What is your name?");
    person.sees("*** The name \"alice\" is taken. What is your name?");
    person.sees_prompt("name> ");
    person.types("alison\r");
    client.says("alison");
    client.gets_in("alison", &[]);
    person.sees_prompt("alison@lobby> ");
}

/// The sentence also reaches somebody who sits at a terminal, and the terminal is left in order.
#[cfg(unix)]
#[test]
fn a_full_server_at_a_terminal() {
    let (_server, client, person) = crate::person::somebody(&["--name", "alice"]);
    client.gets(SORRY);
    client.loses_connection();
    person.ends_with(6);
    person.sees("chat: the server is full.");
}
