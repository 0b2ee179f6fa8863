//! What this machine calls itself. It asks the system, and nobody else.

/// This machine's own name, if it has one; and that by which the local network knows it.
pub fn own_names() -> Vec<String> {
    let name = host_name().filter(|name| !name.is_empty());
    name.map(|name| vec![format!("{name}.local"), name]).unwrap_or_default()
}

#[cfg(unix)]
fn host_name() -> Option<String> {
    Some(rustix::system::uname().nodename().to_str().ok()?.to_owned())
}

#[cfg(not(unix))]
fn host_name() -> Option<String> {
    std::env::var("COMPUTERNAME").ok()
}
