//! Whatever a server sends, the terminal obeys none of it.

use crate::person::alice;

#[test]
fn no_escape_sequence_reaches_the_terminal() {
    let (_server, client, person) = alice();
    person.half_types("half typed");
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
        client.gets_bytes(&[b"<mallory> ", attack, b" .\n"].concat());
    }
    client.gets("<mallory> done");
    person.sees("<mallory> done");
    person.sees_prompt("alice@lobby> half typed");
    let bytes = person.bytes();
    let is_harmful = |c: char| c.is_control() || "\u{202e}\u{2066}\u{2028}".contains(c);
    for text in bytes.split('\n').filter_map(|line| line.split("mallory").nth(1)) {
        let text = text.replace("\x1b[0m", "").replace('\r', ""); // these are ours
        assert!(!text.contains(is_harmful), "{text:?}");
    }
    let rows = person.rows();
    let shown = rows.iter().filter(|row| row.starts_with("<mallory>")).count();
    assert_eq!(shown, attacks.len() + 1, "{rows:?}");
    assert!(bytes.contains("�[2J�[H ."), "what was taken out is marked: {bytes:?}");
}

#[test]
fn a_line_without_an_end_is_bounded() {
    let (_server, client, person) = alice();
    person.types("half");
    client.gets_bytes("y".repeat(200_000).as_bytes()); // shown in pieces, while no end is in sight
    person.sees("yyyy");
    person.sees_prompt("alice@lobby> half");
    client.gets("\n<bob> still here");
    person.sees("<bob> still here");
    person.types(" typed\r");
    client.says("half typed");
}

#[test]
fn bytes_that_are_no_text() {
    let (_server, client, person) = alice();
    client
        .gets_bytes(b"<bob> \xff\xfb\x01 \xc3\x28 \xed\xa0\x80 caf\xc3\xa9\n\x00\x00\n<bob> on\n");
    person.sees("<bob> on");
    person.sees("café");
    assert!(person.bytes().contains("��� �( ��� café"), "{:?}", person.bytes());
}
