//! For programs: each line and each note as a JSON object.

use crate::{DEADLINE, folder, pipes::piped, server::Server};
use serde_json::Value;
use std::process::{Child, Command, Stdio};

#[test]
fn lines_and_notes_as_objects_in_their_order() {
    let (_server, client, mut piped) = piped(&["--name", "bob", "--json"]);
    client.enters_as("bob");
    client.gets("*** eve entered lobby\n{\"+\":\"eve\"}\n<eve> \"hi\" \x1b[2J\n(12:10) [from eve] psst\n{\"last\":11}");
    piped.reads("hello\n/join math\n");
    client.says("hello");
    client.says("/join math");
    piped.reads_no_more();
    client.leaves();
    let out = piped.ends_with(0, "");
    let objects: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<String> = objects
        .iter()
        .map(|object| match &object["note"] {
            Value::Null => {
                assert!(
                    object["at"].as_str().is_some_and(|at| at.len() == 20 && at.ends_with('Z'))
                );
                [&object["kind"], &object["name"], &object["text"]]
                    .map(ToString::to_string)
                    .join(" ")
            }
            note => note.to_string(),
        })
        .collect();
    assert_eq!(
        told[4..],
        [
            "\"server\" null \"You are in lobby.\"",
            "{\"account\":null,\"admin\":false,\"ask\":null,\"in\":\"bob\"}",
            "{\"here\":[\"bob\",\"carol\"],\"last\":10,\"room\":\"lobby\"}",
            "\"server\" null \"eve entered lobby\"",
            "{\"+\":\"eve\"}",
            "\"say\" \"eve\" \"\\\"hi\\\" �[2J\"",
            "\"from\" \"eve\" \"psst\"",
            "{\"last\":11}",
            "{\"again\":false,\"bye\":1000}",
            "\"server\" null \"Goodbye.\"",
        ]
    );
}

#[test]
fn the_end_has_its_code_and_its_sentence_is_no_object() {
    let (_server, client, piped) = piped(&["--name", "bob", "--json"]);
    client.gets_welcome();
    client.says("bob");
    client.gets_refusal("*** The name \"bob\" is taken. What is your name?");
    let out = piped.ends_with(7, "chat: the name \"bob\" is taken.");
    assert!(out.lines().all(|line| line.starts_with('{')), "{out}");
}

/// Whoever reads the objects has gone, or there is no room for them: the program must not go on as if
/// they were read.
#[cfg(unix)]
#[test]
fn output_that_cannot_be_written_is_an_error() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    for (arguments, out, says) in [
        (&["--json"][..], Stdio::from(full.try_clone().unwrap()), "No space left"),
        (&[], Stdio::from(full), "No space left"),
        (&["--json"], Stdio::piped(), "Broken pipe"),
    ] {
        let server = Server::start();
        let mut child: Child = Command::new(env!("CARGO_BIN_EXE_chat"))
            .args([&[&*server.address(), "--name", "bob"], arguments].concat())
            .env("XDG_CONFIG_HOME", folder())
            .stdin(Stdio::piped())
            .stdout(out)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        server.accepts().gets("*** Welcome.");
        let (end, ended) = std::sync::mpsc::channel();
        let (_input, wait) = (child.stdin.take(), move || end.send(child.wait_with_output()));
        std::thread::spawn(wait);
        let output = ended.recv_timeout(DEADLINE).expect("it does not end").unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            said.contains("chat: what comes cannot be written") && said.contains(says),
            "{said}"
        );
        assert_eq!(output.status.code(), Some(1));
    }
}
