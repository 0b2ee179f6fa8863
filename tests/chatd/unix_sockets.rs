//! A Unix-domain socket beside the port: who comes by it is known by their user.

use crate::harness::{Client, Folder, Process, Program, Server, example, has_program, skip};
use std::{
    os::unix::fs::{FileTypeExt as _, PermissionsExt as _},
    process::{Command, Stdio},
};

fn start(folder: &Folder, options: &str) -> Server {
    let server = Server::start_in(folder, &format!("--db none --listen unix:s {options}"));
    server.prints("listening on unix:s");
    server
}

fn enter(folder: &Folder, name: &str) -> Client {
    let mut client = Client::connect_to_file(&folder.path("s"), name);
    client.hears_until("*** What is your name?");
    client.says(name);
    client.hears_until("*** You are in lobby");
    client
}

#[test]
pub fn who_comes_by_a_file_chats_with_who_comes_by_a_port() {
    let folder = Folder::new();
    let mut server = start(&folder, "");
    let [mut alice] = server.enter(["alice"]);
    let mut bob = enter(&folder, "bob");
    alice.hears("*** bob entered lobby");
    bob.says("hi");
    alice.hears("<bob> hi");
    alice.says("hello");
    bob.hears_until("<alice> hello");
    let uid = rustix::process::getuid().as_raw();
    server.logs(&format!("connected from uid:{uid}"));
    bob.says("/quit");
    bob.hears_until("*** Goodbye.");
    bob.ends();
    let metadata = std::fs::symlink_metadata(folder.path("s")).unwrap();
    assert!(metadata.file_type().is_socket());
    assert_eq!(metadata.permissions().mode() & 0o777, 0o666);
    server.signal("TERM");
    assert_eq!(server.exit_code(), Some(0));
    assert!(!folder.path("s").exists());
}

/// Such a socket is hung up as soon as its peer is gone, and not only at the next send, as with TCP.
#[test]
pub fn what_a_script_sent_before_it_closed_is_said() {
    let folder = Folder::new();
    let server = start(&folder, "--flood 10/20");
    let [mut alice] = server.enter(["alice"]);
    let mut script = Client::connect_to_file(&folder.path("s"), "script");
    script.hears_until("*** What is your name?");
    let lines: String = (0..30).map(|i| format!("line {i}\n")).collect();
    script.sends(format!("script\n{lines}"));
    script.hears_until("*** You are in lobby");
    script.has_read_everything();
    drop(script);
    alice.hears("*** script entered lobby");
    for i in 0..30 {
        alice.hears(&format!("<script> line {i}"));
    }
    alice.hears_until("*** script left lobby");
}

#[test]
pub fn limits_and_bans_hold_for_a_user() {
    let folder = Folder::with_administrator(&["boss"]);
    let server = Server::start_in(&folder, "--listen unix:s --per-source 2");
    server.prints("listening on unix:s");
    let mut boss = server.logs_in("boss");
    let [mut bob, _carol] = ["bob", "carol"].map(|name| enter(&folder, name));
    let mut third = Client::connect_to_file(&folder.path("s"), "third");
    third.hears_until("*** Sorry: 2 connections from your address are open");
    drop(third);
    let uid = rustix::process::getuid().as_raw();
    boss.says(&format!("/ban uid:{uid}"));
    boss.hears_until(&format!("*** uid:{uid} is banned"));
    bob.hears_until("*** Hung up: you are banned by boss");
    drop(server);
    let server = Server::start_in(&folder, "--listen unix:s");
    server.prints("listening on unix:s");
    let mut dave = Client::connect_to_file(&folder.path("s"), "dave");
    dave.hears_until("*** What is your name?");
    dave.says("dave");
    dave.hears_until("*** Hung up: you are banned by boss");
    server.lets_in("erin"); // by the port: nobody there is this user
}

#[test]
fn another_user_is_another_address() {
    if !rustix::process::getuid().is_root() || !has_program("setpriv") || !has_program("nc") {
        return skip("another_user_is_another_address: needs root, setpriv and nc");
    }
    let folder = Folder::new();
    std::fs::set_permissions(folder.path(""), std::fs::Permissions::from_mode(0o755)).unwrap();
    let server = start(&folder, "");
    let mut nc = Command::new("setpriv")
        .args(["--reuid", "54321", "--clear-groups", "nc", "-N", "-U"])
        .arg(folder.path("s"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    server.logs("connected from uid:54321");
    drop(nc.stdin.take());
    assert!(nc.wait().unwrap().success());
}

#[test]
fn a_path_that_cannot_be_had_is_told_in_a_sentence() {
    let folder = Folder::new();
    std::fs::write(folder.path("text"), "a text").unwrap();
    let long = "x".repeat(108);
    let _server = start(&folder, "");
    for (option, says) in [
        ("unix:text", "cannot listen on unix:text. There is something that is no socket"),
        ("unix:s", "Somebody answers there, perhaps another chatd."),
        ("unix:none/s", "There is no such folder."),
        (&format!("unix:{long}"), "The path has 108 bytes, and a socket's has at most 107."),
        ("unix:", "needs the path of a file"),
        ("unix:s,mode=9", "\"9\" is no mode: give three digits, like 660"),
    ] {
        let mut command = Command::new(Program::Chatd.path());
        command.current_dir(folder.path("")).args(["--db", "none", "--listen", option]);
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(says), "{option}: {said}");
    }
    assert_eq!(std::fs::read_to_string(folder.path("text")).unwrap(), "a text");
}

#[test]
fn the_textbooks_server_takes_its_file_away_too() {
    let folder = Folder::new();
    let mut command = Command::new(example::example("chatd-mutex"));
    command.current_dir(folder.path("")).args(["--listen", "unix:s", "--db", "none"]);
    let mut server = Process::start(command);
    server.prints("listening on unix:s");
    assert!(folder.path("s").exists());
    server.ends_on_ctrl_c();
    assert!(!folder.path("s").exists());
}
