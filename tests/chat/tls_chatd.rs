//! TLS with chatd on the other side.

use crate::{
    harness::{self, Folder},
    person::Start,
    pipes::Piped,
};
use std::process::Command;

/// A chatd that speaks TLS; where, and what its certificate is known by.
fn chatd() -> (Folder, harness::Server, String, String) {
    let folder = Folder::new();
    let mut made = Command::new(env!("CARGO_BIN_EXE_chatd"));
    let made = made.args(["tls", "make", "--in"]).arg(folder.path("")).output().unwrap();
    let said = String::from_utf8(made.stdout).unwrap();
    let print = said.lines().find(|line| line.starts_with("SHA256:")).unwrap().to_owned();
    let files = "--tls-cert chatd-cert.pem --tls-key chatd-key.pem";
    let server =
        harness::Server::start_in(&folder, &format!("--db none --tls 127.0.0.1:0 {files}"));
    server.prints("listening for TLS on ");
    let printed = server.printed();
    let port = printed.split("for TLS on 127.0.0.1:").nth(1).unwrap().lines().next().unwrap();
    (folder, server, format!("localhost:{port}"), print)
}

#[test]
fn people_and_programs_talk() {
    let (_folder, server, address, print) = chatd();
    let [mut alice] = server.enter(["alice"]);
    let arguments = ["--tls", "--fingerprint", &print, "--name", "bob"];
    let person = Start::at(address.clone(), &arguments).full().go();
    alice.hears("*** bob entered lobby");
    person.sees_prompt("bob@lobby> ");
    person.types("hi\r");
    alice.hears("<bob> hi");
    let arguments = ["--tls", &address, "--fingerprint", &print, "--name", "eve", "--json"];
    let mut piped = Piped::start(&arguments);
    piped.reads("a bot\n");
    alice.hears("*** eve entered lobby");
    alice.hears("<eve> a bot");
    person.sees("<eve> a bot");
    alice.says("hello both");
    person.sees("<alice> hello both");
    piped.reads("/quit\n");
    let out = piped.ends_with(0, "");
    assert!(out.contains(r#""line":"<alice> hello both""#), "{out}");
    server.signal("TERM");
    person.sees("the server is shutting down.");
    person.sees("refused the connection");
}

#[test]
fn whoever_comes_without_tls_is_told() {
    let (_folder, server, address, _) = chatd();
    let mut piped = Piped::start(&[&address, "--name", "bob"]);
    piped.reads("hi\n");
    piped.ends_with(12, "speaks TLS, so start with --tls.");
    let plain = server.address.to_string();
    Piped::start(&["--tls", &plain]).ends_with(12, "what it answers is no TLS");
}
