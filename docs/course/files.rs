//! Step 2, a thread for each client, mended: receives files. Port 12307. `files [ADDR:PORT] [FOLDER] [IDLE_SECONDS]`;
//! without a folder they go into a new one among the temporary files.

use anyhow::{Context as _, bail, ensure};
use chatd::socketserver::{Connection, Handler, Threading, program};
use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read, Write as _},
    path::PathBuf,
    time::Duration,
};

/// 36 bytes of name, 4 of padding, 8 of size: Python's `struct.pack('<36s4xq', name, size)`.
const HEADER: usize = 48;
/// Bytes of one file: a client must not fill the disk with one header.
const FILE_MAX: u64 = 64 << 20;
/// Clients at once; each has a thread.
const CLIENTS_MAX: usize = 64;

/// Saves what comes in one folder.
pub struct Receiver {
    folder: PathBuf,
    idle: Duration,
}

impl Receiver {
    /// With the folder and the seconds from the command line, or a new folder and 600.
    pub fn from_arguments() -> anyhow::Result<Receiver> {
        let argument = |n| std::env::args().nth(n);
        let folder = argument(2).map_or_else(program::temporary_folder, |f| Ok(f.into()))?;
        let idle = argument(3)
            .map_or(Ok(600), |seconds| seconds.parse())
            .context("IDLE_SECONDS is a number")?;
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Receiver { folder, idle: Duration::from_secs(idle) })
    }

    /// Receives `size` bytes. Only a whole file gets its name; of any other nothing is left.
    fn save(&self, number: u64, name: &str, size: u64, from: &mut impl Read) -> anyhow::Result<()> {
        // Longer than any name that fits into a header, so nobody can send a file of this name.
        let part =
            self.folder.join(format!("{:08}-{number:020}-receiving.part", std::process::id()));
        let outcome =
            File::create(&part).and_then(|mut file| io::copy(&mut from.take(size), &mut file));
        let whole = matches!(outcome, Ok(n) if n == size)
            && fs::rename(&part, self.folder.join(name)).is_ok();
        if !whole {
            let _ = fs::remove_file(&part);
            bail!("{name} is not saved: {outcome:?} of {size} bytes came");
        }
        Ok(())
    }
}

impl Handler for Receiver {
    fn handle(&self, mut connection: Connection) -> anyhow::Result<()> {
        connection.stream.set_read_timeout(Some(self.idle))?;
        let mut header = [0; HEADER];
        loop {
            match connection.stream.read_exact(&mut header) {
                Ok(()) => {}
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    program::say(&format!("idle for {} s: closed", self.idle.as_secs()));
                    return Ok(());
                }
                Err(_) => return Ok(()), // the client is gone
            }
            let name = base_name(&header[..36])?;
            let size = i64::from_le_bytes(header[40..].try_into()?);
            ensure!((0..=FILE_MAX as i64).contains(&size), "{name} would have {size} bytes");
            self.save(connection.number, name, size as u64, &mut connection.stream)?;
            program::say(&format!("received {name}, {size} bytes"));
        }
    }

    fn handle_error(&self, number: u64, peer: chatd::origin::Origin, error: &anyhow::Error) {
        let _ = writeln!(io::stderr(), "connection {number} from {peer}: {error:#}");
    }
}

/// The part of a padded name that may become a file in our folder: what stands behind the last slash of either kind.
fn base_name(padded: &[u8]) -> anyhow::Result<&str> {
    let end = padded.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    let path = std::str::from_utf8(&padded[..end]).context("the name is not UTF-8")?;
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let is_plain =
        !matches!(name, "" | "." | "..") && !name.contains(|c: char| c.is_control() || c == ':');
    ensure!(is_plain, "{name:?} is no name for a file");
    Ok(name)
}

#[allow(
    dead_code,
    reason = "files_joined.rs takes the handler from here and has a main of its own"
)]
fn main() -> anyhow::Result<()> {
    program::run(
        "127.0.0.1:12307",
        Receiver::from_arguments()?,
        Threading::new(CLIENTS_MAX, 128 << 10),
    )
}
