//! The three mix-ins, each with the smallest handler that shows what it does.

use super::*;
use std::{
    io::{Read as _, Write as _},
    panic::resume_unwind,
    thread,
};

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
        let outcome = catch_unwind(AssertUnwindSafe(|| test(server.local_addr().unwrap())));
        server.shutdown();
        accept.join().unwrap();
        server.mixin.close();
        outcome.unwrap_or_else(|panic| resume_unwind(panic)); // a failed test ends, too
    });
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
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
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
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
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        while echo(&mut connect(address), b'b') != Some(b'b') {
            assert!(
                std::time::Instant::now() < deadline,
                "the place of the one who left is not free"
            );
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
