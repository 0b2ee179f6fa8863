//! The time zone of all times told: that of `TZ`, or the machine's. Runs on any thread; reads files
//! of the system's.

use jiff::tz::TimeZone;
use std::{env, ffi::OsStr, fs, path::Path};

/// Where the machine's own zone is kept, if it has one.
const LOCALTIME: &str = "/etc/localtime";
/// Where the zones are, on most systems.
const ZONES: &str = "/usr/share/zoneinfo";

/// The zone, and a sentence if the one that is asked for is not known. Then it is UTC.
pub fn local_zone() -> (TimeZone, Option<String>) {
    match TimeZone::try_system() {
        Ok(zone) => (zone, None),
        Err(_) => (TimeZone::UTC, explain(env::var_os("TZ").as_deref(), Path::new(ZONES))),
    }
}

/// Why the zone is not known. `None`: none was asked for.
fn explain(asked: Option<&OsStr>, zones: &Path) -> Option<String> {
    let asked = match asked {
        Some(name) => format!("TZ={}", name.to_string_lossy()),
        None => {
            let link = fs::read_link(LOCALTIME).ok()?; // without one, the machine's zone is UTC
            (!link.ends_with("UTC")).then(|| format!("{LOCALTIME}, which is {}", link.display()))?
        }
    };
    let why = match zones.exists() {
        true => "it is none of the zones there, such as Europe/Berlin",
        false => "this machine has no time zones: install the package tzdata",
    };
    Some(format!("the time zone of {asked} is not known, so times are in UTC ({why})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_said_with_what_to_do() {
        let [here, nowhere] = ["/", "/nowhere"].map(Path::new);
        let said = explain(Some(OsStr::new("Foo/Bar")), here).unwrap();
        assert!(said.contains("TZ=Foo/Bar") && said.contains("UTC"), "{said}");
        let said = explain(Some(OsStr::new("Europe/Berlin")), nowhere).unwrap();
        assert!(said.contains("tzdata"), "{said}");
    }
}
