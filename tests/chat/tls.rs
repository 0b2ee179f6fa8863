//! TLS: whom the client believes that it is the server, and what it says when it does not.

use crate::{
    folder,
    pipes::Piped,
    server::{Client, Server},
    tls_front::{Authority, Certificate, Front},
};
use rcgen::date_time_ymd;

/// A server, TLS in front of it, and its certificate.
pub fn front() -> (Server, Front, Certificate) {
    let (server, certificate) = (Server::start(), Certificate::self_signed());
    let front = Front::before(&server, &certificate);
    (server, front, certificate)
}

/// bob says hi, and leaves.
#[track_caller]
pub fn talks(client: Client, mut piped: Piped) {
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
    let out = piped.ends_with(0, "");
    let shown = &out[out.find("<alice> 0 bob").expect("the first line")..];
    let differs = shown.lines().zip(lines.lines()).find(|(shown, line)| shown != line);
    assert!(shown.starts_with(&lines), "{differs:?}");
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
