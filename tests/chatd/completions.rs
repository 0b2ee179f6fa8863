//! The completions of bash, zsh and fish, made by docs/package/complete.sh from `--help`: each shell at a terminal, with
//! somebody who presses Tab.

use crate::harness::{DEADLINE, Folder, has_program};
use pty_process::blocking;
use std::{
    fs,
    io::{Read as _, Write as _},
    process::Command,
    sync::{Arc, mpsc::channel},
    thread,
};

/// What is typed, and the words that the program is called with.
const TYPED: [(&str, &str); 7] = [
    ("chatd --thr\t7", "--threads-max 7"),
    ("chatd --view ti\t", "--view ticket"),
    ("chatd acc\tim\tcla\t", "account import class.csv"),
    ("chatd --db cla\tban a\t", "--db class.csv ban add"),
    ("chatd history exp\t--fo\tht\t", "history export --format html"),
    ("chatd bac\tcla\t", "backup class.csv"),
    ("chat --no\t", "--no-reconnect"),
];

/// How a shell is started without what its owner has set, and what it is told first: where the completions are, and
/// functions in the place of the programs.
const SHELLS: [(&str, &[&str], &str); 3] = [
    (
        "bash",
        &["--norc", "--noprofile", "-i"],
        "source chatd.bash; source chat.bash; chatd() { echo \"called <$*>\"; }; chat() { echo \"called <$*>\"; }",
    ),
    (
        "zsh",
        &["-f", "-i"],
        "autoload -U compinit; compinit -D; source chatd.zsh; source chat.zsh; compdef _chatd chatd; compdef _chat chat; \
         chatd() { echo \"called <$*>\" }; chat() { echo \"called <$*>\" }",
    ),
    (
        "fish",
        &["--no-config", "-i"],
        "source chatd.fish; source chat.fish; function chatd; echo \"called <$argv>\"; end; function chat; echo \"called <$argv>\"; end",
    ),
];

#[test]
fn tab_completes_options_commands_values_and_files() {
    let folder = Folder::new();
    fs::write(folder.path("class.csv"), "name\n").unwrap();
    let Some(chat) = option_env!("CARGO_BIN_EXE_chat") else { return };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/package/complete.sh");
    for (shell, arguments, begin) in SHELLS {
        if !has_program(shell) {
            continue;
        }
        for program in [env!("CARGO_BIN_EXE_chatd"), chat] {
            let made = Command::new(script).args([program, shell]).output().unwrap();
            assert!(made.status.success() && made.stderr.is_empty(), "{made:?}");
            let name = program.rsplit('/').next().unwrap();
            fs::write(folder.path(&format!("{name}.{shell}")), made.stdout).unwrap();
        }
        let (pty, pts) = blocking::open().unwrap();
        pty.resize(pty_process::Size::new(50, 200)).unwrap();
        let mut child = blocking::Command::new(shell)
            .args(arguments)
            .current_dir(folder.path(""))
            .env("HOME", folder.path(""))
            .env("TERM", "dumb")
            .spawn(pts)
            .unwrap();
        let pty = Arc::new(pty);
        let (send, bytes) = channel();
        let read = Arc::clone(&pty);
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count) = (&*read).read(&mut buffer) {
                let _ = send.send(buffer[..count].to_vec());
            }
        });
        write!(&*pty, "{begin}\r").unwrap();
        for (typed, called) in TYPED {
            write!(&*pty, "{typed}\r").unwrap();
            let (expected, mut seen) = (format!("called <{called}>"), String::new());
            while !seen.contains(&expected) {
                let bytes = bytes.recv_timeout(DEADLINE);
                let bytes = bytes.unwrap_or_else(|_| panic!("{shell}, {typed:?}: {seen}"));
                seen.push_str(&String::from_utf8_lossy(&bytes));
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
