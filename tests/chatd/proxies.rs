//! Behind a proxy that speaks the PROXY protocol: its clients are where it says, and nobody else's word is taken.

use crate::harness::{
    Client, Folder, Process, Program, Server, eventually, has_program, skip,
    tls::{self, Tls},
};
use socket2::{Domain, Socket, Type};
use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener},
    process::Command,
};
use tungstenite::Message;

/// Where the proxy of these tests connects from.
const PROXY: &str = "127.0.0.2";

fn start(options: &str) -> Server {
    Server::start(&format!("--proxy-from {PROXY} {options}"))
}

/// A client of the proxy, which sends this ahead.
fn behind(server: &Server, name: &str, header: impl AsRef<[u8]>) -> Client {
    let mut client = Client::connect_from(PROXY, server.address, name);
    client.sends(header);
    client
}

fn v1(address: &str) -> String {
    format!("PROXY TCP4 {address} 198.51.100.1 40000 5000\r\n")
}

/// Version 2, with a TLV behind the addresses.
fn v2(address: [u8; 4]) -> Vec<u8> {
    let ports = [0x9c, 0x40, 0x13, 0x88];
    let tlv = b"\x04\x00\x03abc";
    [&b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x12"[..], &address, &[198, 51, 100, 1], &ports, tlv]
        .concat()
}

fn enters(client: &mut Client) {
    client.hears_until("*** What is your name?");
    let name = client.name.clone();
    client.says(&name);
    client.hears_until("*** You are in lobby");
}

#[test]
pub fn a_proxy_says_where_its_clients_are() {
    let server = start("--per-source 2");
    let mut bob = behind(&server, "bob", v1("192.0.2.7"));
    enters(&mut bob);
    server.logs("connected from 192.0.2.7:40000");
    let mut carol = behind(&server, "carol", v2([192, 0, 2, 7]));
    enters(&mut carol);
    bob.hears("*** carol entered lobby");
    let mut third = behind(&server, "third", v1("192.0.2.7"));
    third.hears("*** Sorry: 2 connections from your address are open, and that is the most.");
    let mut dave = behind(&server, "dave", [v1("192.0.2.8").as_bytes(), b"dave\nhi\n"].concat());
    dave.hears_until("*** You are in lobby");
    bob.hears_until("<dave> hi");
    server.logs("connected from 192.0.2.8:40000");

    // It looks whether we are here: that is no client. But if it stays, it is its own one.
    let local = b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00";
    drop(behind(&server, "look", local));
    drop(behind(&server, "look", "PROXY UNKNOWN\r\n"));
    enters(&mut behind(&server, "erin", local));
    enters(&mut behind(&server, "finn", b"PROXY UNKNOWN\r\n\n"));
    let own = format!("connected from {PROXY}:");
    eventually("both are logged", || server.log().matches(&own).count() == 2);
}

#[test]
pub fn a_ban_is_of_the_address_that_the_proxy_says() {
    let folder = Folder::with_administrator(&["boss"]);
    let server = Server::start_in(&folder, &format!("--proxy-from {PROXY}"));
    let mut boss = server.logs_in("boss");
    let mut eve = behind(&server, "eve", v1("192.0.2.66"));
    enters(&mut eve);
    boss.says("/ban 192.0.2.66");
    eve.hears_until("*** Hung up: you are banned by boss");
    enters(&mut behind(&server, "bob", v1("192.0.2.67")));
    let mut again = behind(&server, "again", v1("192.0.2.66"));
    again.hears_until("*** What is your name?");
    again.says("again");
    again.hears_until("*** Hung up: you are banned by boss");
}

#[test]
pub fn from_elsewhere_a_proxy_header_is_nobodys_word() {
    let server = start("");
    let mut liar = server.connect("liar");
    liar.sends(v1("192.0.2.7"));
    liar.hears_until("*** Hung up: this is a chat server, and that was a PROXY line.");
    let mut liar = server.connect("liar");
    liar.sends(v2([192, 0, 2, 7]));
    liar.hears_until("*** Hung up: this is a chat server, and that was a PROXY header.");
    assert!(!server.log().contains("192.0.2.7"), "{}", server.log());
}

#[test]
pub fn a_proxy_that_sends_no_header_is_told_what_is_demanded() {
    let server = start("");
    let long = [&b"PROXY UNKNOWN "[..], &[b'x'; 200], b"\r\n"].concat();
    for (sent, what) in [
        (&b"alice\n"[..], "something else came"),
        (b"GET / HTTP/1.1\r\n\r\n", "something else came"),
        (b"PROXY TCP4 here there 1 2\r\n", "what came is not one"),
        (&long, "its line is longer than 107 bytes"),
        (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff", "it is longer than 2 KiB"),
    ] {
        let mut proxy = behind(&server, "proxy", sent);
        proxy.hears(&format!(
            "*** From this address, --proxy-from demands a PROXY header, version 1 or 2, and {what}. (haproxy: send-proxy.)"
        ));
        proxy.ends();
    }
    server.logs(&format!("refused {PROXY}:"));
}

/// 600 that connect and say nothing, and one that says its header a byte at a time.
#[test]
pub fn silent_connections_of_a_proxy_end_and_delay_nobody() {
    let server = start("");
    let connect = |_| Client::connect_from(PROXY, server.address, "silent");
    let mut silent: Vec<Client> = (0..600).map(connect).collect();
    let [mut alice] = server.enter(["alice"]);
    let mut bob = behind(&server, "bob", v1("192.0.2.7"));
    enters(&mut bob);
    alice.hears("*** bob entered lobby");
    let mut carol = behind(&server, "carol", "");
    for byte in v1("192.0.2.8").into_bytes() {
        carol.sends([byte]);
    }
    enters(&mut carol);
    let last = silent.pop().unwrap().hears_to_the_end().concat();
    assert!(last.contains("and nothing came within 5 s"), "{last}");
    silent.into_iter().for_each(|mut one| drop(one.hears_to_the_end()));
    alice.hears("*** carol entered lobby");
    bob.says("hi");
    alice.hears("<bob> hi");
}

/// A port of loopback that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Waits until a proxy listens there.
fn listening(port: u16) -> SocketAddr {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    eventually("the proxy listens", || {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, 9], 0)).into()).unwrap();
        socket.connect(&address.into()).is_ok()
    });
    address
}

/// A real proxy in front of a server, as docs/operations.md has it.
fn a_real_proxy(server: &Server, command: Command, port: u16) {
    let mut proxy = Process::start(command);
    let address = listening(port);
    let mut bob = Client::connect_from("127.0.0.7", address, "bob");
    enters(&mut bob);
    server.logs("connected from 127.0.0.7:");
    let mut alice = Client::connect_from("127.0.0.8", address, "alice");
    enters(&mut alice);
    server.logs("connected from 127.0.0.8:");
    bob.hears_until("*** alice entered lobby");
    alice.says("hi");
    bob.hears("<alice> hi");
    alice.says("/quit");
    alice.hears_until("*** Goodbye.");
    alice.ends();
    let log = server.log();
    assert!(!log.contains("refused") && !log.contains("from 127.0.0.1"), "its looks count: {log}");
    proxy.signal("TERM");
    proxy.exit_code();
}

/// What a page has of this kind, in which `has` stands; with addresses and files of the test's in the place of its own.
fn snippet(page: &str, kind: &str, has: &str, changes: &[(&str, &str)]) -> String {
    let page = format!("{}/docs/{page}", env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(page).unwrap();
    let mut blocks = page.split("```").filter_map(|block| block.strip_prefix(kind));
    let block = blocks.find(|block| block.contains(has)).unwrap().to_owned();
    changes.iter().fold(block, |block, (from, to)| {
        assert!(block.contains(from), "no {from} in {block}");
        block.replace(from, to)
    })
}

fn haproxy(folder: &Folder, config: &str) -> Command {
    std::fs::write(folder.path("haproxy.cfg"), config).unwrap();
    let mut command = Command::new("haproxy");
    command.args(["-db", "-f"]).arg(folder.path("haproxy.cfg"));
    command
}

/// As of a machine's whole configuration, of which the page has a part.
fn nginx(folder: &Folder, config: &str) -> Command {
    let config = format!(
        "load_module {NGINX_MODULE};\ndaemon off;\npid {0}/pid;\nerror_log {0}/log;\nevents {{}}\n{config}",
        folder.path("").display(),
    );
    std::fs::write(folder.path("nginx.conf"), config).unwrap();
    let mut command = Command::new("nginx");
    command.arg("-c").arg(folder.path("nginx.conf"));
    command
}

const OPERATIONS: &str = "operations.md";
const NGINX_MODULE: &str = "/usr/lib/nginx/modules/ngx_stream_module.so";

/// Whether there is one; if not, it says which test is skipped.
fn has_nginx(test: &str) -> bool {
    let is_there = has_program("nginx") && std::path::Path::new(NGINX_MODULE).exists();
    if !is_there {
        skip(&format!("{test}: there is no nginx, or no libnginx-mod-stream"));
    }
    is_there
}

#[test]
fn haproxy_with_both_versions() {
    if !has_program("haproxy") {
        return skip("haproxy_with_both_versions: there is no haproxy");
    }
    for send in ["send-proxy-v2 check inter 20ms", "send-proxy"] {
        let (folder, port) = (Folder::new(), free_port());
        let server = Server::start("--proxy-from 127.0.0.1");
        let changes = [
            ("0.0.0.0:5000", &*format!("127.0.0.1:{port}")),
            ("127.0.0.1:5001", &server.address.to_string()),
            ("send-proxy-v2 check", send),
        ];
        let config = snippet(OPERATIONS, "haproxy", "0.0.0.0:5000", &changes);
        a_real_proxy(&server, haproxy(&folder, &config), port);
    }
}

#[test]
fn nginx_with_its_stream_module() {
    if !has_nginx("nginx_with_its_stream_module") {
        return;
    }
    let (folder, port) = (Folder::new(), free_port());
    let server = Server::start("--proxy-from 127.0.0.1");
    let changes = [
        ("0.0.0.0:5000", &*format!("127.0.0.1:{port}")),
        ("127.0.0.1:5001", &server.address.to_string()),
    ];
    let config = snippet(OPERATIONS, "nginx", "0.0.0.0:5000", &changes);
    a_real_proxy(&server, nginx(&folder, &config), port);
}

/// Between them and their clients TLS is spoken, and between them and the server it is not.
#[test]
fn haproxy_that_encrypts() {
    if !has_program("haproxy") {
        return skip("haproxy_that_encrypts: there is no haproxy");
    }
    let (folder, port) = (Folder::new(), free_port());
    let server = Server::start("--proxy-from 127.0.0.1");
    let pair = ["chatd-cert.pem", "chatd-key.pem"].map(|file| tls::pair().join(file));
    let both = pair.map(|file| std::fs::read_to_string(file).unwrap()).concat();
    std::fs::write(folder.path("both.pem"), both).unwrap();
    let changes = [
        ("0.0.0.0:5001", &*format!("127.0.0.1:{port}")),
        ("127.0.0.1:5000", &server.address.to_string()),
        ("/etc/haproxy/chat.example.org.pem", &folder.path("both.pem").display().to_string()),
    ];
    let config = snippet(OPERATIONS, "haproxy", " ssl crt ", &changes);
    Program::Tls.keeps_here(|| a_real_proxy(&server, haproxy(&folder, &config), port));
}

#[test]
fn nginx_that_encrypts() {
    if !has_nginx("nginx_that_encrypts") {
        return;
    }
    let (folder, port) = (Folder::new(), free_port());
    let server = Server::start("--proxy-from 127.0.0.1");
    let pair = tls::pair().display();
    let changes = [
        ("0.0.0.0:5001", &*format!("127.0.0.1:{port}")),
        ("127.0.0.1:5000", &server.address.to_string()),
        ("/etc/letsencrypt/live/chat.example.org/fullchain.pem", &format!("{pair}/chatd-cert.pem")),
        ("/etc/letsencrypt/live/chat.example.org/privkey.pem", &format!("{pair}/chatd-key.pem")),
    ];
    let config = snippet(OPERATIONS, "nginx", "ssl_certificate", &changes);
    Program::Tls.keeps_here(|| a_real_proxy(&server, nginx(&folder, &config), port));
}

#[test]
fn nginx_in_front_of_the_page() {
    if !has_nginx("nginx_in_front_of_the_page") {
        return;
    }
    let (folder, port, pair) = (Folder::new(), free_port(), tls::pair().display());
    let server = Server::start("--web 127.0.0.1:0 --proxy-from 127.0.0.1");
    let lead = "listening for browsers on ";
    server.prints(lead);
    let printed = server.printed();
    let web = printed.lines().find_map(|line| Some(line.split_once(lead)?.1)).unwrap();
    let location = snippet("web.md", "nginx", "location /", &[("127.0.0.1:5080", web)]);
    let config = format!(
        "http {{ access_log off; server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {pair}/chatd-cert.pem;
         ssl_certificate_key {pair}/chatd-key.pem; {location} }} }}"
    );
    let mut proxy = Process::start(nginx(&folder, &config));
    let address = listening(port);
    let connect = || {
        let client = Client::connect_from("127.0.0.7", address, "browser");
        Tls::connect(client.stream().try_clone().unwrap()).unwrap()
    };
    let (mut page, mut answer) = (connect(), String::new());
    page.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    page.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("</html>"), "{answer}");
    let (mut chat, _) = tungstenite::client("ws://localhost/chat", connect()).unwrap();
    chat.send(Message::text("bob")).unwrap();
    while !chat.read().unwrap().into_text().unwrap().contains("*** You are in lobby") {}
    server.logs("connected from 127.0.0.7:");
    chat.send(Message::text("/quit")).unwrap();
    while chat.read().is_ok() {}
    proxy.signal("TERM");
    proxy.exit_code();
}

/// They are on this machine, where the proxy is.
#[test]
fn puppets_need_no_proxy() {
    let folder = Folder::with_administrator(&["boss"]);
    let server = Server::start_in(&folder, "--proxy-from 127.0.0.0/8 --demo");
    let mut boss = behind(&server, "boss", v1("192.0.2.7"));
    boss.hears_until("*** What is your name?");
    boss.says("boss\ncorrect horse");
    boss.hears_until("*** You are in lobby");
    boss.says("/demo panic");
    boss.hears_until("*** A demonstration: the thread of one client panics");
    boss.hears_until("*** End of the demonstration");
}
