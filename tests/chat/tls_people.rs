//! TLS: what a person is asked, told, and spared.

use crate::{
    folder,
    person::Start,
    pipes::Piped,
    server::Server,
    tls::{front, talks},
    tls_front::{Certificate, Front},
};
use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

fn start(front: &Front, data: &Path, arguments: &[&str]) -> Start {
    let arguments = [&["--tls", "--name", "bob"], arguments].concat();
    Start::at(front.address(), &arguments).size(24, 130).data(data.to_owned())
}

const QUESTION: &str = "Is it the same? yes, no, or the one that you were told: ";

#[test]
fn a_person_is_asked_once() {
    let (server, front, certificate) = front();
    let (data, print) = (folder(), certificate.fingerprint());
    for (answers, says) in [
        (&["no"][..], "chat: not connected."),
        (&["what?", ""], "chat: not connected."),
        (&[&Certificate::self_signed().fingerprint()], "chat: that is another one, so"),
    ] {
        let person = start(&front, &data, &[]).go();
        person.sees(&print);
        for answer in answers {
            person.sees_prompt(QUESTION);
            person.types(&format!("{answer}\r"));
        }
        person.sees(says);
        person.ends_with(11);
    }
    for answer in ["yes", &*print] {
        let data = folder();
        let person = start(&front, &data, &[]).go();
        person.sees("is not trusted: it is self-signed, so no authority says whose it is.");
        person.sees_prompt(QUESTION);
        person.types(&format!("{answer}\r"));
        let client = server.accepts();
        client.enters_as("bob");
        person.sees_prompt("bob@lobby> ");
        person.types("hi\r");
        client.says("hi");
        let file = data.join("chatd/known-servers");
        assert_eq!(fs::read_to_string(&file).unwrap(), format!("{} {print}\n", front.address()));
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

        let again = start(&front, &data, &[]).full().go();
        let client = server.accepts();
        client.enters_as("bob");
        again.sees_prompt("bob@lobby> ");
        again.types("hi\r");
        client.says("hi");
        let piped = Piped::start_in(&data, &["--tls", &front.address(), "--name", "bob"]);
        talks(server.accepts(), piped);
    }
}

/// The reconnect is verified like the first connection.
#[test]
fn a_certificate_that_has_changed() {
    let (server, front, certificate) = front();
    let (data, other) = (folder(), Certificate::self_signed());
    let known = format!("# mine\n{} {}\n", front.address(), certificate.fingerprint());
    fs::create_dir_all(data.join("chatd")).unwrap();
    fs::write(data.join("chatd/known-servers"), known).unwrap();
    let person = start(&front, &data, &[]).go();
    let client = server.accepts();
    client.enters_as("bob");
    person.sees_prompt("bob@lobby> ");

    front.shows(&other);
    client.loses_connection();
    person.sees("HAS CHANGED.");
    let arguments = ["--tls", &front.address(), "--name", "bob"];
    let says =
        format!("Known: {} (line 2). It has: {}.", certificate.fingerprint(), other.fingerprint());
    Piped::start_in(&data, &arguments).ends_with(11, &says);
    Piped::start_in(&data, &arguments).ends_with(11, "delete the known one from");
    let loud = start(&front, &data, &[]).go();
    loud.ends_with(11);
    loud.sees(&format!("chat: THE CERTIFICATE OF chats://{} HAS CHANGED.", front.address()));

    front.shows(&certificate);
    let client = server.accepts();
    client.gets_welcome();
    client.says("/since lobby 10");
    client.says("/resume T0KEN");
    client.gets_in("bob", &[]);
    person.sees(&format!("connected to chats://{} again.", front.address()));
}

#[test]
fn a_connection_that_is_cut_is_a_lost_one() {
    let (server, front, certificate) = front();
    front.cuts();
    let person = start(&front, &folder(), &["--fingerprint", &certificate.fingerprint()]).go();
    let client = server.accepts();
    client.enters_as("bob");
    person.sees_prompt("bob@lobby> ");
    client.loses_connection();
    person.sees("was cut on the way");
    let client = server.accepts();
    client.gets_welcome();
    client.says("/since lobby 10");
    client.says("/resume T0KEN");
    client.gets_in("bob", &[]);
    person.sees("again.");
    person.types("here\r");
    client.says("here");
}

/// A server that is gone to in the chat is trusted when it is asked for again.
#[test]
fn going_to_a_server_that_nobody_has_vouched_for() {
    let (_server, _client, person) = crate::person::alice_who(|start| start.size(24, 130));
    let (server, front, certificate) = front();
    let command = format!("/connect chats://{}\r", front.address());
    person.types(&command);
    person.sees("chat: not connected: the certificate of chats://localhost");
    person.sees("type the command again");
    person.types(&command);
    server.accepts().enters_as("alice");
    person.sees("connected to chats://localhost");
    let known = fs::read_to_string(person.data.join("chatd/known-servers")).unwrap();
    assert!(known.contains(&certificate.fingerprint()), "{known}");
}

/// A try to come back that succeeds just then does not keep them at the old server.
#[test]
fn going_elsewhere_while_it_tries_to_come_back() {
    let (server, front, certificate) = front();
    let person = start(&front, &folder(), &["--fingerprint", &certificate.fingerprint()]).go();
    let client = server.accepts();
    client.enters_as("bob");
    person.sees_prompt("bob@lobby> ");
    let held = front.holds();
    client.loses_connection();
    held.has_somebody();
    let elsewhere = Server::start();
    person.types(&format!("/connect telnet://{}\r", elsewhere.address()));
    let other = elsewhere.accepts();
    drop(held);
    other.enters_as("bob");
    person.sees(&format!("connected to {}.", elsewhere.address()));
}

#[test]
fn a_person_who_forgets_tls_is_told() {
    let (_server, front, _) = front();
    let person = Start::at(front.address(), &["--name", "bob"]).size(24, 130).go();
    person.sees("chat: the server says nothing. If it speaks TLS at that port, start with --tls.");
}

/// The file may say it all.
#[test]
fn tls_in_the_file_of_settings() {
    let (server, front, certificate) = front();
    let (data, print) = (folder(), certificate.fingerprint());
    fs::create_dir_all(data.join("chatd")).unwrap();
    let file = data.join("chatd/chat.toml");
    let of_server = format!("server = \"{}\"\n", front.address());
    for text in
        [format!("tls = true\nfingerprint = \"{print}\"\n"), format!("fingerprint = \"{print}\"\n")]
    {
        fs::write(&file, of_server.clone() + &text).unwrap();
        let piped = Piped::start_in(&data, &["--name", "bob"]);
        talks(server.accepts(), piped);
    }
    fs::write(&file, of_server + "tls = true\nfingerprint = \"12\"\n").unwrap();
    let piped = Piped::start_in(&data, &["--name", "bob"]);
    piped.ends_with(2, "chat.toml, line 3: fingerprint: \"12\" is no fingerprint");
    let elsewhere = format!(
        "server = \"elsewhere\"\nfingerprint = \"{}\"\n",
        Certificate::self_signed().fingerprint()
    );
    fs::write(&file, elsewhere).unwrap();
    let other = ["--tls", &front.address(), "--name", "bob"];
    Piped::start_in(&data, &other).ends_with(11, &format!("Start with --fingerprint {print}"));
}
