//! Certificates: made, read at the start and again, and what is said of those that do not work or do not hold.

use crate::harness::{Client, Folder, Program, Server, eventually, has_program, skip, tls};
use std::{fs, process::Command};

#[test]
fn files_that_do_not_work_are_told_in_a_sentence() {
    let folder = Folder::new();
    folder.run("tls make --in .");
    fs::create_dir(folder.path("other")).unwrap();
    folder.run("tls make --in other");
    fs::write(folder.path("empty.pem"), "").unwrap();
    let (cert, key) = ("--tls-cert chatd-cert.pem", "--tls-key chatd-key.pem");
    for (options, says) in [
        ("--tls 0".to_owned(), "--tls needs --tls-cert and --tls-key: chatd tls make"),
        (cert.to_owned(), "--tls-cert needs --tls-key"),
        (key.to_owned(), "--tls-key needs --tls-cert"),
        (format!("{cert} --tls-key other/chatd-key.pem"), "does not belong to the certificate in"),
        (format!("{cert} --tls-key nowhere.pem"), "cannot read the key from nowhere.pem"),
        (format!("--tls-cert nowhere.pem {key}"), "cannot read the certificate from nowhere.pem"),
        (format!("--tls-cert empty.pem {key}"), "empty.pem has no certificate in PEM"),
        (format!("{cert} --tls-key empty.pem"), "empty.pem has no private key in PEM"),
        (format!("--tls-cert chatd-key.pem {key}"), "chatd-key.pem has no certificate in PEM"),
    ] {
        let options = format!("--listen 127.0.0.1:0 --web none --db none {options}");
        let said = folder.fails(&options, "");
        assert!(said.contains(says), "{options}: {said}");
    }
}

#[test]
fn a_pair_is_made_for_its_owner_alone_and_never_overwritten() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let said = folder.run("tls make --name chat.example.org");
    assert!(said.contains("for chat.example.org, for 10 years."), "{said}");
    let mode = fs::metadata(folder.path("chatd-key.pem")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let fingerprint = said.lines().last().unwrap();
    let files = "--tls-cert chatd-cert.pem --tls-key chatd-key.pem";
    assert_eq!(folder.run(&format!("{files} tls show")).trim_end(), fingerprint);
    if has_program("openssl") {
        let x509 = ["x509", "-noout", "-fingerprint", "-sha256", "-in", "chatd-cert.pem"];
        let said =
            Command::new("openssl").args(x509).current_dir(folder.path("")).output().unwrap();
        let said = String::from_utf8(said.stdout).unwrap();
        assert_eq!(said.trim_end().split_once('=').unwrap().1, &fingerprint["SHA256:".len()..]);
    }
    let said = folder.fails("tls make", "");
    assert!(said.contains("is there already, and is not overwritten"), "{said}");
    fs::remove_file(folder.path("chatd-key.pem")).unwrap();
    assert!(folder.fails("tls make", "").contains("chatd-cert.pem is there already"));
    assert!(!folder.path("chatd-key.pem").exists());
}

/// The key is for the service, whose folder it is: root can read it anyway.
#[test]
fn a_pair_that_root_makes_belongs_to_the_owner_of_its_folder() {
    use std::os::unix::fs::{MetadataExt as _, chown};
    if !rustix::process::geteuid().is_root() {
        return skip("a_pair_that_root_makes_belongs_to_the_owner_of_its_folder: only root may");
    }
    let folder = Folder::new();
    fs::create_dir(folder.path("service")).unwrap();
    chown(folder.path("service"), Some(4321), Some(1234)).unwrap();
    folder.run("tls make --in service");
    for file in ["service/chatd-cert.pem", "service/chatd-key.pem"] {
        let file = fs::metadata(folder.path(file)).unwrap();
        assert_eq!((file.uid(), file.gid()), (4321, 1234));
    }
}

#[test]
fn a_certificate_is_read_again_and_nobody_is_hung_up() {
    let folder = Folder::new();
    folder.run("tls make --in . --name localhost");
    let files = "tls-cert = \"chatd-cert.pem\"\ntls-key = \"chatd-key.pem\"\n";
    fs::write(folder.path("chatd.toml"), format!("{files}tls = \"127.0.0.1:0\"\n")).unwrap();
    let server = Server::start_in(&folder, "--db none --config chatd.toml");
    let [mut alice] = server.enter(["alice"]);
    for file in ["chatd-cert.pem", "chatd-key.pem"] {
        fs::copy(tls::pair().join(file), folder.path(file)).unwrap();
    }
    server.signal("HUP");
    server.logs("the options were read again: changed: tls-cert");
    fs::write(folder.path("chatd-key.pem"), "").unwrap();
    server.signal("HUP");
    server.logs(
        "the options were not read again, and are as before: chatd-key.pem has no private key",
    );
    let address = server.also_at("listening for TLS on ");
    Program::Tls.keeps_here(|| {
        Client::connect(address, "bob").asks_until("bob", "*** You are in lobby");
    });
    alice.hears("*** bob entered lobby");
    eventually("bob is gone", || server.log().contains("bob left"));
}

/// At the start, on SIGHUP, and to administrators; and it is used all the same.
#[test]
fn a_certificate_that_does_not_hold_is_told_to_whoever_can_act() {
    const ASKS: &str = "Whoever runs it has to renew that.";
    let folder = Folder::new();
    let files = "tls-cert = \"chatd-cert.pem\"\ntls-key = \"chatd-key.pem\"\n";
    fs::write(folder.path("chatd.toml"), format!("{files}tls = \"127.0.0.1:0\"\n")).unwrap();
    tls::write_pair(&folder, 2010, 2020);
    let server = Server::start_in(&folder, "--db none --instructor --config chatd.toml");
    let expired = "certificate has expired on 2020-01-01; clients refuse it. ";
    server.logs(
        "the certificate in chatd-cert.pem has expired on 2020-01-01; clients refuse it. Renew it, and have it read again: SIGHUP",
    );
    let mut ann = server.lets_in("ann");
    let instructor = format!("/instructor {}", server.pairing_code());
    ann.asks_until(&instructor, "*** You are an instructor");
    ann.hears(&format!("*** The server's {expired}{ASKS}"));
    let reads = |says: &str| {
        let count = || server.log().matches("the options were").count();
        let before = count();
        server.signal("HUP");
        eventually(says, || count() > before);
        assert!(server.log().contains(says), "{says}: {}", server.log());
    };
    tls::write_pair(&folder, 2990, 2999);
    reads(
        "the certificate in chatd-cert.pem holds only from 2990-01-01 on, says this machine's clock; clients refuse it. ",
    );
    ann.hears_until(&format!(
        "*** The server's certificate holds only from 2990-01-01 on, says this machine's clock; clients refuse it. {ASKS}"
    ));
    let key = fs::read(folder.path("chatd-key.pem")).unwrap();
    tls::write_pair(&folder, 2020, 2990);
    let good = fs::read(folder.path("chatd-key.pem")).unwrap();
    fs::write(folder.path("chatd-key.pem"), key).unwrap();
    let not_read = "the options were not read again, and are as before: ";
    reads(&format!("{not_read}the key in chatd-key.pem does not belong to the certificate in "));
    fs::remove_file(folder.path("chatd-key.pem")).unwrap();
    reads(&format!("{not_read}cannot read the key from chatd-key.pem "));
    fs::create_dir(folder.path("chatd-key.pem")).unwrap();
    reads(&format!("{not_read}cannot read the key from chatd-key.pem "));
    fs::remove_dir(folder.path("chatd-key.pem")).unwrap();
    fs::write(folder.path("chatd-key.pem"), good).unwrap();
    reads("the options were read again: changed: tls-cert");
    let mut bob = server.lets_in("bob");
    ann.hears("*** bob entered lobby");
    bob.asks_until(&instructor, "*** You are an instructor");
    bob.hears_nothing();
}
