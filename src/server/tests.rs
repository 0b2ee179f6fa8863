//! A whole server in this process, while a thread keeps a lock that nobody should keep.

use super::*;
use crate::thread_status::Status;
use argh::FromArgs as _;
use std::time::Instant;
use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
};

/// Far longer than anything here takes.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

fn start(more: &[&str]) -> Chatd {
    let args = [&["--listen", "127.0.0.1:0", "--db", "none"], more].concat();
    let options = Options::from_args(&["chatd"], &args).unwrap();
    Chatd::start(&options, LentListeners::default(), Vec::new(), || ()).unwrap()
}

/// A client that is in.
fn enter(chatd: &Chatd, name: &str) -> BufReader<TcpStream> {
    let mut socket = TcpStream::connect(chatd.addresses()[0]).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    writeln!(socket, "{name}").unwrap();
    let mut client = BufReader::new(socket);
    read_until(&mut client, "You are in lobby");
    client
}

/// Reads up to a line that contains `text`.
fn read_until(client: &mut BufReader<TcpStream>, text: &str) -> String {
    let mut all = String::new();
    loop {
        let start = all.len();
        let read = client.read_line(&mut all);
        assert!(read.is_ok_and(|read| read > 0), "no {text:?} in {all}");
        if all[start..].contains(text) {
            return all;
        }
    }
}

#[test]
fn threads_are_shown_while_the_registry_is_held() {
    let chatd = start(&[]);
    let mut alice = enter(&chatd, "alice");
    let (registry, threads) =
        (Arc::clone(&chatd.handler.registry), Arc::clone(&chatd.handler.threads));
    let (release, released) = bounded::<()>(0);
    let holding = std::thread::spawn(move || {
        let status = Status::new("demo:holder");
        status.attach();
        let _listed = threads.enter(&status);
        registry.hold(|| assert!(released.recv_timeout(PATIENCE).is_ok()));
    });
    let end = Instant::now() + PATIENCE;
    let mut late = Vec::new(); // the first may come before the lock is held
    loop {
        late.push(TcpStream::connect(chatd.addresses()[0]).unwrap());
        writeln!(alice.get_mut(), "/threads").unwrap();
        let table = read_until(&mut alice, ":alice ");
        assert!(Instant::now() < end, "{table}");
        if table.contains(" waits for the registry, which demo:holder holds.") {
            break;
        }
    }
    release.send(()).unwrap();
    holding.join().unwrap();
    drop(late);
    chatd.shutdown().unwrap();
}
