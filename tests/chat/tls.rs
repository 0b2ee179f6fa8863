//! TLS: whom the client believes that it is the server, and what it says when it does not.

use crate::{
    folder,
    pipes::Piped,
    server::{Client, Server},
    tls_front::{Authority, Certificate, Front},
};
use rcgen::date_time_ymd;

/// A server, TLS in front of it, and its certificate.
fn front() -> (Server, Front, Certificate) {
    let (server, certificate) = (Server::start(), Certificate::self_signed());
    let front = Front::before(&server, &certificate);
    (server, front, certificate)
}

/// bob says hi, and leaves.
#[track_caller]
fn talks(client: Client, mut piped: Piped) {
    client.enters_as("bob");
    piped.reads("hi\n");
    client.says("hi");
    client.gets("<alice> hi bob");
    piped.reads_no_more();
    client.leaves();
    let out = piped.ends_with(0, "");
    assert!(out.contains("<alice> hi bob\n") && out.contains("*** Goodbye."), "{out}");
}

#[test]
fn the_certificate_that_was_named_is_the_one() {
    let (server, front, certificate) = front();
    let print = certificate.fingerprint();
    let form = print.replace("SHA256:", "sha256 Fingerprint=");
    for arguments in [
        &["--tls", "localhost", &front.port.to_string(), "--fingerprint", &print][..],
        &[&format!("chats://bob@127.0.0.1:{}", front.port), "--fingerprint", &form],
        &[&front.address(), "--fingerprint", &print.to_lowercase()],
    ] {
        let piped = Piped::start(&[arguments, &["--name", "bob"]].concat());
        talks(server.accepts(), piped);
    }
    let other = Certificate::self_signed();
    front.shows(&other);
    let said = Piped::start(&["--tls", &front.address(), "--fingerprint", &print]);
    said.ends_with(11, &format!("Given: {print}. It has: {}.", other.fingerprint()));
}

/// Whoever shows a certificate has to prove that it is theirs.
#[test]
fn a_certificate_without_its_key_is_nobodys() {
    let (_server, front, certificate) = front();
    let is_refused = || {
        let print = certificate.fingerprint();
        let piped = Piped::start(&["--tls", &front.address(), "--fingerprint", &print]);
        piped.ends_with(11, "has not shown that its certificate is its own");
    };
    front.shows(&certificate.stolen());
    is_refused();
    front.is_old(&certificate.stolen());
    is_refused();
}

#[test]
fn tls_1_2_will_do() {
    let (server, front, certificate) = front();
    front.is_old(&certificate);
    let print = certificate.fingerprint();
    let piped =
        Piped::start(&["--tls", &front.address(), "--fingerprint", &print, "--name", "bob"]);
    talks(server.accepts(), piped);
}

/// What an authority of this machine has signed needs no word of a person's; and each fault of a certificate has its sentence.
#[test]
fn a_certificate_is_good_or_it_is_said_what_is_wrong() {
    let (server, front, _) = front();
    let (authority, stranger, folder) = (Authority::new(), Authority::new(), folder());
    let file = authority.file(&folder);
    let start = || {
        let arguments = ["--tls", &front.address(), "--name", "bob"];
        Piped::start_with(&folder, &arguments, &[("SSL_CERT_FILE", &*file)])
    };
    front.shows(&authority.signs(|_| {}));
    let piped = start();
    talks(server.accepts(), piped);

    let expired = |is: &mut rcgen::CertificateParams| is.not_after = date_time_ymd(2021, 2, 3);
    let early = |is: &mut rcgen::CertificateParams| is.not_before = date_time_ymd(2999, 2, 3);
    let other = rcgen::CertificateParams::new(["chat.example.org".to_owned()]).unwrap();
    for (certificate, says) in [
        (authority.signs(expired), "is not trusted: it expired on 2021-02-03. "),
        (authority.signs(early), "it is not valid before 2999-02-03, if the clock"),
        (authority.signs(|is| *is = other), "it is for chat.example.org, and not for localhost. "),
        (stranger.signs(|_| {}), "it is signed by none of the authorities that this machine knows"),
        (Certificate::self_signed(), "it is self-signed, so no authority says whose it is"),
    ] {
        front.shows(&certificate);
        start().ends_with(11, says);
        let hint = format!("Start with --fingerprint {} if", certificate.fingerprint());
        start().ends_with(11, &hint);
    }
    let failures = front.failures.lock().unwrap().join("\n");
    assert!(failures.contains("CertificateUnknown"), "the server is told, too: {failures}");
}

/// Nobody is there to be asked, or it is a program.
#[test]
fn a_program_is_not_asked() {
    let (_server, front, certificate) = front();
    let hint = format!("Start with --fingerprint {} if", certificate.fingerprint());
    for arguments in [&["--tls", &front.address()][..], &["--tls", &front.address(), "--json"]] {
        assert_eq!(Piped::start(arguments).ends_with(11, &hint), "");
    }
}

#[test]
fn a_server_that_speaks_no_tls() {
    let server = Server::start();
    let piped = Piped::start(&["--tls", &server.address()]);
    let client = server.accepts();
    client.gets("*** Welcome to chatd: one thread per connection, and yours is c1.");
    piped.ends_with(12, "what it answers is no TLS. Leave TLS out, or give the port");
    let piped = Piped::start(&["--tls", &server.address()]);
    server.accepts().loses_connection();
    piped.ends_with(12, "it closes the connection. Is this the right port?");
}

#[test]
fn a_server_that_speaks_tls_only() {
    let (_server, front, _) = front();
    let mut piped = Piped::start(&[&front.address(), "--name", "bob"]);
    piped.reads("hi there\n");
    piped.ends_with(12, "speaks TLS, so start with --tls.");
}

/// An end that the server has not announced may be somebody else's doing.
#[test]
fn a_connection_that_is_cut() {
    let (server, front, certificate) = front();
    front.cuts();
    let print = certificate.fingerprint();
    for more in [&["--wait", "10"][..], &["--json"]] {
        let arguments = ["--tls", &front.address(), "--fingerprint", &print, "--name", "bob"];
        let mut piped = Piped::start(&[&arguments, more].concat());
        let client = server.accepts();
        client.enters_as("bob");
        piped.reads_no_more();
        client.says_no_more();
        client.gets_bytes(b"<alice> whole\n<alice> half");
        client.loses_connection();
        let out = piped.ends_with(8, "was cut on the way");
        assert!(out.contains("<alice> whole") && !out.contains("half"), "{out}");
    }
}

/// Keys are renewed by the server again and again, and each time the client has to answer while it reads.
#[test]
fn keys_are_renewed() {
    let (server, front, certificate) = front();
    front.renews_keys();
    let print = certificate.fingerprint();
    let arguments = ["--tls", &front.address(), "--fingerprint", &print, "--name", "bob"];
    let mut piped = Piped::start(&arguments);
    let client = server.accepts();
    client.enters_as("bob");
    let lines: String = (0..10_000).map(|n| format!("<alice> {n} bob\n")).collect();
    for (n, part) in lines.as_bytes().chunks(1000).enumerate() {
        client.gets_bytes(part);
        if n % 10 == 0 {
            piped.reads(&format!("{n}\n"));
            client.says(&n.to_string());
        }
    }
    piped.reads_no_more();
    client.leaves();
    let out = piped.ends_with(0, "");
    assert!(out.contains(&lines));
}

/// Both sides send as fast as they can.
#[test]
fn neither_side_waits_for_the_other() {
    let (server, front, certificate) = front();
    let print = certificate.fingerprint();
    let arguments = ["--tls", &front.address(), "--fingerprint", &print, "--name", "bob"];
    let mut piped = Piped::start(&arguments);
    let client = server.accepts();
    client.enters_as("bob");
    let lines: String = (0..50_000).map(|n| format!("<alice> {n} bob\n")).collect();
    let said: String = (0..50_000).map(|n| format!("{n} alice\n")).collect();
    std::thread::scope(|scope| {
        scope.spawn(|| client.gets_bytes(lines.as_bytes()));
        piped.reads(&said);
    });
    for line in said.lines() {
        client.says(line);
    }
    piped.reads_no_more();
    client.leaves();
    assert!(piped.ends_with(0, "").contains(&lines));
}

#[test]
fn what_contradicts_itself_is_said() {
    let print = Certificate::self_signed().fingerprint();
    for (arguments, says) in [
        (
            &["--tls", "telnet://localhost"][..],
            "TLS is wanted, and what is given as the server has none",
        ),
        (&["--tls", "unix:/nowhere"], "TLS is wanted, and what is given as the server has none"),
        (&["--fingerprint", &print, "tcp://localhost"], "write chats://HOST"),
        (&["--fingerprint", "SHA256:12", "h"], "--fingerprint: \"SHA256:12\" is no fingerprint"),
    ] {
        Piped::start(arguments).ends_with(2, says);
    }
}

/// With chatd on the other side.
#[cfg(unix)]
mod chatd {
    use super::*;
    use crate::{
        harness::{self, Folder},
        person::Start,
    };
    use std::process::Command;

    /// A chatd that speaks TLS; where, and what its certificate is known by.
    fn chatd() -> (Folder, harness::Server, String, String) {
        let folder = Folder::new();
        let mut made = Command::new(env!("CARGO_BIN_EXE_chatd"));
        let made = made.args(["tls", "make", "--in"]).arg(folder.path("")).output().unwrap();
        let said = String::from_utf8(made.stdout).unwrap();
        let print = said.lines().find(|line| line.starts_with("SHA256:")).unwrap().to_owned();
        let files = "--tls-cert chatd-cert.pem --tls-key chatd-key.pem";
        let server =
            harness::Server::start_in(&folder, &format!("--db none --tls 127.0.0.1:0 {files}"));
        server.prints("listening for TLS on ");
        let printed = server.printed();
        let port = printed.split("for TLS on 127.0.0.1:").nth(1).unwrap().lines().next().unwrap();
        (folder, server, format!("localhost:{port}"), print)
    }

    #[test]
    fn people_and_programs_talk() {
        let (_folder, server, address, print) = chatd();
        let [mut alice] = server.enter(["alice"]);
        let arguments = ["--tls", "--fingerprint", &print, "--name", "bob"];
        let person = Start::at(address.clone(), &arguments).full().go();
        alice.hears("*** bob entered lobby");
        person.sees_prompt("bob@lobby> ");
        person.types("hi\r");
        alice.hears("<bob> hi");
        let arguments = ["--tls", &address, "--fingerprint", &print, "--name", "eve", "--json"];
        let mut piped = Piped::start(&arguments);
        piped.reads("a bot\n");
        alice.hears("*** eve entered lobby");
        alice.hears("<eve> a bot");
        person.sees("<eve> a bot");
        alice.says("hello both");
        person.sees("<alice> hello both");
        piped.reads("/quit\n");
        let out = piped.ends_with(0, "");
        assert!(out.contains(r#""line":"<alice> hello both""#), "{out}");
        server.signal("TERM");
        person.sees("the server is shutting down.");
        person.sees("refused the connection");
    }

    #[test]
    fn whoever_comes_without_tls_is_told() {
        let (_folder, server, address, _) = chatd();
        let mut piped = Piped::start(&[&address, "--name", "bob"]);
        piped.reads("hi\n");
        piped.ends_with(12, "speaks TLS, so start with --tls.");
        let plain = server.address.to_string();
        Piped::start(&["--tls", &plain]).ends_with(12, "what it answers is no TLS");
    }
}

#[cfg(unix)]
mod people {
    use super::*;
    use crate::person::Start;
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
            assert_eq!(
                fs::read_to_string(&file).unwrap(),
                format!("{} {print}\n", front.address())
            );
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
        let says = format!(
            "Known: {} (line 2). It has: {}.",
            certificate.fingerprint(),
            other.fingerprint()
        );
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

    #[test]
    fn a_person_who_forgets_tls_is_told() {
        let (_server, front, _) = front();
        let person = Start::at(front.address(), &["--name", "bob"]).size(24, 130).go();
        person.sees(
            "chat: the server says nothing. If it speaks TLS at that port, start with --tls.",
        );
    }

    /// The file may say it all.
    #[test]
    fn tls_in_the_file_of_settings() {
        let (server, front, certificate) = front();
        let (data, print) = (folder(), certificate.fingerprint());
        fs::create_dir_all(data.join("chatd")).unwrap();
        let file = data.join("chatd/chat.toml");
        let of_server = format!("server = \"{}\"\n", front.address());
        for text in [
            format!("tls = true\nfingerprint = \"{print}\"\n"),
            format!("fingerprint = \"{print}\"\n"),
        ] {
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
}
