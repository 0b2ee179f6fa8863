//! A client that speaks TLS, and the certificate of the servers under test.

use super::Folder;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::{
    ALL_VERSIONS, ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    SupportedProtocolVersion,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use std::{
    io::{self, ErrorKind, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

/// An encrypted connection.
pub struct Tls {
    pub stream: StreamOwned<ClientConnection, TcpStream>,
    /// How the server has ended it: with TLS's own end, or without.
    pub is_clean: Option<bool>,
}

impl Tls {
    /// Shakes hands.
    pub fn connect(stream: TcpStream) -> io::Result<Tls> {
        let (mut connection, mut socket) = (begin(), stream);
        while connection.is_handshaking() {
            connection.complete_io(&mut socket)?;
        }
        Ok(Tls { stream: StreamOwned::new(connection, socket), is_clean: None })
    }

    /// TLS's own end; what the server says can still be read.
    pub fn closes(&mut self) {
        self.stream.conn.send_close_notify();
        let _ = self.stream.conn.complete_io(&mut self.stream.sock);
    }
}

/// Writes a certificate for localhost that holds from the one year on and to the other, and its key.
pub fn write_pair(folder: &Folder, from: i32, to: i32) {
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(to, 1, 1);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    std::fs::write(folder.path("chatd-cert.pem"), certificate.pem()).unwrap();
    std::fs::write(folder.path("chatd-key.pem"), key.serialize_pem()).unwrap();
}

/// What a client sends first.
pub fn hello() -> Vec<u8> {
    let mut hello = Vec::new();
    begin().write_tls(&mut hello).unwrap();
    hello
}

fn begin() -> ClientConnection {
    let name = ServerName::try_from("localhost").unwrap();
    ClientConnection::new(Arc::new(client_config(ALL_VERSIONS)), name).unwrap()
}

impl Write for Tls {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

impl Drop for Tls {
    fn drop(&mut self) {
        self.closes();
    }
}

impl Read for Tls {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        match self.stream.read(space) {
            Ok(0) => self.is_clean = Some(true),
            Err(e) if e.kind() == ErrorKind::UnexpectedEof => {
                self.is_clean = Some(false);
                return Ok(0);
            }
            read => return read,
        }
        Ok(0)
    }
}

/// A client that believes the certificate of [`pair`] alone.
pub fn client_config(versions: &[&'static SupportedProtocolVersion]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(pair().join("chatd-cert.pem")).unwrap()).unwrap();
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// The folder with chatd-cert.pem and chatd-key.pem, which chatd has made for localhost.
pub fn pair() -> &'static Path {
    static PAIR: OnceLock<PathBuf> = OnceLock::new();
    PAIR.get_or_init(|| {
        let pair = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tls-pair");
        if !pair.exists() {
            let folder = Folder::new();
            folder.run("tls make --in . --name localhost --name 127.0.0.1");
            // Another test binary may be doing the same: then its pair is as good.
            let _ = std::fs::rename(folder.path(""), &pair);
        }
        pair
    })
}

/// The options with which a server has it.
pub fn options() -> String {
    let pair = pair().display();
    format!("--tls-cert {pair}/chatd-cert.pem --tls-key {pair}/chatd-key.pem")
}
