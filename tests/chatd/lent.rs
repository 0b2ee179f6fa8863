//! Sockets that the manager of services keeps: while chatd is started anew, nobody is refused.

use crate::harness::{Client, Folder, Process, Program, Server, has_program, tls, wait_for};
use std::{
    fs,
    net::{SocketAddr, TcpListener},
    process::Command,
};

/// Plays systemd, with its own rules: a listener is descriptor 3, and outlives whoever serves it.
const MANAGER: &str = r#"
import os, signal, socket, sys
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(64)
print("listening on 127.0.0.1:%d" % listener.getsockname()[1], flush=True)
for run in range(2):
    child = os.fork()
    if child == 0:
        os.dup2(listener.fileno(), 3)
        os.set_inheritable(3, True)
        os.environ.update(LISTEN_FDS="1", LISTEN_FDNAMES="chat", LISTEN_PID=str(os.getpid()))
        os.execv(sys.argv[1], sys.argv[1:])
    print("serves: %d" % child, flush=True)
    os.waitpid(child, 0)
    print("ended", flush=True)
    sys.stdin.readline()
"#;

fn pid(manager: &Process, number: usize) -> String {
    let find = || {
        manager
            .printed()
            .lines()
            .filter_map(|line| line.strip_prefix("serves: "))
            .nth(number)
            .map(str::to_owned)
    };
    wait_for(find, || manager.printed() + &manager.log())
}

#[test]
fn whoever_comes_while_the_server_is_started_anew_is_not_refused() {
    let folder = Folder::new();
    fs::write(folder.path("manager.py"), MANAGER).unwrap();
    let mut command = Command::new("python3");
    command.arg(folder.path("manager.py")).arg(env!("CARGO_BIN_EXE_chatd"));
    command.args(["--web", "none", "--db", "chatd.db"]).current_dir(folder.path(""));
    let mut manager = Server::start_program(command);
    let mut ann = manager.lets_in("ann");
    let first = pid(&manager, 0);
    assert!(Command::new("kill").args(["-TERM", &first]).status().unwrap().success());
    ann.hears_to_the_end();
    wait_for(|| manager.printed().contains("ended").then_some(()), || manager.log());
    // Nobody serves now. They connect all the same.
    let mut waiting: Vec<Client> =
        ["bob", "eve"].map(|name| Client::connect(manager.address, name)).into();
    manager.types("\n");
    for (client, name) in waiting.iter_mut().zip(["bob", "eve"]) {
        client.asks_until(name, &format!("*** Hello {name}."));
    }
    let second = pid(&manager, 1);
    assert!(Command::new("kill").args(["-TERM", &second]).status().unwrap().success());
    manager.types("\n");
    assert_eq!(manager.exit_code(), Some(0));
    assert!(!manager.log_to_the_end().contains("ERROR"), "a lent listener is no trouble");
}

/// Systemd's own program, with a listener for each of these names; it starts the server when the first one comes.
fn activate<const N: usize>(
    names: [&str; N],
    folder: &Folder,
    options: &str,
) -> (Process, [SocketAddr; N]) {
    let free = names.map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    let addresses = free.map(|listener| listener.local_addr().unwrap());
    let mut command = Command::new("systemd-socket-activate");
    command.args(addresses.map(|address| format!("--listen={address}")));
    command.arg(format!("--fdname={}", names.join(":"))).arg(env!("CARGO_BIN_EXE_chatd"));
    command.args(["--db", "none"]).args(options.split(' ')).current_dir(folder.path(""));
    let activate = Process::start(command);
    let is_open = || activate.log().matches("Listening on").count() == N;
    wait_for(|| is_open().then_some(()), || activate.log());
    (activate, addresses)
}

#[test]
fn systemd_s_own_program_starts_it_at_the_first_connection() {
    if !has_program("systemd-socket-activate") {
        return;
    }
    let (mut activate, [address]) = activate(["chat"], &Folder::new(), "--web none");
    let mut ann = Client::connect(address, "ann");
    ann.asks_until("ann", "*** Hello ann.");
    ann.says("/quit");
    ann.hears_to_the_end();
    activate.signal("TERM");
    assert_eq!(activate.exit_code(), Some(0));
}

/// Each is what its name says, in whatever order they are lent.
#[test]
fn lent_listeners_are_told_apart_by_their_names() {
    if !has_program("systemd-socket-activate") {
        return;
    }
    let names = ["web-tls", "chat", "tls", "web"];
    let (mut activate, [web_tls, chat, tls, web]) =
        activate(names, &Folder::new(), &tls::options());
    let mut ann = Client::connect(chat, "ann");
    ann.asks_until("ann", "*** Hello ann.");
    let gets_the_page = |address| {
        let mut browser = Client::connect(address, "browser");
        browser.sends("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        browser.hears("HTTP/1.1 200 OK\r");
    };
    gets_the_page(web);
    let mut plain = Client::connect(tls, "plain");
    plain.says("hello?");
    plain.hears_until("*** This port is for TLS alone");
    Program::Tls.keeps_here(|| {
        Client::connect(tls, "bob").asks_until("bob", "*** Hello bob.");
        gets_the_page(web_tls);
    });
    ann.hears_until("*** bob entered lobby");
    activate.signal("TERM");
    assert_eq!(activate.exit_code(), Some(0));
}

/// Nothing could be encrypted on it.
#[test]
fn a_listener_for_tls_without_a_certificate_is_refused() {
    if !has_program("systemd-socket-activate") {
        return;
    }
    let (mut activate, [tls]) = activate(["tls"], &Folder::new(), "--web none");
    drop(Client::connect(tls, "bob"));
    assert_eq!(activate.exit_code(), Some(1));
    let log = activate.log_to_the_end();
    let says = "systemd lends a listener for TLS, which needs --tls-cert and --tls-key.";
    assert!(log.contains(says), "{log}");
}
