//! `chatd tls make` and `chatd tls show`: a certificate of one's own, and what it is known by.

use super::print::{print_error, print_line};
use anyhow::{Context as _, ensure};
use chatd::server::{
    options::{Options, address_for_others},
    own_names::own_names,
    subcommands::{TlsAction, TlsCommand},
    tls::{certificates::TlsFiles, fingerprint::fingerprint},
};
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, date_time_ymd};
use std::{
    fs::{self, File, OpenOptions},
    io::Write as _,
    path::Path,
};

/// How long a certificate of one's own holds: as long as a room is kept open. Whoever trusts it knows
/// its fingerprint, and would have to be told another one.
const YEARS: i64 = 10;

pub(crate) fn run(command: &TlsCommand, options: &Options) -> anyhow::Result<()> {
    match command.action {
        TlsAction::Make => make(command, options),
        TlsAction::Show => show(options),
    }
}

fn show(options: &Options) -> anyhow::Result<()> {
    let files = options.tls_files();
    let files = files.context("Which one? chatd --tls-cert FILE --tls-key FILE tls show")?;
    let certificate = files.read()?;
    certificate.warnings.iter().for_each(|warning| print_error(warning));
    print_line(&certificate.fingerprint);
    Ok(())
}

fn make(command: &TlsCommand, options: &Options) -> anyhow::Result<()> {
    let files = files(command, options);
    let TlsFiles { cert, key } = &files;
    for file in [cert, key] {
        ensure!(
            !file.exists(),
            "{} is there already, and is not overwritten. Move it away, or choose another folder: --in FOLDER",
            file.display()
        );
    }
    let names = match command.name.is_empty() {
        true => usual_names(),
        false => command.name.clone(),
    };
    let pair = KeyPair::generate()?;
    let certificate = params(&names)?.self_signed(&pair)?;
    write(key, 0o600, &pair.serialize_pem())?;
    if let Err(error) = write(cert, 0o644, &certificate.pem()) {
        let _ = fs::remove_file(key); // it is of no use alone
        return Err(error);
    }
    print_line(&format!("The certificate holds for {}, for {YEARS} years.", names.join(", ")));
    print_line(&format!(
        "Start chatd with: --tls PORT --tls-cert {} --tls-key {}",
        cert.display(),
        key.display()
    ));
    print_line(&fingerprint(certificate.der()));
    Ok(())
}

/// Where the two are to be: where the options say that the server looks for them, as a rule.
fn files(command: &TlsCommand, options: &Options) -> TlsFiles {
    let beside = options.database().and_then(Path::parent).unwrap_or(Path::new(""));
    let folder = command.folder.as_deref().unwrap_or(beside);
    match options.tls_files().filter(|_| command.folder.is_none()) {
        Some(files) => files,
        None => TlsFiles { cert: folder.join("chatd-cert.pem"), key: folder.join("chatd-key.pem") },
    }
}

fn usual_names() -> Vec<String> {
    let mut names = own_names();
    names.extend(["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()]);
    names.extend(address_for_others().map(|ip| ip.to_string()));
    names
}

fn params(names: &[String]) -> anyhow::Result<CertificateParams> {
    let mut params = CertificateParams::new(names.to_vec())
        .with_context(|| format!("{} is no name of a server", names.join(", ")))?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, names.first().map_or("chatd", |it| it));
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let day = |date: jiff::civil::Date| {
        date_time_ymd(date.year().into(), date.month() as u8, date.day() as u8)
    };
    // A client's clock may be slow.
    params.not_before = day(today.saturating_sub(1.day()));
    params.not_after = day(today.saturating_add(YEARS.years()));
    Ok(params)
}

/// Writes a new file. Only its owner may read what is secret, from the first moment on.
fn write(path: &Path, mode: u32, text: &str) -> anyhow::Result<()> {
    let wrong = || format!("cannot write {}", path.display());
    let mut file: File = create(path, mode).with_context(wrong)?;
    belong_to_folder(&file, path);
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).with_context(wrong)
}

#[cfg(unix)]
fn create(path: &Path, mode: u32) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    OpenOptions::new().write(true).create_new(true).mode(mode).open(path)
}

/// The server has to be able to read it: what root makes is the folder's owner's, the service's say.
fn belong_to_folder(file: &File, path: &Path) {
    #[cfg(unix)]
    if let Ok(folder) = fs::metadata(Path::new(".").join(path).parent().unwrap_or(path)) {
        use std::os::unix::fs::{MetadataExt as _, fchown};
        let _ = fchown(file, Some(folder.uid()), Some(folder.gid())); // root alone may
    }
    let _ = (file, path);
}

#[cfg(not(unix))]
fn create(path: &Path, _: u32) -> std::io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}
