//! Each way to end has its own sentence and its own exit code.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use crate::pipes::Piped;
use crate::server::Server;

#[track_caller]
fn assert_ends(arguments: &[&str], code: i32, sentence: &str) {
    let (told, out, err) = Piped::start(arguments).ends();
    assert_eq!((told, out.as_str()), (code, ""), "{err}");
    assert!(err.contains(sentence), "{err}");
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
    let server = Server::start();
    let piped = Piped::start(&[&server.address(), "--name", "alice"]);
    let client = server.accepts();
    client.is_told("*** Sorry: all 512 places are taken. Please try again later.");
    client.hangs_up();
    let (code, out, err) = piped.ends();
    assert_eq!(code, 6, "{err}");
    assert_eq!(out, "*** Sorry: all 512 places are taken. Please try again later.\n");
    assert!(err.contains("the server is full"), "{err}");
}

#[test]
fn a_taken_name() {
    let server = Server::start();
    let piped = Piped::start(&[&server.address(), "--name", "alice"]);
    let client = server.accepts();
    client.is_welcomed();
    client.says("alice");
    client.is_told("*** The name \"alice\" is taken. What is your name?");
    let (code, _, err) = piped.ends();
    assert_eq!(code, 7, "{err}");
    assert!(err.contains("the name \"alice\" is taken. Choose another with --name."), "{err}");
}

#[test]
fn a_refused_name() {
    let server = Server::start();
    let piped = Piped::start(&[&server.address(), "--name", "7up"]);
    let client = server.accepts();
    client.is_welcomed();
    client.says("7up");
    client.is_told("*** A name starts with a letter, and \"7up\" does not. What is your name?");
    let (code, _, err) = piped.ends();
    assert_eq!(code, 10, "{err}");
    assert!(err.contains("A name starts with a letter"), "{err}");
}

#[test]
fn the_server_goes() {
    let server = Server::start();
    let piped = Piped::start(&[&server.address(), "--name", "alice"]);
    let client = server.accepts();
    client.enters_as("alice");
    client.is_told("*** Hung up: an error in the server ended your connection.");
    client.hangs_up();
    let (code, _, err) = piped.ends();
    assert_eq!(code, 8, "{err}");
    assert!(err.contains("hung up. It said: an error in the server"), "{err}");
}

#[test]
fn options() {
    let (code, out, _) = Piped::start(&["--help"]).ends();
    assert_eq!(code, 0);
    assert!(out.contains("--no-reconnect"), "{out}");
    let (code, out, _) = Piped::start(&["--version"]).ends();
    assert_eq!((code, out.as_str()), (0, concat!("chat ", env!("CARGO_PKG_VERSION"), "\n")));
    assert_ends(&["--no-such-option"], 2, "--no-such-option");
    assert_ends(&["localhost:port"], 2, "is not a port");
    assert_ends(&["--name", "two\nlines"], 2, "--name wants one word");
}

/// At a terminal a taken name is no ending: the person is asked again.
#[cfg(unix)]
#[test]
fn a_taken_name_at_a_terminal() {
    let server = Server::start();
    let person = crate::person::Start::new(&server, &["--name", "alice"]).go();
    let client = server.accepts();
    client.is_welcomed();
    client.says("alice");
    client.is_told("*** The name \"alice\" is taken. What is your name?");
    person.sees("*** The name \"alice\" is taken. What is your name?");
    person.sees_prompt("name> ");
    person.types("alison\r");
    client.says("alison");
    client.is_let_in("alison", "alone.");
    person.sees_prompt("alison@lobby> ");
}

/// The sentence also reaches somebody who sits at a terminal, and the terminal is left in order.
#[cfg(unix)]
#[test]
fn a_full_server_at_a_terminal() {
    let server = Server::start();
    let person = crate::person::Start::new(&server, &["--name", "alice"]).go();
    let client = server.accepts();
    client.is_told("*** Sorry: all 512 places are taken. Please try again later.");
    client.hangs_up();
    assert_eq!(person.ends(), 6);
    person.sees("chat: the server is full.");
    person.finds_the_terminal_as_it_was();
}
