//! The page's address for those who want to join, as a QR code that a phone reads off the projector.
//! No I/O, but for the question which address this machine has.

use super::head::Request;
use crate::server::page_at::PageAt;
use qrcodegen::{QrCode, QrCodeEcc};
use std::fmt::Write as _;

/// Light modules around a code, by which a reader finds it: as many as the standard asks for.
const MARGIN: i32 = 4;

/// The answer to `/join.svg`: a picture whose title is the address.
pub(super) fn picture(request: &Request, web: PageAt) -> String {
    svg(&address(request, web))
}

/// As whoever asks has reached the page, so that others can, too. On this machine, that would be an
/// address which means another machine to everybody else.
fn address(request: &Request, web: PageAt) -> String {
    match request.is_from_this_machine() && !web.address.ip().is_loopback() {
        true => web.url(),
        false => format!("{}://{}", if request.is_https { "https" } else { "http" }, request.host),
    }
}

/// It is empty if the text is too long for a code, which no address is.
fn svg(text: &str) -> String {
    let Ok(code) = QrCode::encode_text(text, QrCodeEcc::Medium) else { return String::new() };
    let (size, side) = (code.size(), code.size() + 2 * MARGIN);
    let mut dark = String::new();
    for (x, y) in (0..size).flat_map(|y| (0..size).map(move |x| (x, y))) {
        if code.get_module(x, y) {
            let _ = write!(dark, "M{} {}h1v1h-1z", x + MARGIN, y + MARGIN);
        }
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" \
         shape-rendering=\"crispEdges\"><title>{text}</title><path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/>\
         <path d=\"{dark}\"/></svg>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_are_told_an_address_that_leads_here() {
        let ask = |host: &str, is_https, web: &str| {
            let request = Request { host: host.to_owned(), is_https, ..Request::default() };
            address(&request, PageAt { address: web.parse().unwrap(), is_encrypted: false })
        };
        let everywhere = "0.0.0.0:5080";
        assert_eq!(ask("192.0.2.2:5080", false, everywhere), "http://192.0.2.2:5080");
        assert_eq!(ask("chat.example.org", true, "127.0.0.1:5080"), "https://chat.example.org");
        assert_eq!(ask("localhost:5080", false, "127.0.0.1:5080"), "http://localhost:5080");
        for here in ["localhost:5080", "127.0.0.1:5080", "[::1]:5080"] {
            assert_eq!(ask(here, false, "192.0.2.7:5080"), "http://192.0.2.7:5080");
            assert_eq!(ask(here, false, everywhere), ask(here, true, "[::]:5080"));
        }
    }

    #[test]
    fn a_picture_has_the_modules_of_the_code() {
        let text = "http://192.0.2.2:5080";
        let code = QrCode::encode_text(text, QrCodeEcc::Medium).unwrap();
        let picture = svg(text);
        assert!(picture.contains("<title>http://192.0.2.2:5080</title>"), "{picture}");
        let side = code.size() + 4 + 4;
        assert!(picture.contains(&format!("viewBox=\"0 0 {side} {side}\"")), "{picture}");
        for (x, y) in (0..code.size()).flat_map(|y| (0..code.size()).map(move |x| (x, y))) {
            let module = format!("M{} {}h1v1h-1z", x + 4, y + 4);
            assert_eq!(picture.contains(&module), code.get_module(x, y), "{x}, {y}");
        }
    }
}
