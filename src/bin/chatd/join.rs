//! What the console tells whoever wants to join: the addresses, and the page's as a QR code, which a
//! phone reads off the projector.

use super::print::print_line;
use chatd::server::{
    Chatd, addresses,
    options::{Options, address_for_others},
};
use qrcodegen::{QrCode, QrCodeEcc};
use std::{
    io::{IsTerminal as _, stdout},
    net::{IpAddr, SocketAddr},
};

/// From where one can join, if not only from this machine.
const ANOTHER: &str = "another";
/// Light modules around a code, by which a reader finds it. (The standard asks for four; two are
/// enough for every phone, and the console has few rows.)
const MARGIN: i32 = 2;
/// Black on white, whatever the terminal's colours are; and back.
const COLOURS: (&str, &str) = ("\x1b[30;107m", "\x1b[0m");

/// Prints the addresses, what to tell the class, and the instructor's code, if there is one.
pub(crate) fn tell(chatd: &Chatd) {
    let (mut addresses, mut files) = (Vec::new(), Vec::new());
    for listener in chatd.listeners() {
        match listener.address() {
            Some(address) => addresses.push(address),
            None => files.push(listener.to_string()),
        }
    }
    for listener in chatd.encrypted() {
        print_line(&format!("chatd: listening for TLS on {listener}"));
    }
    for address in chatd.https_addresses() {
        print_line(&format!("chatd: listening for browsers on https://{address}"));
    }
    for file in &files {
        print_line(&format!("chatd: listening on {file}"));
        print_line(&format!("Join from this machine: nc -U {}", &file["unix:".len()..]));
    }
    let own = address_for_others();
    let lines = lines(&addresses, chatd.web_addresses(), own, stdout().is_terminal());
    lines.iter().for_each(|line| print_line(line));
    if let Some(code) = chatd.pairing_code() {
        print_line(&format!("Instructor: type /instructor {code}"));
    }
}

/// The lines of it. `own`: this machine's address for others, if it has one.
fn lines(
    addresses: &[SocketAddr],
    for_browsers: &[SocketAddr],
    own: Option<IpAddr>,
    is_terminal: bool,
) -> Vec<String> {
    let mut lines: Vec<String> =
        addresses.iter().map(|address| format!("chatd: listening on {address}")).collect();
    lines.extend(
        for_browsers.iter().map(|address| format!("chatd: listening for browsers on {address}")),
    );
    let Some((from, page, text)) = how(addresses, for_browsers, own) else { return lines };
    lines.push(format!("Join from {from} machine: {text}"));
    // A phone can not reach what listens for this machine alone.
    if let Some(page) = page.filter(|_| from == ANOTHER && is_terminal) {
        lines.extend(qr_code(&page));
    }
    lines
}

/// How a pupil joins a server that is started with these options, if they can from another machine.
pub(crate) fn by_options(options: &Options) -> Option<String> {
    let [chat, web] = addresses(options);
    let (from, _, text) = how(&chat, &web, address_for_others())?;
    (from == ANOTHER).then_some(text)
}

/// From which machine, by which page, and the page or what to type.
fn how(
    addresses: &[SocketAddr],
    for_browsers: &[SocketAddr],
    own: Option<IpAddr>,
) -> Option<(&'static str, Option<String>, String)> {
    let address = addresses.first()?;
    let (from, host) = match own {
        Some(ip) if address.ip().is_unspecified() => (ANOTHER, ip.to_string()),
        None if address.ip().is_unspecified() => ("this", "localhost".to_owned()),
        _ if address.ip().is_loopback() => ("this", address.ip().to_string()),
        _ => (ANOTHER, address.ip().to_string()),
    };
    let is_there = |web: &&SocketAddr| web.ip().is_unspecified() || web.ip() == address.ip();
    let page = for_browsers.iter().find(is_there).map(|web| match host.contains(':') {
        true => format!("http://[{host}]:{}", web.port()),
        false => format!("http://{host}:{}", web.port()),
    });
    let or = page.as_ref().map(|page| format!("{page}  or  ")).unwrap_or_default();
    Some((from, page, format!("{or}nc {host} {}", address.port())))
}

/// The rows of a QR code, two modules above one another in each character. It is empty if the text
/// is too long for one, which no address is.
fn qr_code(text: &str) -> Vec<String> {
    let Ok(code) = QrCode::encode_text(text, QrCodeEcc::Low) else { return Vec::new() };
    let modules = -MARGIN..code.size() + MARGIN;
    let row = |y: i32| -> String {
        let pair = |x: i32| match (code.get_module(x, y), code.get_module(x, y + 1)) {
            (true, true) => '█',
            (true, false) => '▀',
            (false, true) => '▄',
            (false, false) => ' ',
        };
        let (begin, end) = COLOURS;
        format!("{begin}{}{end}", modules.clone().map(pair).collect::<String>())
    };
    modules.clone().step_by(2).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_reads_a_code_if_another_machine_can_join() {
        let join = |chat: &str, web: &str, own: Option<&str>, is_terminal| {
            let web: Vec<SocketAddr> = web.parse().into_iter().collect();
            let own = own.map(|own| own.parse().unwrap());
            let lines = lines(&[chat.parse().unwrap()], &web, own, is_terminal);
            let join = lines.iter().find(|line| line.starts_with("Join")).unwrap().clone();
            (join, lines.iter().any(|line| line.contains('█')))
        };
        let (everywhere, here) = ("0.0.0.0:5000", "127.0.0.1:5000");
        let (page, own) = ("0.0.0.0:5080", Some("192.0.2.2"));
        for (read, join_line, has_code) in [
            (
                join(everywhere, page, own, true),
                "another machine: http://192.0.2.2:5080  or  nc 192.0.2.2 5000",
                true,
            ),
            (
                join(everywhere, page, own, false),
                "another machine: http://192.0.2.2:5080  or  nc 192.0.2.2 5000",
                false,
            ),
            (join(everywhere, "none", own, true), "another machine: nc 192.0.2.2 5000", false),
            (
                join(everywhere, page, None, true),
                "this machine: http://localhost:5080  or  nc localhost 5000",
                false,
            ),
            (
                join(here, "127.0.0.1:5080", own, true),
                "this machine: http://127.0.0.1:5080  or  nc 127.0.0.1 5000",
                false,
            ),
            (
                join("[::]:5000", "[::]:5080", Some("2001:db8::7"), true),
                "another machine: http://[2001:db8::7]:5080  or  nc 2001:db8::7 5000",
                true,
            ),
            (
                join(everywhere, "127.0.0.1:80", own, true),
                "another machine: nc 192.0.2.2 5000",
                false,
            ),
        ] {
            assert_eq!(read, (format!("Join from {join_line}"), has_code));
        }
    }

    #[test]
    fn every_module_is_where_the_code_has_it() {
        for text in ["http://192.0.2.2:5080", "http://[2001:db8::7]:5080", "http://10.1.2.3:80"] {
            let code = QrCode::encode_text(text, QrCodeEcc::Low).unwrap();
            let rows: Vec<Vec<char>> = qr_code(text)
                .iter()
                .map(|row| row.trim_start_matches(COLOURS.0).trim_end_matches(COLOURS.1))
                .map(|row| row.chars().collect())
                .collect();
            let side = code.size() + 2 * MARGIN;
            assert!(rows.iter().all(|row| row.len() == side as usize), "{text}");
            assert_eq!(rows.len(), (side as usize).div_ceil(2), "{text}");
            for (x, y) in (0..side).flat_map(|x| (0..side).map(move |y| (x, y))) {
                let dark = if y % 2 == 0 { ['█', '▀'] } else { ['█', '▄'] };
                let shown = dark.contains(&rows[y as usize / 2][x as usize]);
                assert_eq!(shown, code.get_module(x - MARGIN, y - MARGIN), "{text} at {x}, {y}");
            }
        }
    }
}
