//! Sockets that the manager of services keeps: while chatd is started anew, nobody is refused.

use crate::harness::{
    Client, Folder, Process, Program, Server, eventually, has_program, tls, wait_for,
};
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

#[cfg(target_os = "linux")]
/// Plays systemd as `Type=notify` with a watchdog has it, and prints what it is told, and by which process.
const NOTIFIED: &str = r#"
import os, socket, struct, sys
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(64)
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind("notify")
notify.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
notify.settimeout(0.1)
print("listening on 127.0.0.1:%d" % listener.getsockname()[1], flush=True)
child = os.fork()
if child == 0:
    os.dup2(listener.fileno(), 3)
    os.set_inheritable(3, True)
    pid = str(os.getpid())
    os.environ.update(LISTEN_FDS="1", LISTEN_FDNAMES="chat", LISTEN_PID=pid)
    os.environ.update(NOTIFY_SOCKET=os.path.abspath("notify"), WATCHDOG_USEC="3000000", WATCHDOG_PID=pid)
    os.execv(sys.argv[1], sys.argv[1:])
print("serves: %d" % child, flush=True)
while os.waitpid(child, os.WNOHANG) == (0, 0):
    try:
        told, extra, _, _ = notify.recvmsg(4096, 64)
        print("told by %d: %s" % (struct.unpack("3i", extra[0][2])[0], told.decode()), flush=True)
    except TimeoutError:
        pass
"#;

#[cfg(target_os = "linux")]
#[test]
fn the_manager_of_services_notices_nothing_of_an_upgrade() {
    let folder = Folder::new();
    fs::write(folder.path("manager.py"), NOTIFIED).unwrap();
    let mut command = Command::new("python3");
    command.arg("manager.py").arg(env!("CARGO_BIN_EXE_chatd"));
    command.args(["--web", "none", "--db", "chatd.db"]).current_dir(folder.path(""));
    let mut manager = Server::start_program(command);
    let mut ann = manager.lets_in("ann");
    let pid = pid(&manager, 0);
    let signal = |name: &str| {
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    };
    let told = |what: &str| manager.printed().matches(&format!("told by {pid}: {what}")).count();
    let await_more = |what: &str, than: usize| eventually(what, || told(what) > than);
    for times in 1..=2 {
        await_more("READY=1", times - 1);
        signal("-USR2");
        await_more("READY=1", times);
        await_more("WATCHDOG=1", told("WATCHDOG=1"));
        let variables = fs::read_to_string(format!("/proc/{pid}/environ")).unwrap();
        let has = |name: &str| variables.split('\0').any(|one| one.starts_with(name));
        assert!(["NOTIFY_SOCKET=", "WATCHDOG_USEC=", "WATCHDOG_PID="].into_iter().all(has));
        assert!(!has("LISTEN_FDS="), "they are not taken again: {variables}");
        ann.asks_until("/who", "***   ann");
        let mut bob = manager.lets_in("bob"); // by the socket that the manager keeps
        ann.hears_until("*** bob entered lobby");
        bob.says("/quit");
        ann.hears_until("*** bob left lobby");
    }
    signal("-TERM");
    await_more("STOPPING=1", 0);
    assert_eq!(manager.exit_code(), Some(0));
    let others = manager.printed_to_the_end();
    let by_others = |line: &&str| line.starts_with("told by ") && !line.contains(&pid);
    assert_eq!(others.lines().find(by_others), None, "a rehearsal tells it nothing");
}

/// The same with systemd's own program, which starts the server when the first one comes.
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
