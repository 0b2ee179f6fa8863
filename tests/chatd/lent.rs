//! Sockets that the manager of services keeps: while chatd is started anew, nobody is refused.

use crate::harness::{Client, Folder, Process, Server, has_program, wait_for};
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

/// The same with systemd's own program, which starts the server when the first one comes.
#[test]
fn systemd_s_own_program_starts_it_at_the_first_connection() {
    if !has_program("systemd-socket-activate") {
        return;
    }
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address: SocketAddr = free.local_addr().unwrap();
    drop(free);
    let folder = Folder::new();
    let mut command = Command::new("systemd-socket-activate");
    command.args(["-l", &address.to_string(), "--fdname=chat", env!("CARGO_BIN_EXE_chatd")]);
    command.args(["--web", "none", "--db", "none"]).current_dir(folder.path(""));
    let mut activate = Process::start(command);
    wait_for(|| activate.log().contains("Listening on").then_some(()), || activate.log());
    let mut ann = Client::connect(address, "ann");
    ann.asks_until("ann", "*** Hello ann.");
    ann.says("/quit");
    ann.hears_to_the_end();
    activate.signal("TERM");
    assert_eq!(activate.exit_code(), Some(0));
}
