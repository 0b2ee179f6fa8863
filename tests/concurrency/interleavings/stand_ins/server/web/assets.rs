//! A page of one file.

pub(super) struct Asset {
    pub(super) kind: &'static str,
    pub(super) bytes: &'static [u8],
}

pub(super) const PICTURE: &str = "";

pub(super) fn find(path: &str) -> Option<&'static Asset> {
    (path == "/").then_some(&Asset { kind: "text/plain", bytes: b"the page" })
}

pub(super) fn tag(_bytes: &[u8]) -> String {
    "\"tag\"".to_owned()
}
