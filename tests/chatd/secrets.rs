//! What was a password is nowhere afterwards: not in the process's memory either, where a core dump would have it.
//! (`a_password_goes_nowhere` in accounts.rs looks at the files, the log and what others read.)

use crate::harness::{Client, Folder, Program, Server, eventually, has_program, skip};
use std::{
    fs::{self, File},
    os::unix::fs::FileExt as _,
};

/// All that a core dump of this process would have: the memory that it may write to.
fn memory(server: &Server) -> Option<Vec<u8>> {
    let file = |name: &str| format!("/proc/{}/{name}", server.pid());
    let memory = File::open(file("mem")).ok()?;
    let mut all = Vec::new();
    for map in fs::read_to_string(file("maps")).ok()?.lines() {
        let (range, rest) = map.split_once(' ').unwrap();
        if !rest.starts_with("rw") {
            continue;
        }
        let (from, to) = range.split_once('-').unwrap();
        let [from, to] = [from, to].map(|end| u64::from_str_radix(end, 16).unwrap());
        let mut bytes = vec![0; (to - from) as usize];
        let read = memory.read_at(&mut bytes, from).unwrap_or(0); // it may have gone meanwhile
        all.extend_from_slice(&bytes[..read]);
    }
    (!all.is_empty()).then_some(all)
}

#[test]
fn a_core_dump_has_no_password_that_was_typed() {
    const TALK: &str = "something that was said";
    const PASSWORDS: [&str; 6] = [
        "first-Kxqzvw-password",
        "second-Jhfgqp-password",
        "typed-in-vain-Wvbnmx",
        "login-right-away-Zrtplk",
        "register-at-once-Qwmxcv",
        "d\u{e9}compos\u{e9}-Ghjtrw-password",
    ];
    let [first, second, wrong, wrong_login, at_once, composed] = PASSWORDS;
    let folder = Folder::new();
    let server = folder.start("--flood off");
    let [mut alice, mut bob, mut carol] = server.enter(["alice", "bob", "carol"]);
    alice.says(&format!("/register\n{first}\n{first}"));
    alice.hears_until("*** alice is yours");
    alice.says(&["/password", first, second, second].join("\n"));
    alice.hears_until("*** Your password is changed.");
    bob.asks_until(&format!("/register {at_once}"), "*** bob is yours");
    carol.asks_until(&format!("/login alice {wrong_login}"), "*** No account");
    carol.asks_until(&format!("/register {composed}"), "*** carol is yours");
    let mut again = server.connect("again");
    again.asks_until("alice", "*** alice is registered.");
    again.asks_until(wrong, "*** That is not the password");
    again.asks_until(second, "*** Hello alice.");
    again.says(TALK);
    bob.hears_until(&format!("<alice> {TALK}"));

    let Some(memory) = memory(&server) else {
        return skip("nobody but root may read the memory of this process");
    };
    let has = |text: &str| memchr::memmem::find(&memory, text.as_bytes()).is_some();
    assert!(has(TALK), "the room's memory is among it");
    for password in PASSWORDS {
        // The middle of it: its beginning may have been overwritten by the allocator.
        let middle = &password[password.len() / 3..].get(..8).unwrap_or(password);
        assert!(!has(middle), "{password} is there");
    }
}

/// Neither in a server that has handed it over in vain, nor in the one that was given it.
#[test]
fn half_a_password_is_overwritten_too_on_its_way_to_another_program() {
    const TALK: &str = "something that was said";
    const HALF: &str = "the-first-half-Kxqzvw-of-what-is-typed";
    let folder = Folder::with_accounts(&["ann"]);
    fs::write(folder.path("motd"), "hello").unwrap();
    let server = folder.start("--motd motd");
    let mut ann = server.connect("ann");
    ann.asks_until("ann", "*** ann is registered.");
    ann.sends(HALF);
    let mut bob = server.lets_in("bob");
    bob.says(TALK);
    bob.asks_until("/who", "***   bob");
    let looks = || {
        let memory = memory(&server)?;
        let has = |text: &str| memchr::memmem::find(&memory, text.as_bytes()).is_some();
        assert!(has(TALK), "the room's memory is among it");
        // As it is handed over: in hexadecimal digits.
        let digits = "half-Kxqzvw-of".bytes().map(|byte| format!("{byte:02x}"));
        Some(has(&digits.collect::<String>()))
    };
    fs::rename(folder.path("motd"), folder.path("away")).unwrap();
    server.signal("USR2");
    server.logs("nothing is upgraded: the new program refuses: ");
    let Some(found) = looks() else {
        return skip("nobody but root may read the memory of this process");
    };
    assert!(!found, "the server that goes on has it as it was typed, and in no other form");
    fs::rename(folder.path("away"), folder.path("motd")).unwrap();
    server.signal("USR2");
    server.logs("this program has taken over");
    ann.asks_until("", "*** That is not the password");
    assert_eq!(looks(), Some(false));
}

/// A trace of all system calls but those that read has what is written to files and the log, what is sent, and the names and
/// arguments of whatever is opened or started.
#[test]
fn no_system_call_takes_a_password_out() {
    const TALK: &str = "something that was said";
    if !has_program("strace") {
        return;
    }
    let folder = Folder::new();
    let all = "trace=!read,readv,pread64,recvfrom,recvmsg";
    let server = Server::start_traced(&folder, &["-s", "1000000", "-e", all]);
    let kinds = [
        (Program::Chatd, "listening on ", "ann"),
        (Program::Tls, "listening for TLS on ", "tina"),
        (Program::Browser, "listening for browsers on ", "will"),
    ];
    let mut listener = server.lets_in("listener");
    let mut passwords = Vec::new();
    for (kind, lead, name) in kinds {
        let password = |what: &str| format!("{what}-of-{name}-Kxqzvw");
        let [first, second, wrong, at_the_door] =
            ["the-first", "the-second", "typed-in-vain", "typed-at-the-door"].map(password);
        let connect = || Client::connect(server.also_at(lead), name);
        kind.keeps_here(|| {
            let mut client = connect();
            client.asks_until(name, &format!("*** Hello {name}."));
            client.asks_until(&format!("/login {name} {wrong}"), "*** No account");
            client.asks_until(&format!("/register {first}"), &format!("*** {name} is yours"));
            let changes = ["/password", &wrong, "/password", &first, &second, &second];
            client.asks_until(&changes.join("\n"), "*** Your password is changed.");
            client.asks_until("/quit", "*** Goodbye.");
            let mut again = connect();
            again.asks_until(name, &format!("*** {name} is registered."));
            again.asks_until(&at_the_door, "*** That is not the password");
            again.asks_until(&second, &format!("*** Hello {name}."));
            again.says(TALK);
        });
        listener.hears_until(&format!("<{name}> {TALK}"));
        passwords.extend([first, second, wrong, at_the_door]);
    }
    server.stop();
    let trace = || String::from_utf8_lossy(&fs::read(folder.path("calls")).unwrap()).into_owned();
    eventually("strace tells the end", || trace().contains("+++ exited with 0 +++\n"));
    let trace = trace();
    for call in ["send", "pwrite64("] {
        let has = |line: &str| line.contains(call) && line.contains(TALK);
        assert!(trace.lines().any(has), "{call} has what was said");
    }
    for password in passwords {
        assert!(!trace.contains(&password), "{password} is in the trace");
    }
}
