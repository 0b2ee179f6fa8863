//! The three mix-ins, each with the smallest handler that shows what it does; and what CPython
//! promises of its servers and checks (docs/socketserver.md), checked here.

use super::*;
use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{SocketAddr, TcpListener},
    panic::resume_unwind,
    sync::mpsc,
    thread,
    time::Instant,
};

/// How long a test waits at most.
const PATIENCE: Duration = Duration::from_secs(20);

/// Answers each byte with the same byte until the client goes; `!` makes it panic.
struct Echo;

impl Handler for Echo {
    fn handle(&self, mut connection: Connection) -> anyhow::Result<()> {
        let mut byte = [0];
        while connection.stream.read(&mut byte)? == 1 {
            assert_ne!(byte, *b"!", "as asked");
            connection.stream.write_all(&byte)?;
        }
        Ok(())
    }

    fn refuse(&self, mut connection: Connection, refusal: Refusal) {
        let sentence = match refusal {
            Refusal::Full { most } => format!("full: {most}"),
            no_thread @ Refusal::NoThread { .. } => format!("{no_thread:?}"),
        };
        let _ = connection.stream.write_all(sentence.as_bytes());
    }
}

/// Serves with `mixin` while `test` runs, then shuts down and joins everything.
fn serving<M: MixIn>(mixin: M, test: impl FnOnce(SocketAddr)) {
    let server =
        Server::new(TcpListener::bind("127.0.0.1:0").unwrap(), Arc::new(Echo), Arc::new(mixin));
    thread::scope(|scope| {
        let accept = scope.spawn(|| server.serve_forever());
        let outcome = catch_unwind(AssertUnwindSafe(|| test(server.listener().address().unwrap())));
        server.shutdown();
        accept.join().unwrap();
        server.mixin.close();
        outcome.unwrap_or_else(|panic| resume_unwind(panic)); // a failed test ends, too
    });
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn echo(stream: &mut TcpStream, byte: u8) -> Option<u8> {
    stream.write_all(&[byte]).ok()?;
    let mut got = [0];
    (stream.read(&mut got).ok()? == 1).then_some(got[0])
}

/// Whether the next byte does not come, for as long as it takes the others to be served.
fn waits(stream: &mut TcpStream) -> bool {
    stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let waited = stream.read(&mut [0]).is_err();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    waited
}

#[test]
fn inline_the_second_client_waits_until_the_first_goes() {
    serving(Inline, |address| {
        let (mut first, mut second) = (connect(address), connect(address));
        assert_eq!(echo(&mut first, b'a'), Some(b'a'));
        second.write_all(b"b").unwrap();
        assert!(waits(&mut second));
        drop(first);
        let mut got = [0];
        second.read_exact(&mut got).unwrap();
        assert_eq!(&got, b"b");
    });
}

#[test]
fn threading_serves_all_at_once_and_refuses_one_too_many() {
    serving(Threading::new(3, 128 * 1024), |address| {
        let mut clients: Vec<TcpStream> = (0..3).map(|_| connect(address)).collect();
        for client in clients.iter_mut().rev() {
            assert_eq!(echo(client, b'a'), Some(b'a'));
        }
        let mut refused = String::new();
        connect(address).read_to_string(&mut refused).unwrap();
        assert_eq!(refused, "full: 3");

        drop(clients.pop());
        let deadline = Instant::now() + PATIENCE;
        while echo(&mut connect(address), b'b') != Some(b'b') {
            assert!(Instant::now() < deadline, "the place of the one who left is not free");
        }
    });
}

#[test]
fn threading_a_panic_ends_one_client_only() {
    serving(Threading::new(3, 128 * 1024), |address| {
        let (mut calm, mut doomed) = (connect(address), connect(address));
        assert_eq!(echo(&mut calm, b'a'), Some(b'a'));
        assert_eq!(echo(&mut doomed, b'!'), None);
        assert_eq!(echo(&mut calm, b'b'), Some(b'b'));
    });
}

#[test]
fn pool_of_two_the_third_waits_and_the_fourth_is_refused() {
    serving(Pool::new(2, 1).unwrap(), |address| {
        let (mut first, mut second) = (connect(address), connect(address));
        assert_eq!(echo(&mut first, b'a'), Some(b'a'));
        assert_eq!(echo(&mut second, b'b'), Some(b'b'));
        let mut third = connect(address);
        third.write_all(b"c").unwrap();
        assert!(waits(&mut third));
        let mut refused = String::new();
        connect(address).read_to_string(&mut refused).unwrap();
        assert_eq!(refused, "full: 3");
        drop(first);
        let mut got = [0];
        third.read_exact(&mut got).unwrap();
        assert_eq!(&got, b"c");
    });
}

// --- What CPython promises ---

/// A server of its own for each test, on a port that is free.
fn server<H: Handler, M: MixIn>(handler: H, mixin: M) -> Server<H, M> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    Server::new(listener, Arc::new(handler), Arc::new(mixin))
}

/// Runs `serve_forever` until `test` is over.
fn while_serving<H: Handler, M: MixIn>(server: &Server<H, M>, test: impl FnOnce()) {
    thread::scope(|scope| {
        let accept = scope.spawn(|| server.serve_forever());
        let outcome = catch_unwind(AssertUnwindSafe(test));
        server.shutdown();
        accept.join().unwrap();
        server.mixin.close();
        outcome.unwrap_or_else(|panic| resume_unwind(panic));
    });
}

fn address<H: Handler, M: MixIn>(server: &Server<H, M>) -> SocketAddr {
    server.listener().address().unwrap()
}

#[test]
fn handle_request_serves_one_connection() {
    let server = server(Echo, Inline);
    let (mut first, mut second) = (connect(address(&server)), connect(address(&server)));
    first.write_all(b"a").unwrap();
    first.shutdown(std::net::Shutdown::Write).unwrap();
    second.write_all(b"b").unwrap();
    server.handle_request();
    let mut heard = String::new();
    first.read_to_string(&mut heard).unwrap();
    assert_eq!(heard, "a");
    assert!(waits(&mut second), "the second one is not served yet");
    second.shutdown(std::net::Shutdown::Write).unwrap();
    server.handle_request();
    heard.clear();
    second.read_to_string(&mut heard).unwrap();
    assert_eq!(heard, "b");
}

#[test]
fn shutdown_ends_serve_forever_at_once_whenever_it_comes() {
    for round in 0..20 {
        let server = server(Echo, Inline);
        let (ended, has_ended) = mpsc::channel();
        thread::scope(|scope| {
            if round == 0 {
                server.shutdown(); // before it begins
            }
            scope.spawn(|| {
                server.serve_forever();
                ended.send(()).unwrap();
            });
            server.shutdown();
            has_ended.recv_timeout(PATIENCE).unwrap();
        });
    }
}

/// Fails, or panics, as its client asks; and says what it is told of.
struct Failing(Mutex<mpsc::Sender<String>>);

impl Handler for Failing {
    fn handle(&self, mut connection: Connection) -> anyhow::Result<()> {
        let mut byte = [0];
        connection.stream.read_exact(&mut byte)?;
        assert_ne!(byte, *b"!", "as asked");
        anyhow::bail!("as asked")
    }

    fn handle_error(&self, _number: u64, _peer: Origin, error: &anyhow::Error) {
        let _ = self.0.lock().send(error.to_string());
    }
}

fn errors_are_told<M: MixIn>(mixin: M) {
    let (told, hears) = mpsc::channel();
    let server = server(Failing(Mutex::new(told)), mixin);
    while_serving(&server, || {
        for (byte, error) in
            [(b"?", "as asked"), (b"!", "the handler panicked"), (b"?", "as asked")]
        {
            connect(address(&server)).write_all(byte).unwrap();
            assert_eq!(hears.recv_timeout(PATIENCE).as_deref(), Ok(error));
        }
    });
}

#[test]
fn an_error_is_told_and_the_server_goes_on_with_every_mix_in() {
    errors_are_told(Inline);
    errors_are_told(Threading::new(3, 128 * 1024));
    errors_are_told(Pool::new(1, 3).unwrap());
}

/// Nobody is welcome.
struct Closed;

impl Handler for Closed {
    fn handle(&self, _: Connection) -> anyhow::Result<()> {
        unreachable!("nobody was let in")
    }

    fn verify(&self, _: Connection) -> Option<Connection> {
        None
    }
}

#[test]
fn who_is_not_verified_is_closed_and_not_served() {
    let server = server(Closed, Inline);
    while_serving(&server, || {
        let mut heard = Vec::new();
        connect(address(&server)).read_to_end(&mut heard).unwrap();
        assert_eq!(heard, b"");
    });
}

/// Sends more than any socket's buffer holds.
struct Much;

const MUCH: usize = 16 * 1024 * 1024;

impl Handler for Much {
    fn handle(&self, mut connection: Connection) -> anyhow::Result<()> {
        Ok(connection.stream.write_all(&vec![b'x'; MUCH])?)
    }
}

#[test]
fn a_large_answer_comes_whole() {
    let server = server(Much, Inline);
    while_serving(&server, || {
        let mut heard = Vec::new();
        connect(address(&server)).read_to_end(&mut heard).unwrap();
        assert_eq!(heard.len(), MUCH);
    });
}

#[test]
fn ended_threads_are_joined_when_the_next_client_comes() {
    let server = server(Echo, Threading::new(2, 128 * 1024));
    while_serving(&server, || {
        for _ in 0..20 {
            let deadline = Instant::now() + PATIENCE;
            while echo(&mut connect(address(&server)), b'a') != Some(b'a') {
                assert!(Instant::now() < deadline, "threads that have ended keep their places");
            }
        }
    });
}

#[test]
fn close_waits_for_the_handlers() {
    let server = server(Echo, Threading::new(2, 128 * 1024));
    let mut client = connect(address(&server));
    thread::scope(|scope| {
        let accept = scope.spawn(|| server.serve_forever());
        assert_eq!(echo(&mut client, b'a'), Some(b'a'));
        server.shutdown();
        accept.join().unwrap(); // it has noted every thread that it started
        let (closed, is_closed) = mpsc::channel();
        let mixin = &server.mixin;
        scope.spawn(move || {
            mixin.close();
            closed.send(()).unwrap();
        });
        let early = is_closed.recv_timeout(Duration::from_millis(100));
        assert_eq!(early, Err(mpsc::RecvTimeoutError::Timeout), "a handler runs");
        assert_eq!(echo(&mut client, b'b'), Some(b'b'), "and is served to its end");
        drop(client);
        is_closed.recv_timeout(PATIENCE).unwrap();
    });
}

#[test]
fn a_server_that_is_dropped_leaves_its_port() {
    let server = server(Echo, Inline);
    let address = address(&server);
    drop(server);
    assert_eq!(TcpStream::connect(address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    Server::new(TcpListener::bind(address).unwrap(), Arc::new(Echo), Arc::new(Inline));
}

#[test]
fn each_kind_serves_three_one_after_another_and_leaves_its_port() {
    fn serves_three(mixin: impl MixIn) {
        let mut here = None;
        serving(mixin, |address| {
            for byte in *b"abc" {
                assert_eq!(echo(&mut connect(address), byte), Some(byte));
            }
            here = Some(address);
        });
        let error = TcpStream::connect(here.unwrap()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    }
    serves_three(Inline);
    serves_three(Threading::new(10, 128 * 1024));
    serves_three(Pool::new(2, 10).unwrap());
}

#[test]
fn a_server_that_never_served_closes_at_once() {
    server(Echo, Threading::new(10, 128 * 1024)).mixin.close();
    server(Echo, Pool::new(2, 2).unwrap()).mixin.close();
}
