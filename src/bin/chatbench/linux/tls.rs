//! A client that speaks TLS: what it sends becomes records, and of what comes what is in them is left.

use anyhow::{Context, Result, ensure};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use std::{
    env, fs,
    io::{self, ErrorKind, Read as _, Write as _},
    path::PathBuf,
    process::{self, Command},
    sync::Arc,
};

/// Bytes that are read at once: with a record that came in part before, they hold fewer bytes of text
/// than a client's buffer has.
const PIECE: usize = 32 * 1024;

/// A certificate that chatd has made, in a folder that is there as long as this.
pub struct Certificate {
    folder: PathBuf,
}

impl Certificate {
    /// Has this chatd make one.
    pub fn new(chatd: &str) -> Result<Certificate> {
        let folder = env::temp_dir().join(format!("chatbench-tls-{}", process::id()));
        // Not one that is there: anybody may have made that.
        fs::create_dir(&folder).with_context(|| format!("no folder {}", folder.display()))?;
        let certificate = Certificate { folder };
        let mut make = Command::new(chatd);
        let made = make.args(["tls", "make", "--in"]).arg(&certificate.folder).output()?;
        ensure!(
            made.status.success(),
            "{chatd} tls make: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        Ok(certificate)
    }

    /// The certificate, and its key.
    fn files(&self) -> [PathBuf; 2] {
        ["chatd-cert.pem", "chatd-key.pem"].map(|file| self.folder.join(file))
    }

    /// The options of a server that shows it.
    pub fn options(&self) -> Vec<String> {
        let [certificate, key] = self.files().map(|file| file.display().to_string());
        ["--tls", "127.0.0.1:0", "--tls-cert", &certificate, "--tls-key", &key]
            .map(str::to_owned)
            .to_vec()
    }

    /// For clients that believe whoever shows it, and nobody else.
    pub fn clients(&self) -> Result<Arc<ClientConfig>> {
        let [certificate, _] = self.files();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(certificate).context("no certificate")?)?;
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config.with_safe_default_protocol_versions()?.with_root_certificates(roots);
        Ok(Arc::new(config.with_no_client_auth()))
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder); // gone already
    }
}

/// One connection's state.
pub struct Tls {
    connection: ClientConnection,
    received: Vec<u8>,
}

impl Tls {
    pub fn new(config: Arc<ClientConfig>) -> Result<Tls> {
        let mut connection = ClientConnection::new(config, "localhost".try_into()?)?;
        connection.set_buffer_limit(None); // what waits for the handshake, too
        Ok(Tls { connection, received: vec![0; PIECE] })
    }

    /// The records to send for these bytes, and for the handshake.
    pub fn encrypt(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        self.connection.writer().write_all(bytes)?;
        let mut records = Vec::new();
        while self.connection.wants_write() {
            self.connection.write_tls(&mut records)?;
        }
        Ok(records)
    }

    /// Reads once from `from`, and leaves what was in the records at the beginning of `into`, which
    /// has room for more than [`PIECE`].
    pub fn read(&mut self, mut from: impl io::Read, into: &mut [u8]) -> io::Result<usize> {
        let count = from.read(&mut self.received)?;
        if count == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let (mut rest, mut decrypted) = (&self.received[..count], 0);
        loop {
            match self.connection.reader().read(&mut into[decrypted..]) {
                Ok(0) if decrypted == 0 => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(0) => return Ok(decrypted), // the next read is the end
                Ok(count) => decrypted += count,
                Err(e) if e.kind() != ErrorKind::WouldBlock => return Err(e),
                Err(_) if rest.is_empty() => return Ok(decrypted),
                Err(_) => {
                    self.connection.read_tls(&mut rest)?; // not always all of it
                    self.connection.process_new_packets().map_err(io::Error::other)?;
                }
            }
        }
    }
}
