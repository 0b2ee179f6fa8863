//! Records of TLS as no library would send them, made by hand, against the real server: tiny, empty, cut off, too
//! large, with alerts in between. Whoever keeps to the protocol is heard to the letter; whoever does not is hung up,
//! and nobody else notices.

use crate::{
    harness::{Client, DEADLINE, Server, tls::client_config},
    tls::start,
};
use rustls::{
    ClientConnection, ConnectionTrafficSecrets as Secrets, ContentType, ProtocolVersion,
    SupportedCipherSuite, SupportedProtocolVersion,
    crypto::cipher::{MessageEncrypter, OutboundPlainMessage},
    pki_types::ServerName,
    version::{TLS12, TLS13},
};
use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpStream},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

/// The most bytes in a record.
const RECORD_MAX: usize = 16 * 1024;
const HEADER: usize = 5;
const CLOSE_NOTIFY: &[u8] = &[1, 0];
const USER_CANCELED: &[u8] = &[1, 90];

fn connect(address: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect(address).unwrap();
    socket.set_nodelay(true).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    socket
}

/// A client who has shaken hands by TLS 1.3, and makes their records themselves.
struct Sealer {
    socket: TcpStream,
    encrypter: Box<dyn MessageEncrypter>,
    number: u64,
}

impl Sealer {
    fn connect(address: SocketAddr) -> Sealer {
        let mut config = client_config(&[&TLS13]);
        config.enable_secret_extraction = true;
        let name = ServerName::try_from("localhost").unwrap();
        let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut socket = connect(address);
        while connection.is_handshaking() || connection.wants_write() {
            connection.complete_io(&mut socket).unwrap();
        }
        let Some(SupportedCipherSuite::Tls13(suite)) = connection.negotiated_cipher_suite() else {
            panic!("not TLS 1.3")
        };
        let (number, secrets) = connection.dangerous_extract_secrets().unwrap().tx;
        let encrypter = match secrets {
            Secrets::Aes128Gcm { key, iv }
            | Secrets::Aes256Gcm { key, iv }
            | Secrets::Chacha20Poly1305 { key, iv } => suite.aead_alg.encrypter(key, iv),
            _ => panic!("another cipher"),
        };
        Sealer { socket, encrypter, number }
    }

    /// The next record.
    fn seals(&mut self, kind: ContentType, bytes: &[u8]) -> Vec<u8> {
        let version = ProtocolVersion::TLSv1_2; // as every record says
        let plain = OutboundPlainMessage { typ: kind, version, payload: bytes.into() };
        let sealed = self.encrypter.encrypt(plain, self.number).unwrap();
        self.number += 1;
        sealed.encode()
    }

    fn sends(&mut self, kind: ContentType, bytes: &[u8]) {
        let record = self.seals(kind, bytes);
        self.socket.write_all(&record).unwrap();
    }

    fn says(&mut self, text: &str) {
        self.sends(ContentType::ApplicationData, text.as_bytes());
    }

    /// The server ends the connection.
    fn ends(mut self) {
        let _ = self.socket.read_to_end(&mut Vec::new()); // a reset is an end, too
    }
}

/// Each byte of these handshake records in a record of its own, and what is no handshake as it is.
fn in_tiny_records(mut flight: &[u8]) -> Vec<u8> {
    let mut tiny = Vec::new();
    while let [kind, major, minor, high, low, rest @ ..] = flight {
        let (bytes, others) = rest.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        match ContentType::from(*kind) {
            ContentType::Handshake => {
                bytes.iter().for_each(|byte| tiny.extend([*kind, *major, *minor, 0, 1, *byte]));
            }
            _ => tiny.extend(&flight[..HEADER + bytes.len()]),
        }
        flight = others;
    }
    tiny
}

#[test]
fn a_handshake_in_records_of_one_byte_is_one() {
    let (server, address) = start("");
    let [mut alice] = server.enter(["alice"]);
    for (version, name) in [(&TLS12, "old"), (&TLS13, "new")] {
        let mut socket = connect(address);
        let mut connection = shakes_hands_slowly(version, &mut socket);
        connection.writer().write_all(format!("{name}\nhi\n").as_bytes()).unwrap();
        connection.complete_io(&mut socket).unwrap();
        alice.hears(&format!("*** {name} entered lobby"));
        alice.hears(&format!("<{name}> hi"));
        connection.send_close_notify();
        connection.complete_io(&mut socket).unwrap();
        alice.hears(&format!("*** {name} left lobby (connection closed)"));
    }
}

/// What is not encrypted yet goes in records of one byte, and each byte of them in a packet of its own.
fn shakes_hands_slowly(
    version: &'static SupportedProtocolVersion,
    socket: &mut TcpStream,
) -> ClientConnection {
    let name = ServerName::try_from("localhost").unwrap();
    let mut connection = ClientConnection::new(Arc::new(client_config(&[version])), name).unwrap();
    let mut is_encrypted = false;
    while connection.is_handshaking() || connection.wants_write() {
        let mut flight = Vec::new();
        while connection.wants_write() {
            connection.write_tls(&mut flight).unwrap();
        }
        // Behind the change of the cipher a handshake message is encrypted, and cannot be cut.
        let change = flight.windows(HEADER).position(|bytes| bytes == [20, 3, 3, 0, 1]);
        let (plain, sealed) = flight.split_at(change.unwrap_or(flight.len()));
        for byte in if is_encrypted { plain.to_vec() } else { in_tiny_records(plain) } {
            socket.write_all(&[byte]).unwrap();
        }
        socket.write_all(sealed).unwrap();
        is_encrypted |= change.is_some();
        if connection.is_handshaking() {
            connection.read_tls(socket).unwrap();
            connection.process_new_packets().unwrap();
        }
    }
    connection
}

#[test]
fn tiny_and_empty_records_and_some_alerts_are_between_the_letters_of_a_line() {
    let (server, address) = start("");
    let [mut alice] = server.enter(["alice"]);
    let mut bob = Sealer::connect(address);
    bob.says("bob\n");
    alice.hears("*** bob entered lobby");
    for letter in "one letter a record\n".chars() {
        let record = bob.seals(ContentType::ApplicationData, letter.to_string().as_bytes());
        record.iter().for_each(|byte| bob.socket.write_all(&[*byte]).unwrap());
        (0..10).for_each(|_| bob.says(""));
    }
    alice.hears("<bob> one letter a record");
    bob.says("half ");
    bob.sends(ContentType::Alert, USER_CANCELED);
    bob.says("a line\n");
    alice.hears("<bob> half a line");
    alice.hears_nothing();
}

/// Wherever a record is cut off, nothing of it is said; and what came before it is.
#[test]
fn a_record_that_is_cut_off_at_any_byte_says_nothing() {
    let (server, address) = start("--source-limits off");
    let [mut alice] = server.enter(["alice"]);
    let mut whole = 1;
    let mut cut = 0;
    while cut <= whole {
        let mut bob = Sealer::connect(address);
        bob.says(&format!("bob{cut}\nsaid\n"));
        let record = bob.seals(ContentType::ApplicationData, b"lost\n");
        whole = record.len();
        bob.socket.write_all(&record[..cut]).unwrap();
        bob.socket.shutdown(Shutdown::Write).unwrap();
        alice.hears(&format!("*** bob{cut} entered lobby"));
        alice.hears(&format!("<bob{cut}> said"));
        if cut == whole {
            alice.hears(&format!("<bob{cut}> lost"));
        }
        alice.hears(&format!("*** bob{cut} left lobby (connection lost)"));
        bob.ends();
        cut += 1;
    }
}

/// Says something, does this, and says something else, which must not be heard.
#[track_caller]
fn is_refused(
    (server, address): &(Server, SocketAddr),
    alice: &mut Client,
    what: &str,
    does: impl FnOnce(&mut Sealer),
) {
    println!("{what}"); // shown if somebody waits in vain
    let mut bob = Sealer::connect(*address);
    bob.says("bob\nsaid\nhalf");
    alice.hears("*** bob entered lobby");
    alice.hears("<bob> said");
    does(&mut bob);
    let later = bob.seals(ContentType::ApplicationData, b" a line\nnot said\n");
    let _ = bob.socket.write_all(&later); // they may be hung up already
    let left = alice.reads();
    assert_eq!(left.as_deref(), Some("*** bob left lobby (connection lost)"), "{what}");
    server.logs("left: connection lost: TLS: ");
    bob.ends();
}

#[test]
fn whoever_breaks_the_protocol_is_hung_up_and_nobody_else_notices() {
    let started = start("--source-limits off");
    let [mut alice] = started.0.enter(["alice"]);
    let data = ContentType::ApplicationData;
    let large = vec![b'x'; RECORD_MAX + 1];
    let header = |length: u16| [&[23, 3, 3], &length.to_be_bytes()[..], &[0; 64]].concat();
    is_refused(&started, &mut alice, "16 KiB and a byte", |bob| bob.sends(data, &large));
    // TLS 1.3 permits 256 bytes for the encryption, rustls 2,048, as TLS 1.2 does.
    for length in [RECORD_MAX as u16 + 2049, u16::MAX] {
        is_refused(&started, &mut alice, "a length above the most", |bob| {
            bob.socket.write_all(&header(length)).unwrap();
        });
    }
    is_refused(&started, &mut alice, "too short to be encrypted", |bob| {
        bob.socket.write_all(&[23, 3, 3, 0, 3, 1, 2, 3]).unwrap();
    });
    is_refused(&started, &mut alice, "another record's bytes", |bob| {
        let mut record = bob.seals(data, b" of it\n");
        record[HEADER] ^= 1;
        bob.socket.write_all(&record).unwrap();
    });
    is_refused(&started, &mut alice, "a record twice", |bob| {
        let record = bob.seals(data, b"");
        bob.socket.write_all(&record.repeat(2)).unwrap();
    });
    is_refused(&started, &mut alice, "one that is not encrypted", |bob| {
        bob.socket.write_all(b"\x17\x03\x03\x00\x06 of it\n").unwrap();
    });
    for (what, kind, bytes) in [
        ("an unknown kind", ContentType::from(99), &b"x"[..]),
        ("an empty alert", ContentType::Alert, b""),
        ("half an alert", ContentType::Alert, &[1]),
        ("a fatal alert", ContentType::Alert, &[2, 80]),
        ("a warning of old", ContentType::Alert, &[1, 100]),
        ("another hello", ContentType::Handshake, &[1, 0, 0, 0]),
        ("a server's message", ContentType::Handshake, &[4, 0, 0, 0]),
        ("a change of the cipher", ContentType::ChangeCipherSpec, &[1]),
        ("a message that has begun", ContentType::Handshake, &[24, 0, 0]),
    ] {
        is_refused(&started, &mut alice, what, |bob| bob.sends(kind, bytes));
    }
    is_refused(&started, &mut alice, "five alerts", |bob| {
        (0..5).for_each(|_| bob.sends(ContentType::Alert, USER_CANCELED));
    });
    alice.hears_nothing();
}

/// 16 KiB in one record are many lines; and behind TLS's own end nothing is heard.
#[test]
fn the_largest_record_is_heard_and_nothing_behind_the_end() {
    let (server, address) = start("--flood off");
    let [mut alice] = server.enter(["alice"]);
    let mut bob = Sealer::connect(address);
    bob.says("bob\n");
    alice.hears("*** bob entered lobby");
    let line = "x".repeat(RECORD_MAX / 32 - 1);
    bob.says(&format!("{line}\n").repeat(32));
    (0..32).for_each(|_| alice.hears(&format!("<bob> {line}")));
    bob.says("the last");
    bob.sends(ContentType::Alert, CLOSE_NOTIFY);
    bob.says("\nnothing\n");
    alice.hears("<bob> the last");
    alice.hears("*** bob left lobby (connection closed)");
    bob.ends();
    alice.hears_nothing();
}

/// Records in which no line is cost the server work all the same.
#[test]
fn records_that_are_no_lines_are_limited_like_lines() {
    const SENDERS: usize = 20;
    let (server, address) = start("");
    let [mut alice, mut bob] = server.enter(["alice", "bob"]);
    let senders: Vec<Sealer> = (0..SENDERS).map(|_| Sealer::connect(address)).collect();
    let (ticks, began) = (server.cpu_ticks(), Instant::now());
    let end = began + Duration::from_secs(3);
    let sends = |(number, mut sender): (usize, Sealer)| {
        sender.says(&format!("s{number}\n"));
        sender.socket.set_write_timeout(Some(Duration::from_millis(50))).unwrap();
        while Instant::now() < end {
            let bytes: &[u8] = if number % 2 == 0 { b"" } else { b"y" };
            let records: Vec<u8> =
                (0..100).flat_map(|_| sender.seals(ContentType::ApplicationData, bytes)).collect();
            if sender.socket.write_all(&records).is_err() {
                break; // it is not read: the rest of the record would have to be sent first
            }
        }
        sender
    };
    let sends = &sends;
    let spent = thread::scope(|scope| {
        for sender in senders.into_iter().enumerate() {
            scope.spawn(move || sends(sender));
        }
        for i in 0..10 {
            bob.says(&i.to_string());
            assert_eq!(alice.hears_until("<bob> "), format!("<bob> {i}"));
        }
        let left = end.saturating_duration_since(Instant::now());
        thread::park_timeout(left);
        server.cpu_ticks() - ticks
    });
    let took = began.elapsed();
    println!("{spent} ticks of 10 ms for {SENDERS} senders in {took:?}");
    let most = 50 * took.as_secs().max(3); // half of a core
    assert!(spent < most, "{spent} ticks of 10 ms in {took:?}, for {SENDERS} senders");
}
