//! TLS in front of a [`Server`]: what a client sends there comes to that server, and the other way. Its certificate can be
//! good or bad, and change.

use crate::{DEADLINE, server::Server};
use crossbeam_channel::{Receiver, Sender, bounded};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256,
    date_time_ymd,
};
use rustls::{
    ServerConfig, ServerConnection,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
    version::{TLS12, TLS13},
};
use std::{
    fmt::Write as _,
    io::{self, Read as _, Write as _},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread,
};

/// A certificate, and the key that its server uses.
pub struct Certificate {
    der: CertificateDer<'static>,
    key: Vec<u8>,
}

impl Certificate {
    /// For localhost and 127.0.0.1, signed by its own key.
    pub fn self_signed() -> Certificate {
        let (params, key) = (params(), KeyPair::generate().unwrap());
        let der = params.self_signed(&key).unwrap().der().clone();
        Certificate { der, key: key.serialize_der() }
    }

    /// The same certificate in the hands of somebody who has not its key.
    pub fn stolen(&self) -> Certificate {
        Certificate { der: self.der.clone(), key: KeyPair::generate().unwrap().serialize_der() }
    }

    /// As chat writes it.
    pub fn fingerprint(&self) -> String {
        let digest = ring::cipher_suite::TLS13_AES_128_GCM_SHA256.tls13().unwrap();
        let hash = digest.common.hash_provider.hash(&self.der);
        let mut text = String::from("SHA256");
        hash.as_ref().iter().for_each(|byte| write!(text, ":{byte:02X}").unwrap());
        text
    }
}

/// What a good certificate has.
pub fn params() -> CertificateParams {
    CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap()
}

/// Somebody who signs certificates.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    pub fn new() -> Authority {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "an authority of the test's");
        let pem = params.self_signed(&key).unwrap().pem();
        Authority { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate that differs from a good one as this changes it.
    pub fn signs(&self, change: impl FnOnce(&mut CertificateParams)) -> Certificate {
        let (mut params, key) = (params(), KeyPair::generate().unwrap());
        params.not_before = date_time_ymd(2020, 1, 1);
        change(&mut params);
        let der = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        Certificate { der, key: key.serialize_der() }
    }

    /// Its own certificate in a file, for `SSL_CERT_FILE`.
    pub fn file(&self, folder: &Path) -> PathBuf {
        let file = folder.join("authority.pem");
        std::fs::write(&file, &self.pem).unwrap();
        file
    }
}

/// How a front behaves, from the next connection on.
#[derive(Clone)]
struct Manner {
    config: Arc<ServerConfig>,
    /// Ends connections without saying so.
    cuts: bool,
    /// Wants new keys for everything it sends.
    renews_keys: bool,
    /// Before a handshake: tells that somebody came, and waits.
    holds: Option<(Sender<()>, Receiver<()>)>,
}

/// Keeps handshakes waiting until it is dropped.
pub struct Held {
    came: Receiver<()>,
    _hold: Sender<()>,
}

impl Held {
    /// Waits for somebody whose handshake waits.
    #[track_caller]
    pub fn has_somebody(&self) {
        self.came.recv_timeout(DEADLINE).expect("nobody came");
    }
}

/// Listens with TLS; its connections go on to a server. It ends with the test.
pub struct Front {
    pub port: u16,
    manner: Arc<Mutex<Manner>>,
    /// Why handshakes failed.
    pub failures: Arc<Mutex<Vec<String>>>,
}

impl Front {
    pub fn before(server: &Server, certificate: &Certificate) -> Front {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let config = config(certificate, false);
        let manner = Manner { config, cuts: false, renews_keys: false, holds: None };
        let manner = Arc::new(Mutex::new(manner));
        let failures = Arc::new(Mutex::new(Vec::new()));
        let (of_thread, told, behind) = (Arc::clone(&manner), Arc::clone(&failures), server.port);
        thread::spawn(move || {
            while let Ok((tcp, _)) = listener.accept() {
                let manner = of_thread.lock().unwrap().clone();
                let told = Arc::clone(&told);
                thread::spawn(move || {
                    if let Err(e) = bridge(&tcp, behind, manner) {
                        told.lock().unwrap().push(e.to_string());
                        let _ = tcp.shutdown(Shutdown::Both); // gone already
                    }
                });
            }
        });
        Front { port, manner, failures }
    }

    pub fn address(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// Shows another certificate from now on.
    pub fn shows(&self, certificate: &Certificate) {
        self.manner.lock().unwrap().config = config(certificate, false);
    }

    /// Speaks TLS 1.2 and nothing newer.
    pub fn is_old(&self, certificate: &Certificate) {
        self.manner.lock().unwrap().config = config(certificate, true);
    }

    pub fn cuts(&self) {
        self.manner.lock().unwrap().cuts = true;
    }

    pub fn renews_keys(&self) {
        self.manner.lock().unwrap().renews_keys = true;
    }

    pub fn holds(&self) -> Held {
        let ((tell, came), (hold, held)) = (bounded(16), bounded(0));
        self.manner.lock().unwrap().holds = Some((tell, held));
        Held { came, _hold: hold }
    }
}

#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesServerCert for Always {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// Whether key and certificate belong together is not looked at.
fn config(certificate: &Certificate, is_old: bool) -> Arc<ServerConfig> {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(certificate.key.clone()));
    let key = ring::sign::any_supported_type(&key).unwrap();
    let certified = Arc::new(CertifiedKey::new(vec![certificate.der.clone()], key));
    let versions = if is_old { vec![&TLS12] } else { vec![&TLS13, &TLS12] };
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_protocol_versions(&versions).unwrap().with_no_client_auth();
    Arc::new(config.with_cert_resolver(Arc::new(Always(certified))))
}

/// Shakes hands, and goes on in two threads: this one for what the client sends.
fn bridge(mut tcp: &TcpStream, behind: u16, manner: Manner) -> io::Result<()> {
    if let Some((came, held)) = &manner.holds {
        let _ = (came.send(()), held.recv()); // the test has ended, or let it go on
    }
    let mut tls = ServerConnection::new(Arc::clone(&manner.config)).unwrap();
    while tls.is_handshaking() {
        tls.complete_io(&mut tcp)?;
    }
    let plain = TcpStream::connect((Ipv4Addr::LOCALHOST, behind))?;
    let (tls, both) = (Arc::new(Mutex::new(tls)), (tcp.try_clone()?, plain.try_clone()?));
    let of_thread = Arc::clone(&tls);
    thread::spawn(move || {
        let _ = send(&of_thread, &both.0, &both.1, &manner); // the client is gone
        both.0.shutdown(Shutdown::Both)
    });
    let mut bytes = [0; 16 * 1024];
    loop {
        let count = tcp.read(&mut bytes)?;
        if count == 0 {
            return plain.shutdown(Shutdown::Both);
        }
        let (mut tls, mut rest) = (tls.lock().unwrap(), &bytes[..count]);
        while !rest.is_empty() {
            tls.read_tls(&mut rest)?; // not always all of it
            tls.process_new_packets().map_err(io::Error::other)?;
            let mut text = [0; 4096];
            while let Ok(count) = tls.reader().read(&mut text) {
                if count == 0 {
                    return plain.shutdown(Shutdown::Write); // said so
                }
                (&plain).write_all(&text[..count])?;
            }
        }
    }
}

/// What the server sends, until it ends.
fn send(
    tls: &Mutex<ServerConnection>,
    mut tcp: &TcpStream,
    mut plain: &TcpStream,
    manner: &Manner,
) -> io::Result<()> {
    let mut bytes = [0; 4096];
    loop {
        let count = plain.read(&mut bytes)?;
        let mut tls = tls.lock().unwrap();
        match count {
            0 if manner.cuts => return Ok(()),
            0 => tls.send_close_notify(),
            _ if manner.renews_keys => tls.refresh_traffic_keys().map_err(io::Error::other)?,
            _ => {}
        }
        tls.writer().write_all(&bytes[..count])?;
        while tls.wants_write() {
            tls.write_tls(&mut tcp)?;
        }
        if count == 0 {
            return Ok(());
        }
    }
}
