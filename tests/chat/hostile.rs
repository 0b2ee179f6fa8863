//! Whatever a server sends, the terminal obeys none of it.

use crate::person::alice;

#[test]
fn no_escape_sequence_reaches_the_terminal() {
    let (_server, client, person) = alice();
    person.types("half typed");
    person.sees_prompt("alice@lobby> half typed");
    let attacks: [&[u8]; 12] = [
        b"\x1b[2J\x1b[H",    // clear the screen
        b"\x1b]0;title\x07", // the window's title
        b"\x1b[31m red",     // colour
        b"\x1b[6n",          // the terminal answers as if typed
        b"\x1bP$q\"p\x1b\\", // and this
        b"\xc2\x9b2J",       // C1, as UTF-8
        b"\x9b2J",           // C1, as a byte
        b"over\rwritten",    // back to the line's begin
        b"\x08\x08\x08\x7f", // take letters back
        b"\x0e\x0f\x1b(0",   // another alphabet
        "\u{202e}denrut\u{2066}".as_bytes(),
        "\u{2028}next line".as_bytes(),
    ];
    for attack in attacks {
        client.is_sent(&[b"<mallory> ", attack, b" .\n"].concat());
    }
    client.is_told("<mallory> done");
    person.sees("<mallory> done");
    person.sees_prompt("alice@lobby> half typed");
    let bytes = String::from_utf8(person.bytes()).unwrap();
    let of_an_attacker = |line: &str| line.contains("mallory");
    for line in bytes.split('\n').filter(|line| of_an_attacker(line)) {
        let text = line.split("mallory").nth(1).unwrap();
        let ours = text.replace("\x1b[0m", "").replace('\r', "");
        assert!(
            !ours.chars().any(|c| c.is_control() || "\u{202e}\u{2066}\u{2028}".contains(c)),
            "{ours:?}"
        );
    }
    let rows = person.rows();
    assert_eq!(
        rows.iter().filter(|row| row.starts_with("<mallory>")).count(),
        attacks.len() + 1,
        "{rows:?}"
    );
    assert!(bytes.contains("\u{fffd}[2J\u{fffd}[H ."), "what was taken out is marked: {bytes:?}");
}

#[test]
fn a_line_without_an_end_is_bounded() {
    let (_server, client, person) = alice();
    person.types("half");
    client.is_sent("y".repeat(200_000).as_bytes()); // shown in pieces, while no end is in sight
    person.sees("yyyy");
    person.sees_prompt("alice@lobby> half");
    client.is_told("\n<bob> still here");
    person.sees("<bob> still here");
    person.types(" typed\r");
    client.says("half typed");
}

#[test]
fn bytes_that_are_no_text() {
    let (_server, client, person) = alice();
    client.is_sent(b"<bob> \xff\xfb\x01 \xc3\x28 \xed\xa0\x80 caf\xc3\xa9\n\x00\x00\n<bob> on\n");
    person.sees("<bob> on");
    person.sees("café");
}
