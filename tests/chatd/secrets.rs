//! What was a password is nowhere afterwards: not in the process's memory either, where a core dump would have it.
//! (`a_password_goes_nowhere` in accounts.rs looks at the files, the log and what others read.)

use crate::harness::{Client, Folder, Program, Server, eventually, has_program, skip};
use memchr::memmem;
use std::{
    fs::{self, File},
    os::unix::fs::FileExt as _,
};

/// A way to come, where it is printed, and who comes.
const KINDS: [(Program, &str, &str); 3] = [
    (Program::Chatd, "listening on ", "ann"),
    (Program::Tls, "listening for TLS on ", "tina"),
    (Program::Browser, "listening for browsers on ", "will"),
];

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

/// The bytes around a part of a password, if the memory has one. Eight bytes in a row are a part. (The allocator overwrites
/// the first 16 bytes of what is freed: so a password of this test is longer.)
fn around_part(password: &str, memory: &[u8]) -> Option<String> {
    assert!(password.len() >= 40, "{password} is long enough");
    let at = password.as_bytes().chunks_exact(8).find_map(|part| memmem::find(memory, part))?;
    let around = at.saturating_sub(80)..(at + 80).min(memory.len());
    Some(memory[around].escape_ascii().to_string())
}

/// (By TCP. With TLS, or in a browser's frames, the buffers of rustls and tungstenite have the last bytes that came, until
/// others overwrite them.)
#[test]
fn a_core_dump_has_no_password_that_was_typed() {
    const TALK: &str = "something that was said";
    let folder = Folder::new();
    let server = folder.start("--flood off");
    let mut bob = server.lets_in("bob");
    // No two have eight bytes in common.
    let password =
        |number: usize| -> String { (0..6).map(|part| format!("{number}-Kx{part}qzvw")).collect() };
    let [first, second, wrong, at_the_door, behind_much, in_parts, too_early, cut_off] =
        [1, 2, 3, 4, 5, 6, 9, 0].map(password);
    // Of these two, other forms are made.
    let (composed, controlled) = (password(7) + "d\u{e9}compos\u{e9}", password(8) + "\u{2028}");

    let mut ann = server.lets_in("ann");
    ann.asks_until(&format!("/login bob {wrong}"), "*** No account");
    ann.asks_until(&format!("{}/login bob {behind_much}", "\n".repeat(230)), "*** No account");
    ann.asks_until(&format!("/login bob {controlled}"), "*** No account");
    ann.asks_until(&format!("/register {composed}"), "*** ann is yours");
    let changes = ["/password", &wrong, "/password", &composed, &first, &first];
    ann.asks_until(&changes.join("\n"), "*** Your password is changed.");
    ann.says(&["/password", &first, &second, &second].join("\n"));
    ann.hears_until("*** Your password is changed.");
    let mut again = server.connect("ann");
    again.asks_until("ann", "*** ann is registered.");
    again.asks_until(&at_the_door, "*** That is not the password");
    again.asks_until(&second, "*** Hello ann.");
    let (half, rest) = in_parts.split_at(20);
    again.sends(format!("{TALK}\n/login bob {half}"));
    bob.hears_until(&format!("<ann> {TALK}"));
    again.asks_until(rest, "*** No account");
    let mut eve = server.connect("eve");
    eve.asks_until(&format!("/register {too_early}"), "*** A name has ");
    again.sends(format!("{TALK}\n/login bob {cut_off}"));
    bob.hears_until(&format!("<ann> {TALK}"));
    again.resets();
    bob.hears_until("*** ann left lobby");

    let Some(memory) = memory(&server) else {
        return skip("nobody but root may read the memory of this process");
    };
    assert!(memmem::find(&memory, TALK.as_bytes()).is_some(), "the room's memory is among it");
    for password in [
        first,
        second,
        wrong,
        at_the_door,
        behind_much,
        in_parts,
        too_early,
        cut_off,
        composed,
        controlled,
    ] {
        assert_eq!(around_part(&password, &memory), None, "{password} is there");
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
        let has = |text: &str| memmem::find(&memory, text.as_bytes()).is_some();
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
    let mut listener = server.lets_in("listener");
    let mut passwords = Vec::new();
    for (kind, lead, name) in KINDS {
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
