//! The files of the page and the view, inside the program.

/// One file.
pub(super) struct Asset {
    pub(super) path: &'static str,
    pub(super) kind: &'static str,
    pub(super) bytes: &'static [u8],
}

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
pub(super) const PICTURE: &str = "image/svg+xml";

/// All there are.
const ASSETS: [Asset; 12] = [
    Asset { path: "/", kind: HTML, bytes: include_bytes!("assets/page.html") },
    Asset { path: "/page.js", kind: SCRIPT, bytes: include_bytes!("assets/page.js") },
    Asset { path: "/log.js", kind: SCRIPT, bytes: include_bytes!("assets/log.js") },
    Asset { path: "/say.js", kind: SCRIPT, bytes: include_bytes!("assets/say.js") },
    Asset { path: "/lists.js", kind: SCRIPT, bytes: include_bytes!("assets/lists.js") },
    Asset { path: "/base.css", kind: STYLE, bytes: include_bytes!("assets/base.css") },
    Asset { path: "/page.css", kind: STYLE, bytes: include_bytes!("assets/page.css") },
    Asset { path: "/view", kind: HTML, bytes: include_bytes!("assets/view.html") },
    Asset { path: "/lanes.js", kind: SCRIPT, bytes: include_bytes!("assets/lanes.js") },
    Asset { path: "/view.js", kind: SCRIPT, bytes: include_bytes!("assets/view.js") },
    Asset { path: "/view.css", kind: STYLE, bytes: include_bytes!("assets/view.css") },
    Asset { path: "/icon.svg", kind: PICTURE, bytes: include_bytes!("assets/icon.svg") },
];

/// The file at this path.
pub(super) fn find(path: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.path == path)
}

/// By which a browser knows whether it has these bytes already. (FNV: nobody gains by finding others
/// with the same tag.)
pub(super) fn tag(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("\"{hash:016x}\"")
}
