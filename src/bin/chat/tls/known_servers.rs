//! Servers whose certificates a person has accepted, in a file of their own: a line for each, with
//! its host, its port and the fingerprint. Any thread reads it, whenever it connects; `main` adds to it.
//!
//! ```text
//! chat.example.org:5001 SHA256:5A:01:…
//! ```

use super::fingerprint::Fingerprint;
use crate::{address::Address, config::shown};
use chatd::server::text_file;
use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write as _},
    path::PathBuf,
};

/// The largest file that is read, in bytes: 8,000 servers.
const BYTES_MAX: u64 = 1024 * 1024;

#[derive(Debug)]
pub(crate) struct KnownServers {
    file: Option<PathBuf>,
}

/// What is known of a server: a certificate, and the line that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) fingerprint: Fingerprint,
    pub(crate) line: usize,
}

impl KnownServers {
    /// In the platform's folder for data.
    pub(crate) fn new(folder: Option<PathBuf>) -> KnownServers {
        KnownServers { file: folder.map(|folder| folder.join("known-servers")) }
    }

    /// The file, as it is shown to people.
    pub(crate) fn shown(&self) -> String {
        self.file.as_deref().map_or("a file".to_owned(), shown)
    }

    /// What is known of this server; more than one line may be.
    ///
    /// # Errors
    /// A sentence: the file cannot be read, or a line of this server's says nothing.
    pub(crate) fn of(&self, server: &Address) -> Result<Vec<Known>, String> {
        let Some(file) = &self.file else { return Ok(Vec::new()) };
        let text = match text_file::read(file, BYTES_MAX) {
            Ok(text) => text,
            Err(e) if e.kind() == ErrorKind::NotFound => String::new(),
            Err(e) => return Err(format!("{} cannot be read: {e}", self.shown())),
        };
        let place = server.place();
        let mut known = Vec::new();
        for (line, text) in (1..).zip(text.lines()) {
            let (of, fingerprint) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
            if of.eq_ignore_ascii_case(&place) {
                let fingerprint = Fingerprint::parse(fingerprint)
                    .map_err(|why| format!("{}, line {line}: {why}", self.shown()))?;
                known.push(Known { fingerprint, line });
            }
        }
        Ok(known)
    }

    /// Adds a server's certificate.
    ///
    /// # Errors
    /// A sentence that says why it cannot be written.
    pub(crate) fn add(&self, server: &Address, fingerprint: &Fingerprint) -> Result<(), String> {
        let add = || {
            let file = self.file.as_ref().ok_or(ErrorKind::NotFound)?;
            fs::create_dir_all(file.parent().ok_or(ErrorKind::NotFound)?)?;
            let before = text_file::read(file, BYTES_MAX).unwrap_or_default();
            let end = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
            let mut options = File::options();
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.append(true).create(true).open(file)?;
            #[cfg(unix)]
            file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
            // One write: another chat may add to it, too.
            file.write_all(format!("{end}{} {fingerprint}\n", server.place()).as_bytes())
        };
        add().map_err(|e: io::Error| format!("{} cannot be written: {e}", self.shown()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Target;

    #[test]
    fn what_was_added_is_known_by_host_and_port() {
        let folder = std::env::temp_dir().join(format!("chat-known-{}", std::process::id()));
        let servers = KnownServers::new(Some(folder.join("chatd")));
        let at = |text: &str| Target::parse(text).unwrap().address(true);
        let (one, other) = (Fingerprint::of(b"one"), Fingerprint::of(b"other"));
        assert_eq!(servers.of(&at("h:1")), Ok(Vec::new()));
        for (server, fingerprint) in
            [("h:1", &one), ("h:2", &other), ("[::1]:1", &one), ("H:1", &other)]
        {
            servers.add(&at(server), fingerprint).unwrap();
        }
        let known = |of: &Fingerprint, line| Known { fingerprint: of.clone(), line };
        assert_eq!(servers.of(&at("h:1")), Ok(vec![known(&one, 1), known(&other, 4)]));
        assert_eq!(servers.of(&at("h:2")), Ok(vec![known(&other, 2)]));
        assert_eq!(servers.of(&at("[::1]:1")), Ok(vec![known(&one, 3)]));
        assert_eq!(servers.of(&at("h:3")), Ok(Vec::new()));
        let file = folder.join("chatd/known-servers");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        fs::write(&file, "# mine\nh:1 SHA256:5A").unwrap();
        servers.add(&at("h:3"), &one).unwrap();
        assert_eq!(servers.of(&at("h:3")), Ok(vec![known(&one, 3)]));
        let why = servers.of(&at("h:1")).unwrap_err();
        assert!(why.contains("known-servers, line 2: \"SHA256:5A\" is no fingerprint"), "{why}");
        assert_eq!(servers.of(&at("h:2")), Ok(Vec::new()), "one line is no harm to another");
        fs::remove_dir_all(folder).unwrap();
    }
}
