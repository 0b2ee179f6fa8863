//! The certificate that the options name. Runs on thread `main`.

use super::{
    options::Options,
    tls::certificates::{Certificate, TlsFiles},
};
use anyhow::bail;

/// The certificate, if there is to be encryption. `lent_by`: somebody who has a listener for it.
pub(super) fn by_options(
    options: &Options,
    lent_by: Option<&str>,
) -> anyhow::Result<Option<Certificate>> {
    let files = options.tls_files();
    if let (None, Some(lent_by)) = (&files, lent_by) {
        bail!("{lent_by} lends a listener for TLS, which needs --tls-cert and --tls-key.");
    }
    files.map(|files| read(&files)).transpose()
}

/// Reads it, and logs what the operator has to know of it.
pub(super) fn read(files: &TlsFiles) -> anyhow::Result<Certificate> {
    let certificate = files.read()?;
    certificate.warnings.iter().for_each(|warning| log::warn!(event = "certificate"; "{warning}"));
    Ok(certificate)
}
