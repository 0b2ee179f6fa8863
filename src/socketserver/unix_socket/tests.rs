//! The Unix-domain listener: its file, and who comes.

use super::*;
use crate::{
    origin::Origin,
    socketserver::{Connection, Handler, Inline, MixIn, Pool, Server, Threading},
};
use std::{
    io::{Read as _, Write as _},
    sync::Arc,
    thread,
    time::Duration,
};

/// A folder of its own for a test, which goes with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("chatd-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn path(&self) -> PathBuf {
        self.0.join("s")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn bind(path: &Path) -> Result<UnixSocket, BindError> {
    UnixSocket::bind(path, 0o666, 128)
}

/// Tells each client who they are.
struct Tells;

impl Handler for Tells {
    fn handle(&self, mut connection: Connection) -> anyhow::Result<()> {
        Ok(connection.stream.write_all(connection.peer.to_string().as_bytes())?)
    }
}

#[test]
fn a_client_is_known_by_their_uid() {
    let folder = Folder::new("uid");
    let threads = Arc::new(Threading::new(10, 128 * 1024));
    let socket = bind(&folder.path()).unwrap();
    let server = Server::new(socket, Arc::new(Tells), Arc::clone(&threads));
    let mut heard = String::new();
    thread::scope(|scope| {
        scope.spawn(|| server.serve_forever());
        let mut client = UnixStream::connect(folder.path()).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let read = client.read_to_string(&mut heard);
        server.shutdown();
        read.unwrap();
    });
    threads.close();
    assert_eq!(heard, Origin::Uid(rustix::process::getuid().as_raw()).to_string());
}

#[test]
fn the_file_has_its_mode_and_goes_with_the_listener() {
    let folder = Folder::new("mode");
    for mode in [0o666, 0o600, 0o660] {
        let socket = UnixSocket::bind(&folder.path(), mode, 128).unwrap();
        let metadata = fs::symlink_metadata(folder.path()).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, mode);
        drop(socket);
        assert!(!folder.path().exists());
    }
}

#[test]
fn a_stale_file_is_taken_away_and_no_other() {
    let folder = Folder::new("stale");
    let path = folder.path();
    drop(UnixListener::bind(&path).unwrap()); // the file stays, as behind a server that was killed
    let first = bind(&path).unwrap();
    assert!(matches!(bind(&path), Err(BindError::Taken)), "somebody answers");

    // Its file was removed by hand, and another server listens there: that one's file stays.
    fs::remove_file(&path).unwrap();
    let second = bind(&path).unwrap();
    drop(first);
    assert!(path.exists());
    drop(second);
    assert!(!path.exists());

    fs::write(&path, "a text").unwrap();
    assert!(matches!(bind(&path), Err(BindError::OtherFile)));
    assert_eq!(fs::read_to_string(&path).unwrap(), "a text");
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("elsewhere", &path).unwrap();
    assert!(matches!(bind(&path), Err(BindError::OtherFile)), "a link is left alone");
}

#[test]
fn a_path_that_is_too_long_is_refused_with_its_length() {
    let folder = Folder::new("long");
    let rest = PATH_MAX - folder.0.as_os_str().len() - 1;
    drop(bind(&folder.0.join("x".repeat(rest))).unwrap());
    let long = folder.0.join("x".repeat(rest + 1));
    assert!(matches!(bind(&long), Err(BindError::TooLong(108))));
    assert!(matches!(bind(&folder.0.join("none/s")), Err(BindError::System(_))));
}

#[test]
fn each_kind_serves_three_one_after_another_and_takes_its_file_away() {
    fn serves_three(mixin: impl MixIn) {
        let folder = Folder::new("three");
        let server = Server::new(bind(&folder.path()).unwrap(), Arc::new(Tells), Arc::new(mixin));
        thread::scope(|scope| {
            scope.spawn(|| server.serve_forever());
            for _ in 0..3 {
                let mut heard = String::new();
                let mut client = UnixStream::connect(folder.path()).unwrap();
                client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
                client.read_to_string(&mut heard).unwrap();
                assert!(heard.contains("uid"), "{heard}");
            }
            server.shutdown();
        });
        server.mixin.close();
        drop(server);
        assert!(!folder.path().exists());
    }
    serves_three(Inline);
    serves_three(Threading::new(10, 128 * 1024));
    serves_three(Pool::new(2, 10).unwrap());
}

#[test]
fn a_bind_that_fails_leaves_nothing_open() {
    let folder = Folder::new("fails");
    let nowhere = folder.path().join("no-such-folder");
    (0..1024).for_each(|_| assert!(bind(&nowhere).is_err()));
    drop(bind(&folder.path()).unwrap()); // there are descriptors left for it
}
