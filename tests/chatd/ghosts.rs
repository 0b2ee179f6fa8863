//! A peer that vanishes without a word: a laptop that is closed, a cable that is pulled. It sends no end of file, so
//! only silence tells. Tried with a host of our own in a network namespace, whose cable is pulled.

use crate::harness::{Folder, Process, Server, skip};
use std::process::{Command, Stdio};

/// A second host on this machine: a network namespace with a virtual cable to it.
struct Host {
    name: String,
    /// Our end of the cable, and our address there.
    cable: String,
    ours: String,
}

impl Host {
    fn new() -> Option<Host> {
        // A number that nobody else has: another test that runs now, or one that was killed.
        let first = std::process::id();
        let mut numbers = (0..200).map(|i| (first + i) % 200);
        let id = numbers.find(|id| ip(&format!("netns add ghost{id}")))?;
        let (name, cable, far) =
            (format!("ghost{id}"), format!("ghost{id}a"), format!("ghost{id}b"));
        let (ours, theirs) = (format!("10.213.{id}.1"), format!("10.213.{id}.2"));
        let steps = [
            format!("link add {cable} type veth peer name {far}"),
            format!("link set {far} netns {name}"),
            format!("addr add {ours}/24 dev {cable}"),
            format!("link set {cable} up"),
            format!("-n {name} addr add {theirs}/24 dev {far}"),
            format!("-n {name} link set {far} up"),
        ];
        let host = Host { name, cable, ours };
        steps.iter().all(|step| ip(step)).then_some(host)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        ip(&format!("link del {}", self.cable));
        ip(&format!("netns del {}", self.name));
    }
}

/// Whether `ip` does this.
pub fn ip(words: &str) -> bool {
    let status = Command::new("ip").args(words.split(' ')).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

#[test]
fn a_peer_that_vanishes_is_found() {
    let Some(host) = Host::new() else {
        return skip("it takes root and `ip` to make a second host");
    };
    let folder = Folder::new();
    let server =
        folder.chatd(&format!("--listen {}:0 --web none --db none --ghost-after 2", host.ours));
    let server = Server::start_program(server);
    let [mut alice] = server.enter(["alice"]);
    let mut ghost = Command::new("ip");
    let port = server.address.port();
    let talk = format!("exec 3<>/dev/tcp/{}/{port}; echo ghost >&3; cat <&3", host.ours);
    ghost.args(["netns", "exec", &host.name, "bash", "-c", &talk]);
    let _ghost = Process::start(ghost);
    alice.hears("*** ghost entered lobby");

    assert!(ip(&format!("link set {} down", host.cable)));
    alice.hears("*** ghost left lobby (connection lost)"); // within the test's deadline; 2 s were asked for
    server.logs(":ghost left: connection lost: ");
    server.lets_in("ghost");
}
