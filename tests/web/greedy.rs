//! Who asks for more than their share of the one thread that serves all browsers.

use crate::{Web, harness::DEADLINE, status, to_the_end};
use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpStream},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::{Duration, Instant},
};

/// Connections that the server keeps, of those that are no WebSockets.
const MOST: usize = 1024;

/// By the figure it is 100 ms. A machine with twenty times the work that it can do may take 3 s.
const SOON: Duration = Duration::from_secs(10);

/// A request, as often as this.
fn requests(path: &str, count: usize) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").repeat(count).into_bytes()
}

/// A connection whose end takes little at once.
fn takes_little(web: &Web) -> TcpStream {
    let stream = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    stream.set_recv_buffer_size(4096).unwrap();
    stream.set_tcp_mss(1460).unwrap(); // as on a network: loopback takes 4 MB by itself
    stream.connect(&web.web.into()).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.into()
}

/// It is answered once, and then the others have their turn.
#[test]
fn who_asks_without_an_end_and_reads_it_all_delays_nobody() {
    const HOGS: usize = 4;
    let web = Web::start("");
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let mut hogs: Vec<TcpStream> = (0..HOGS).map(|_| web.connect()).collect();
        for hog in &hogs {
            let [mut writing, mut reading] = [hog, hog].map(|hog| hog.try_clone().unwrap());
            let many = requests("/nothing", 2000);
            scope.spawn(move || while writing.write_all(&many).is_ok() {});
            let is_over = &is_over;
            scope.spawn(move || {
                let mut bytes = vec![0; 1024 * 1024];
                while !is_over.load(Relaxed) && reading.read(&mut bytes).is_ok_and(|n| n > 0) {}
            });
        }
        let mut slowest = Duration::ZERO;
        for _ in 0..20 {
            let asked = Instant::now();
            assert_eq!(status(&web.get("/icon.svg", "")), 200);
            slowest = slowest.max(asked.elapsed());
        }
        println!("beside {HOGS} that ask without an end: {slowest:?} at most");
        is_over.store(true, Relaxed);
        for hog in hogs.drain(..) {
            let _ = hog.shutdown(Shutdown::Both);
        }
        assert!(slowest < SOON, "{slowest:?}");
    });
}

/// Every place is taken by somebody who does not take their answers. A browser opens several connections before it asks on any.
#[test]
fn who_takes_no_answers_keeps_no_browser_out() {
    let web = Web::start("");
    let many = requests("/page.js", 700);
    let deaf: Vec<TcpStream> = (0..MOST + 10)
        .map(|_| {
            let mut stream = takes_little(&web);
            stream.set_nonblocking(true).unwrap();
            let _ = stream.write(&many);
            stream
        })
        .collect();
    for _ in 0..5 {
        let mut browsers: Vec<TcpStream> = (0..6).map(|_| web.connect()).collect();
        for browser in &mut browsers {
            browser.write_all(&requests("/icon.svg", 1)).unwrap();
            browser.shutdown(Shutdown::Write).unwrap();
        }
        for browser in browsers {
            assert_eq!(status(&to_the_end(browser)), 200);
        }
    }
    drop(deaf);
}

/// Of some of them the last answer waits in part, because the system has taken no more; and more has come behind its request.
#[test]
fn what_comes_behind_a_last_request_stops_nobody_however_its_answer_is_taken() {
    let web = Web::start("");
    let last = b"GET /lanes.js HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\nGET";
    let counts = 1..=80; // 1 MiB waits in the system: fewer than 50 of these answers
    let slow: Vec<TcpStream> = counts
        .clone()
        .map(|count| {
            let mut stream = takes_little(&web);
            stream.write_all(&[&requests("/lanes.js", count), &last[..]].concat()).unwrap();
            stream
        })
        .collect();
    let is_there = || assert_eq!(status(&web.get("/icon.svg", "")), 200);
    counts.for_each(|_| is_there()); // meanwhile each of the others has as many turns
    for mut stream in slow {
        let _ = stream.read_to_end(&mut Vec::new());
        is_there();
    }
}

/// With the end behind them, as `nc -N` sends it.
#[test]
fn every_request_is_answered_that_came_before_the_end() {
    let web = Web::start("");
    let mut stream = web.connect();
    stream.write_all(&requests("/icon.svg", 50)).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(to_the_end(stream).matches("HTTP/1.1 200").count(), 50);
}

/// Who sees nothing in `nc` presses Enter.
#[test]
fn who_presses_enter_at_the_web_port_is_told_the_right_one() {
    let web = Web::start("");
    let answer = web.answers("\r\n\n");
    assert!(answer.starts_with("*** This port is for browsers."), "{answer}");
}
