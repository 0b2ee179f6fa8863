//! A peer that vanishes without a word: a laptop that is closed, a cable that is pulled. It sends no end of file, so
//! only silence tells. Tried with a host of our own in a network namespace, whose cable is pulled.

use crate::harness::{Client, DEADLINE, Server};
use std::{
    process::{Child, Command, Stdio},
    time::Instant,
};

/// A second host on this machine: a network namespace with a virtual cable to it.
struct Host {
    name: String,
    /// Our end of the cable.
    cable: String,
    ours: String,
}

impl Host {
    fn new() -> Option<Host> {
        let id = std::process::id() % 200;
        let (name, cable) = (format!("ghost{id}"), format!("ghost{id}a"));
        let (ours, theirs) = (format!("10.213.{id}.1"), format!("10.213.{id}.2"));
        let host = Host { name: name.clone(), cable: cable.clone(), ours: ours.clone() };
        let far = format!("ghost{id}b");
        let steps = [
            format!("netns add {name}"),
            format!("link add {cable} type veth peer name {far}"),
            format!("link set {far} netns {name}"),
            format!("addr add {ours}/24 dev {cable}"),
            format!("link set {cable} up"),
            format!("-n {name} addr add {theirs}/24 dev {far}"),
            format!("-n {name} link set {far} up"),
        ];
        steps.iter().all(|step| ip(step)).then_some(host)
    }

    fn run(&self, program: &str, args: &[&str]) -> Child {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]).args(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        ip(&format!("link del {}", self.cable));
        ip(&format!("netns del {}", self.name));
    }
}

fn ip(words: &str) -> bool {
    let status = Command::new("ip").args(words.split(' ')).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

#[test]
fn a_peer_that_vanishes_is_found() {
    let Some(host) = Host::new() else {
        assert!(std::env::var_os("CI").is_none(), "CI has to have root and iproute2");
        println!(
            "SKIPPED a_peer_that_vanishes_is_found: it takes root and `ip` to make a second host"
        );
        return;
    };
    let server = Server::start(&["--listen", &format!("{}:0", host.ours), "--ghost-after", "3"]);
    let [mut alice] = server.enter(["alice"]);
    // The second address that was listened on is the one the host can reach.
    let port = listening_port(server.pid(), server.address.port());
    let mut ghost = host.run(
        "bash",
        &["-c", &format!("exec 3<>/dev/tcp/{}/{port}; echo ghost >&3; cat <&3", host.ours)],
    );
    alice.hears("*** ghost entered lobby");

    assert!(ip(&format!("link set {} down", host.cable)));
    let pulled = Instant::now();
    alice.hears("*** ghost left lobby (connection lost)");
    assert!(pulled.elapsed() < DEADLINE, "3 s were asked for");
    server.logs(":ghost left: connection lost: ");
    let _ = ghost.kill();
    let _ = ghost.wait();

    let mut again: Client = server.connect("ghost");
    again.says("ghost");
    again.hears_until("*** Hello ghost.");
}

/// The other port on which this process listens.
fn listening_port(pid: u32, not: u16) -> u16 {
    let table = Command::new("ss").args(["-Hltnp"]).output().unwrap().stdout;
    let table = String::from_utf8(table).unwrap();
    let ours = table.lines().filter(|line| line.contains(&format!("pid={pid},")));
    let ports =
        ours.filter_map(|line| line.split_whitespace().nth(3)?.rsplit_once(':')?.1.parse().ok());
    ports.into_iter().find(|&port| port != not).expect("it listens on two addresses")
}
