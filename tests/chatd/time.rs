//! Time: the zone of the times told, when what is said and decided has happened, and what is too old to be told.

use crate::harness::{Server, skip};
use std::path::Path;

// --- The zone ---

/// What `TZ` may be, and the offset of the times told. None of these zones has a summer time.
const ZONES: [(&str, &str); 9] = [
    ("Asia/Tokyo", "+09:00"),
    (":Asia/Kolkata", "+05:30"),
    ("/usr/share/zoneinfo/America/Bogota", "-05:00"),
    (":/usr/share/zoneinfo/Asia/Tokyo", "+09:00"),
    ("CET-1", "+01:00"),
    ("<+0330>-3:30", "+03:30"),
    ("UTC", "+00:00"),
    ("Etc/GMT+5", "-05:00"),
    ("", "+00:00"),
];

/// A server with this `TZ`, and alice, who has said something.
fn in_zone(zone: &str) -> (Server, String) {
    let server = Server::start_after(&format!("export TZ='{zone}'"), "");
    let [mut alice] = server.enter(["alice"]);
    alice.says("hi");
    let heading = alice.asks_until("/history", "*** The last");
    (server, heading)
}

#[test]
pub fn a_zone_is_given_by_its_name_by_a_file_or_by_its_rule() {
    if !Path::new("/usr/share/zoneinfo/Asia/Tokyo").exists() {
        return skip("the package tzdata is not installed");
    }
    for (zone, offset) in ZONES {
        let (server, heading) = in_zone(zone);
        assert!(heading.contains(&format!("(times are {offset})")), "TZ={zone}: {heading}");
        assert!(!server.log().contains("time zone"), "TZ={zone}: {}", server.log());
    }
}

#[test]
pub fn a_zone_that_is_not_known_is_told_in_the_log() {
    for zone in ["Foo/Bar", ":Europe/Berlim", "CEST-25", "/nowhere/zoneinfo/Foo", "Europe"] {
        let (server, heading) = in_zone(zone);
        assert!(heading.contains("(times are +00:00)"), "TZ={zone}: {heading}");
        server.logs(&format!("WARN  the time zone of TZ={zone} is not known, so times are in UTC"));
    }
}
