//! The head of an HTTP request, as a browser or anybody else sends it to the web port.
//!
//! What has come so far decides nothing that more of it would decide otherwise; and no field of a
//! request has a line end or a control character in it, with which an answer could be forged.

#![no_main]

#[path = "../../../src/server/web/head.rs"]
#[allow(dead_code, reason = "the server needs the rest")]
mod head;

use head::{Head, Problem, Request};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let whole = head::read(bytes);
    if let Head::Whole(request, length) = &whole {
        assert!(*length <= bytes.len() && *length <= head::HEAD_MAX);
        assert!(bytes[..*length].ends_with(b"\n"), "a head ends with a line");
        check(request);
    }
    for cut in [bytes.len() / 2, bytes.len().saturating_sub(1)] {
        match (head::read(&bytes[..cut]), &whole) {
            (Head::Whole(a, length), Head::Whole(b, other)) => assert!(a == *b && length == *other),
            (Head::Whole(..), _) => panic!("it was a request before more came"),
            (Head::Bad(Problem::BadRequest(_)) | Head::Other, Head::Whole(..)) => {
                panic!("it was none before more came")
            }
            _ => {}
        }
    }
});

fn check(request: &Request) {
    assert!(request.path.starts_with('/'));
    let Request { method, path, host, origin, known_tags, forwarded_for, .. } = request;
    for text in [
        Some(method),
        Some(path),
        Some(host),
        origin.as_ref(),
        Some(known_tags),
        forwarded_for.as_ref(),
    ]
    .into_iter()
    .flatten()
    {
        assert!(!text.contains(['\r', '\n', '\0']), "{text:?}");
    }
    request.is_from_here();
    request.is_from_this_machine();
    request.forwarded();
    if let Some(upgrade) = &request.upgrade
        && upgrade.check().is_ok()
    {
        assert!(upgrade.key.len() == 24 && upgrade.key.is_ascii() && upgrade.version == "13");
    }
}
