//! Headers as proxies send them, and as nobody should.

use super::*;

const TCP4: &[u8] = b"PROXY TCP4 192.0.2.7 198.51.100.1 40000 5000\r\n";

/// A header of version 2 with these bytes behind its first sixteen.
fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [SIGNATURE, &[command, family], &length, rest].concat()
}

fn v2_tcp4(tlvs: &[u8]) -> Vec<u8> {
    v2(0x21, 0x11, &[&[192, 0, 2, 7, 198, 51, 100, 1, 0x9c, 0x40, 0x13, 0x88], tlvs].concat())
}

fn client() -> Option<SocketAddr> {
    Some("192.0.2.7:40000".parse().unwrap())
}

#[test]
fn both_versions_are_understood_and_what_follows_is_left() {
    let v6 = [&[0x20, 1, 0xd, 0xb8][..], &[0; 28], &[0x9c, 0x40, 0x13, 0x88]].concat();
    for (header, says) in [
        (TCP4.to_vec(), client()),
        (
            b"PROXY TCP6 2001:db8::1 2001:db8::2 40000 5000\r\n".to_vec(),
            Some("[2001:db8::1]:40000".parse().unwrap()),
        ),
        (b"PROXY UNKNOWN\r\n".to_vec(), None),
        (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n".to_vec(), None),
        (v2_tcp4(b""), client()),
        (v2_tcp4(b"\x04\0\x03abc\x20\0\x05\x01\0\0\0\0"), client()), // TLVs are skipped
        (v2_tcp4(b"\x03\0\x04\0\0\0\0"), client()), // so is a checksum, though it is wrong
        (v2_tcp4(b"\x04\xff\xff"), client()),       // and one that is cut off
        (v2(0x21, 0x21, &v6), Some("[2001:db8::]:40000".parse().unwrap())),
        (v2(0x20, 0x00, b""), None), // LOCAL: the proxy looks whether we are here
        (v2(0x21, 0x00, b"abc"), None),
        (v2(0x21, 0x31, &[b'x'; 216]), None), // its client came by a Unix-domain socket
    ] {
        for behind in [&b""[..], b"alice\n", &[b'x'; HEADER_MAX]] {
            let mut bytes = [&header[..], behind].concat();
            bytes.truncate(HEADER_MAX);
            assert_eq!(find(&bytes), Found::Header(header.len(), says), "{header:?}");
        }
        for cut in 1..header.len() {
            assert_eq!(find(&header[..cut]), Found::Part, "{:?}", &header[..cut]);
        }
    }
}

#[test]
fn anything_else_is_none() {
    let too_long = [&b"PROXY TCP4 "[..], &[b'1'; 200]].concat();
    let whole = [&b"PROXY UNKNOWN "[..], &[b'1'; 92], b"\r\n"].concat();
    assert_eq!(whole.len(), LINE_MAX + 1);
    for bytes in [
        &b"alice\n"[..],
        b"proxy TCP4",
        b"PROXYTCP4 192.0.2.7",
        b"GET / HTTP/1.1\r\n",
        b"\r\n\r\n\0\r\nQUIT\r",
        b"PROXY UDP4 192.0.2.7 198.51.100.1 40000 5000\r\n",
        b"PROXY TCP4 192.0.2.7 198.51.100.1 40000 65536\r\n",
        b"PROXY TCP4 192.0.2.007 x 40000 5000\r\n",
        &too_long,
        &whole,
        &v2(0x31, 0x11, &[0; 12]),
        &v2(0x22, 0x11, &[0; 12]),
        &v2(0x21, 0x41, &[0; 12]),
        &v2(0x21, 0x11, &[0; HEADER_MAX - 15]),
        &[SIGNATURE, b"\x21\x11\xff\xff"].concat(),
    ] {
        assert!(matches!(find(bytes), Found::Other(_)), "{bytes:?}");
    }
}

#[test]
fn whatever_comes_harms_nobody() {
    let mut state = 7_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    };
    for _ in 0..20_000 {
        let mut bytes = if random() % 2 == 0 { TCP4.to_vec() } else { v2_tcp4(b"\x04\0\x01a") };
        for _ in 0..random() % 4 {
            let at = random() as usize % bytes.len();
            bytes[at] = random();
        }
        bytes.truncate(random() as usize);
        find(&bytes);
    }
}

#[test]
fn a_network_is_read_and_a_wrong_one_is_refused_in_a_sentence() {
    let proxies =
        Proxies::new(&["192.0.2.7", "10.1.2.3/8", "::1"].map(|text| text.parse().unwrap()));
    for (ip, is_one) in [
        ("192.0.2.7", true),
        ("192.0.2.8", false),
        ("10.255.0.1", true),
        ("::ffff:10.0.0.1", true), // by a listener of IPv6
        ("::1", true),
        ("::2", false),
    ] {
        assert_eq!(proxies.has(ip.parse().unwrap()), is_one, "{ip}");
    }
    for wrong in
        ["", "here", "192.0.2", "192.0.2.7/33", "192.0.2.7/", "192.0.2.7:80", "10.0.0.0/-1"]
    {
        let sentence = wrong.parse::<Network>().unwrap_err();
        assert!(sentence.contains("is no address of a proxy, like 192.0.2.7"), "{sentence}");
    }
    for all in ["0.0.0.0/0", "::/0"] {
        assert!(all.parse::<Network>().unwrap_err().contains("would let everybody say"), "{all}");
    }
}
