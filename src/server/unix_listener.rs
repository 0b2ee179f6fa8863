//! `--listen unix:PATH`: a Unix-domain socket for the people of this machine. Runs on thread `main`.

use std::{path::PathBuf, str::FromStr};

/// Who may connect, if nothing else is said: every user of this machine, as with a port.
const EVERYBODY: u32 = 0o666;

/// A file to listen on.
#[derive(Clone, Debug, PartialEq)]
pub struct UnixOn {
    pub(crate) path: PathBuf,
    /// Who may connect: whoever may write to the file.
    pub(crate) mode: u32,
}

impl FromStr for UnixOn {
    type Err = String;

    /// Reads `PATH` or `PATH,mode=660`.
    fn from_str(text: &str) -> Result<UnixOn, String> {
        if !cfg!(target_os = "linux") {
            return Err("unix: is for Linux. Elsewhere, give ADDR:PORT".to_owned());
        }
        let (path, mode) = match text.rsplit_once(",mode=") {
            None => (text, EVERYBODY),
            Some((path, digits)) => match u32::from_str_radix(digits, 8) {
                Ok(mode @ 0..=0o777) => (path, mode),
                _ => return Err(format!("\"{digits}\" is no mode: give three digits, like 660")),
            },
        };
        if path.is_empty() || path.contains('\0') {
            return Err("unix: needs the path of a file, like unix:/run/chatd.sock".to_owned());
        }
        Ok(UnixOn { path: path.into(), mode })
    }
}

/// Opens the listener.
///
/// # Errors
/// A sentence that says what to do.
#[cfg(target_os = "linux")]
pub(super) fn open(on: &UnixOn) -> anyhow::Result<crate::socketserver::Listener> {
    use super::net::ACCEPT_QUEUE;
    use crate::socketserver::{
        READ_TIMEOUT,
        unix_socket::{BindError, PATH_MAX, UnixSocket},
    };
    use std::io::ErrorKind;

    let UnixOn { path, mode } = on;
    let error = match UnixSocket::bind(path, *mode, ACCEPT_QUEUE) {
        Ok(socket) => {
            socket2::SockRef::from(&socket).set_read_timeout(Some(READ_TIMEOUT))?;
            return Ok(socket.into());
        }
        Err(error) => error,
    };
    let advice = match error {
        BindError::TooLong(bytes) => {
            format!(
                "The path has {bytes} bytes, and a socket's has at most {PATH_MAX}. Choose a shorter one."
            )
        }
        BindError::Taken => {
            "Somebody answers there, perhaps another chatd. Stop that one, or choose another path."
                .to_owned()
        }
        BindError::OtherFile => {
            "There is something that is no socket, and chatd leaves it alone. Choose another path."
                .to_owned()
        }
        BindError::System(error) => match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => {
                "There is no such folder. Make it, or choose another path.".to_owned()
            }
            ErrorKind::PermissionDenied => {
                "This user may not do that there. Choose another path, or another user.".to_owned()
            }
            _ => format!("The system says: {error}."),
        },
    };
    anyhow::bail!("cannot listen on unix:{}. {advice}", path.display())
}

/// Never called: [`UnixOn`] cannot be had.
#[cfg(not(target_os = "linux"))]
pub(super) fn open(_on: &UnixOn) -> anyhow::Result<crate::socketserver::Listener> {
    anyhow::bail!("unix: is for Linux")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_path_and_a_mode_are_read() {
        for (text, path, mode) in [
            ("/run/chatd.sock", "/run/chatd.sock", 0o666),
            ("chat", "chat", 0o666),
            ("/tmp/a,b,mode=600", "/tmp/a,b", 0o600),
            ("/tmp/x,mode=660", "/tmp/x", 0o660),
        ] {
            assert_eq!(text.parse(), Ok(UnixOn { path: path.into(), mode }), "{text}");
        }
        for wrong in ["", ",mode=600", "/x,mode=", "/x,mode=rw", "/x,mode=1777", "/x,mode=800"] {
            assert!(wrong.parse::<UnixOn>().is_err(), "{wrong}");
        }
    }
}
