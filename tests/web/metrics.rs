//! What tools that watch a server read: Prometheus' metrics, and whether it is well.

use crate::{
    Web,
    harness::{DEADLINE, Server, eventually, has_program, wait_for},
    status,
};
use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    process::{Command, Stdio},
};

fn get(from: SocketAddr, path: &str, headers: &str) -> String {
    ask(from, &format!("GET {path} HTTP/1.1\r\nHost: {from}\r\n{headers}Connection: close\r\n\r\n"))
}

fn ask(from: SocketAddr, request: &str) -> String {
    let mut socket = TcpStream::connect(from).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    socket.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}

fn metrics(from: SocketAddr) -> BTreeMap<String, f64> {
    let answer = get(from, "/metrics", "");
    assert_eq!(status(&answer), 200, "{answer}");
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    let numbers = body.lines().filter(|line| !line.starts_with('#'));
    let number = |line: &str| {
        let (name, value) = line.rsplit_once(' ').unwrap();
        (name.to_owned(), value.parse().unwrap())
    };
    numbers.map(number).collect()
}

#[test]
fn every_number_is_what_has_happened() {
    let web = Web::start("--threads-max 7 --demo");
    let [mut ann, mut bob] = web.server.enter(["ann", "bob"]);
    ann.says("hi");
    bob.hears("<ann> hi");
    bob.says("/quit");
    bob.hears_to_the_end();
    ann.hears("*** bob left lobby (quit)");
    wait_for(
        || (metrics(web.web).get("chatd_clients") == Some(&1.0)).then_some(()),
        || "bob is still counted".to_owned(),
    );
    let now = metrics(web.web);
    for (name, value) in [
        ("chatd_clients_max", 7.0),
        ("chatd_lines_total", 1.0),
        ("chatd_refused_total{reason=\"full\"}", 0.0),
        ("chatd_refused_total{reason=\"address\"}", 0.0),
        ("chatd_closed_total{reason=\"quit\"}", 1.0),
        ("chatd_closed_total{reason=\"shutdown\"}", 0.0),
        ("chatd_queue_length{queue=\"events\"}", 0.0),
        ("chatd_history_outage", 0.0),
        ("chatd_history_outages_total", 0.0),
    ] {
        assert_eq!(now.get(name), Some(&value), "{name}");
    }
    assert!(now["chatd_deliveries_total"] >= 1.0);
    assert_eq!(now.get("chatd_queue_bound{queue=\"fullest\"}"), Some(&65536.0));
    let began = seconds_now() - now["process_start_time_seconds"];
    assert!((0.0..60.0).contains(&began), "it began {began} s ago");
    assert!(
        now.contains_key(&format!("chatd_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION")))
    );
    assert!(now.contains_key("chatd_lock_waits_total{lock=\"the registry\"}"));
    let health = get(web.web, "/healthz", "");
    assert!(status(&health) == 200 && health.ends_with("\r\n\r\nok\n"), "{health}");
}

fn seconds_now() -> f64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64()
}

#[test]
fn metrics_are_for_this_machine_unless_they_have_a_port_of_their_own() {
    let web = Web::start("--proxy-from 127.0.0.1 --metrics 127.0.0.1:0");
    let there = "X-Forwarded-For: 192.0.2.7\r\n";
    let refused = get(web.web, "/metrics", there);
    assert_eq!(status(&refused), 403, "{refused}");
    assert!(refused.contains("Metrics are for this machine alone."), "{refused}");
    assert_eq!(status(&get(web.web, "/healthz", there)), 200, "a load balancer is elsewhere");
    for (request, expected) in [
        ("GET /healthz HTTP/1.0\r\n\r\n", 200), // as haproxy asks
        ("GET /healthz HTTP/1.1\r\nHost: chat.example\r\nConnection: close\r\n\r\n", 200),
        ("GET /metrics HTTP/1.0\r\n\r\n", 421),
        ("GET /metrics HTTP/1.1\r\nHost: chat.example\r\nConnection: close\r\n\r\n", 421),
        ("GET /healthz HTTP/1.1\r\n\r\n", 400),
    ] {
        let answer = ask(web.web, request);
        assert_eq!(status(&answer), expected, "{request}: {answer}");
    }
    assert_eq!(status(&get(web.web, "/metrics", "X-Forwarded-For: 127.0.0.1\r\n")), 200);
    let own = metrics_port(&web.server);
    assert_eq!(status(&get(own, "/metrics", there)), 200);
    let other = get(own, "/", "");
    assert!(
        status(&other) == 404 && other.contains("There is /metrics here, and /healthz."),
        "{other}"
    );
    assert_eq!(status(&get(own, "/chat", "")), 404, "it is no way into the chat");
}

fn metrics_port(server: &Server) -> SocketAddr {
    let port = |line: &str| {
        line.split_once("metrics are at http://")?.1.strip_suffix("/metrics")?.parse().ok()
    };
    wait_for(|| server.log().lines().find_map(port), || server.log())
}

#[test]
fn a_server_without_a_page_has_metrics_too_and_promtool_finds_nothing_wrong_with_them() {
    let mut server = Server::start("--metrics 127.0.0.1:0");
    let own = metrics_port(&server);
    let answer = get(own, "/metrics", "");
    if has_program("promtool") {
        let mut promtool = Command::new("promtool");
        promtool
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut promtool = promtool.spawn().unwrap();
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        promtool.stdin.take().unwrap().write_all(body.as_bytes()).unwrap();
        let says = promtool.wait_with_output().unwrap();
        let says_all = String::from_utf8_lossy(&says.stdout).into_owned()
            + &String::from_utf8_lossy(&says.stderr);
        assert!(says.status.success() && says_all.is_empty(), "{says_all}");
    }
    let mut ann = server.lets_in("ann");
    assert_eq!(metrics(own).get("chatd_clients"), Some(&1.0));
    ann.asks_until("/view", "*** There is no view: the server serves no browsers.");
    server.signal("TERM");
    eventually("it ends", || server.has_ended());
    assert_eq!(server.exit_code(), Some(0));
}

#[test]
fn who_is_not_let_in_is_counted_by_the_reason() {
    let web = Web::start("--threads-max 1");
    let _ann = web.server.lets_in("ann");
    let mut bob = web.server.connect("bob");
    bob.hears_until("*** Sorry: the only place is taken.");
    let full = "chatd_refused_total{reason=\"full\"}";
    wait_for(
        || (metrics(web.web).get(full) == Some(&1.0)).then_some(()),
        || format!("{:?}", metrics(web.web)),
    );
}
