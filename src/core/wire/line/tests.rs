//! Lines, however their bytes come.

use super::*;

fn owned(line: Line<'_>) -> String {
    match line {
        Line::Text(text) => text.to_owned(),
        Line::NotUtf8(_) => "(not UTF-8)".to_owned(),
        Line::TooLong(_) => "(too long)".to_owned(),
    }
}

/// Feeds `reads` one by one, an end of file after them, and has `take` called after each.
fn feed(buffer: &mut LineBuffer, reads: &[&[u8]], mut take: impl FnMut(&mut LineBuffer)) {
    for mut bytes in reads.iter().copied() {
        while !bytes.is_empty() {
            let space = buffer.space();
            let n = bytes.len().min(space.len());
            assert!(n > 0, "no space although all lines were taken");
            space[..n].copy_from_slice(&bytes[..n]);
            buffer.received(n);
            bytes = &bytes[n..];
            take(buffer);
        }
    }
    buffer.space();
    buffer.received(0);
    take(buffer);
}

fn lines(reads: &[&[u8]]) -> Vec<String> {
    let mut got = Vec::new();
    feed(&mut LineBuffer::default(), reads, |buffer| {
        while let Some(line) = buffer.next_line() {
            got.push(owned(line));
        }
    });
    got
}

const LIMIT: usize = 4096;

fn pieces(reads: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut got = Vec::new();
    feed(&mut LineBuffer::cutting_at(LIMIT), reads, |buffer| {
        while let Some(piece) = buffer.next_piece() {
            got.push(piece.to_owned());
        }
    });
    got
}

#[test]
fn every_line_end_and_every_cut() {
    let sent = b"one\ntwo\r\nthree\r\0\r\nfour\0\nlast";
    let expected = ["one", "two", "three", "", "four\0", "last"];
    for cut in 0..=sent.len() {
        assert_eq!(lines(&[&sent[..cut], &sent[cut..]]), expected, "cut at {cut}");
    }
}

#[test]
fn a_line_of_exactly_the_limit_passes_and_one_more_byte_does_not() {
    let longest = vec![b'x'; LINE_MAX];
    for end in [&b"\n"[..], b"\r\n", b"\r\0"] {
        assert_eq!(
            lines(&[&longest, end, b"after\n"]),
            [String::from_utf8(longest.clone()).unwrap(), "after".into()]
        );
        assert_eq!(lines(&[&longest, b"x", end, b"after\n"]), ["(too long)", "after"]);
    }
}

#[test]
fn an_endless_line_is_refused_once_and_the_buffer_stays_bounded() {
    let endless = vec![b'x'; 1_000_000];
    for end in [&b"\n"[..], b"\r\n", b"\r\0"] {
        for split in 0..end.len() {
            assert_eq!(
                lines(&[&endless, &end[..split], &end[split..], b"after\n"]),
                ["(too long)", "after"]
            );
        }
    }
}

/// The lines, whether the bytes come at once, one by one, or in two reads.
#[track_caller]
fn assert_lines(sent: &[u8], expected: &[&str]) {
    let one_by_one: Vec<&[u8]> = sent.chunks(1).collect();
    assert_eq!(lines(&one_by_one), expected, "{:?}", String::from_utf8_lossy(sent));
    for cut in 0..=sent.len().min(300) {
        assert_eq!(lines(&[&sent[..cut], &sent[cut..]]), expected, "{sent:?} cut at {cut}");
    }
}

#[test]
fn keys_take_back_what_a_reader_sees_as_one_character() {
    for (sent, expected) in [
        ("helo\x08lo\n", "hello"),
        ("helo\x7f\x7flo\n", "helo"),
        ("caf\u{e9}\x08e\n", "cafe"),
        ("cafe\u{301}\x08x\n", "cafx"),
        ("日本\x08\n", "日"),
        ("x🇫🇷🇩🇪\x08\n", "x🇫🇷"),
        ("a👨\u{200d}👩\u{200d}👧\x7fb\n", "ab"),
        ("a👍🏽\x08b\n", "ab"),
        ("\x08\x08\x7f\x17\x15hi\n", "hi"),
        ("one two\x17three\n", "one three"),
        ("one two  \x17\x17x\n", "x"),
        ("日本\u{3000}語\x17です\n", "日本\u{3000}です"),
        ("never mind\x15hi\n", "hi"),
        ("x\n\x08y\n", "x|y"),
        ("x\r\n\x15y\r\0z\x7f\n", "x|y|"),
        ("abc\x08\x08\x08\x08\n", ""),
    ] {
        let expected: Vec<&str> = expected.split('|').collect();
        assert_lines(sent.as_bytes(), &expected);
    }
    assert_lines(b"x\xc3\x08y\n", &["xy"]);
    assert_lines(b"x\xe2\x82\x7fy\n", &["xy"]);
    // IAC EC and IAC EL
    assert_lines(b"ab\xff\xf7c\xff\xf8d\xff\xf7ef\n", &["ef"]);
}

#[test]
fn a_line_that_was_too_long_can_be_taken_back() {
    let sent = |long: usize, back: &[u8]| [&vec![b'x'; long][..], back, b"\nafter\n"].concat();
    let longest = "x".repeat(LINE_MAX);
    for extra in [1, 100, LINE_MAX] {
        assert_lines(&sent(LINE_MAX + extra, &vec![8; extra]), &[&longest, "after"]);
        assert_lines(&sent(LINE_MAX + extra, &vec![8; extra - 1]), &["(too long)", "after"]);
    }
    assert_lines(&sent(TYPED_MAX + 1, &[8; TYPED_MAX]), &["(too long)", "after"]);
    assert_lines(&sent(5 * LINE_MAX, b"\x15hi"), &["hi", "after"]);
    assert_lines(&sent(5 * LINE_MAX, b"\r\0hi"), &["(too long)", "hi", "after"]);
}

#[test]
fn what_arrows_and_function_keys_send_is_taken_out_whole() {
    for sequence in [
        "\x1b[A",
        "\x1b[1;5C",
        "\x1b[200~",
        "\x1b[?1;2c",
        "\x1b[[A",
        "\x1bOA",
        "\x1bO5P",
        "\x1b]0;title\x07",
        "\x1b]11;rgb:0000/0000/0000\x1b\\",
        "\x1bP1$r0m\x1b\\",
        "\x1b_x\u{9c}",
        "\x1b(B",
        "\x1bb",
        "\x1b7",
        "\x1b\x1b[D",
        "\x1b[\x1b[D",
        "\u{9b}A",
        "\u{9b}31m",
        "\u{8f}A",
        "\u{9d}0;title\u{9c}",
        "\u{90}x\x07",
    ] {
        assert_lines(format!("h{sequence}i\n").as_bytes(), &["hi"]);
        assert_lines(format!("{sequence}\r\nhi{sequence}\n").as_bytes(), &["", "hi"]);
    }
}

#[test]
fn a_sequence_without_its_end_is_bounded_and_ends_with_the_line() {
    for (begun, left) in [
        ("\x1b", ""),
        ("\x1b[", ""),
        ("\x1b[12;", ""),
        ("\x1bO", ""),
        ("\x1b(", ""),
        ("\u{9b}1", ""),
        ("\x1b]", ""),
        ("\x1bPlease wait", "lease wait"),
        ("\x1b]0;title\x1b", "0;title"),
    ] {
        for end in ["\n", "\r\n", "\r\0"] {
            let first = format!("hi {left}");
            assert_lines(format!("hi {begun}{end}next\n").as_bytes(), &[&first, "next"]);
        }
    }
    assert_lines("\x1bé\n".as_bytes(), &["é"]);
    assert_lines(b"xy\x1b[\x08\n", &["x"]);
    for (begins, most, end) in [("\x1b[", 64, "A"), ("\x1b]", 255, "\x07")] {
        let sent = |count| format!("{begins}{}{end}\n", "1".repeat(count));
        assert_lines(sent(most).as_bytes(), &[""]);
        assert_ne!(lines(&[sent(most + 1).as_bytes()]), [""], "the bytes after them are text");
    }
    let digits = "1".repeat(1000);
    let (csi, osc) = (format!("\x1b[{digits}\n"), format!("\x1b]{digits}\x07\n"));
    let [csi, osc] = [csi, osc].map(|sent| lines(&[sent.as_bytes()])[0].len());
    assert!(csi > 900 && osc == 1001, "{csi}, {osc}");
}

#[test]
fn what_makes_no_line_is_counted() {
    for (sent, waste) in [
        (b"hi\n".repeat(1000), 0),
        (vec![b'x'; 1000], 0),
        (vec![b'x'; 100 * LINE_MAX], 98),
        (b"\xff\xf1".repeat(10 * LINE_MAX), 20),
        (b"\x1b[A".repeat(10 * LINE_MAX), 30),
        (b"x\x08".repeat(10 * LINE_MAX), 20),
        ([vec![b'x'; 3 * LINE_MAX], vec![b'\n']].concat().repeat(10), 19),
    ] {
        let (mut buffer, mut counted) = (LineBuffer::default(), 0);
        feed(&mut buffer, &[&sent], |buffer| {
            while buffer.next_line().is_some() {}
            counted += buffer.take_waste();
        });
        let begins = String::from_utf8_lossy(&sent[..2]).into_owned();
        assert!((waste..=waste + 1).contains(&counted), "{begins:?}: {counted}, not {waste}");
    }
    let mut counted = 0;
    feed(&mut LineBuffer::default(), &[&b"\x08"[..]; 640], |buffer| {
        counted += buffer.take_waste();
    });
    assert_eq!(counted, 10, "each read costs something");
}

#[test]
fn bytes_that_are_no_text_are_refused_whole() {
    assert_eq!(lines(&[b"\xc3\x28\nafter\n"]), ["(not UTF-8)", "after"]);
}

#[test]
fn a_letter_split_between_two_reads_is_whole() {
    assert_eq!(lines(&["é".as_bytes()[..1].as_ref(), &"é\n".as_bytes()[1..]]), ["é"]);
}

#[test]
fn a_buffer_that_cuts_refuses_nothing() {
    let sent = "*** hi\r\n<bob> 日本語\n\nlast".as_bytes();
    let expected = ["*** hi", "<bob> 日本語", "", "last"].map(|line| line.as_bytes().to_owned());
    for cut in 0..=sent.len() {
        assert_eq!(pieces(&[&sent[..cut], &sent[cut..]]), expected, "cut at {cut}");
    }
    assert_eq!(pieces(&[b"\xff\xfb\x01ok\xc3\n"]), [b"\xff\xfb\x01ok\xc3"]);
}

#[test]
fn a_long_line_is_cut_between_letters() {
    for endless in ["é".repeat(LIMIT).into_bytes(), vec![0x80; 3 * LIMIT]] {
        let reads: Vec<&[u8]> = endless.chunks(1000).collect();
        let pieces = pieces(&reads);
        assert!(pieces.iter().all(|piece| piece.len() <= LIMIT));
        let is_text = std::str::from_utf8(&endless).is_ok();
        assert!(pieces.iter().all(|piece| std::str::from_utf8(piece).is_ok() == is_text));
        assert_eq!(pieces.concat(), endless);
    }
}

#[test]
fn a_part_of_a_line_can_be_taken() {
    let mut buffer = LineBuffer::cutting_at(LIMIT);
    buffer.space()[..7].copy_from_slice(b"login: ");
    buffer.received(7);
    assert_eq!(buffer.next_piece(), None);
    assert_eq!(buffer.take_partial(), Some(&b"login: "[..]));
    assert_eq!(buffer.take_partial(), None);
}

/// What comes, in pieces, before the first line is taken.
fn lines_of_all(reads: &[&[u8]]) -> Vec<String> {
    let mut buffer = LineBuffer::default();
    for bytes in reads {
        buffer.space()[..bytes.len()].copy_from_slice(bytes);
        buffer.received(bytes.len());
    }
    std::iter::from_fn(|| buffer.next_line().map(owned)).collect()
}

#[test]
fn keys_change_the_line_that_is_typed_and_none_before() {
    for end in ["\n", "\r\0"] {
        let first = format!("a{end}");
        assert_eq!(lines_of_all(&[first.as_bytes(), b"bc\x15d\n"]), ["a", "d"]);
    }
    assert_eq!(lines_of_all(&[b"a\0b", b"\x15c\n"]), ["c"], "a NUL alone ends no line");
    assert_eq!(lines_of_all(&[b"a\0b\x15c\n"]), ["c"]);
    assert_eq!(lines_of_all(&["a\u{85}b\x08\n".as_bytes()]), ["a\u{85}"]);
}

#[test]
fn a_line_that_was_too_long_stays_so_and_the_next_one_can_be_taken_back() {
    let long = vec![b'x'; TYPED_MAX + 10];
    assert_eq!(lines(&[&long, b"z\n", b"ab\x08c\n"]), ["(too long)", "ac"]);
    for taken_back in [&b"\x08"[..], b"\x7f", b"\x17"] {
        assert_eq!(lines(&[&long, taken_back, b"\n"]), ["(too long)"], "not by a word");
    }
    let long = format!("{}\u{85}\x17\x17\n", "x".repeat(TYPED_MAX - 1));
    assert_eq!(lines(&[long.as_bytes()]), ["(too long)"], "half a letter had no place");
}

#[test]
fn a_terminals_title_may_have_any_letter_and_a_bracket_begins_a_sequence_once() {
    assert_eq!(lines(&["\x1b]0;Ü\x07hi\n".as_bytes()]), ["hi"]);
    assert_eq!(lines(&[b"\x1b[1[Ax\n"]), ["Ax"]);
}

#[test]
fn a_buffer_grows_with_what_comes_at_once_and_not_beyond_its_bound() {
    let mut buffer = LineBuffer::default();
    for _ in 0..10 {
        buffer.space()[..3].copy_from_slice(b"hi\n");
        buffer.received(3);
        assert!(buffer.next_line().is_some());
    }
    assert_eq!(buffer.space().len(), BUFFER_FIRST);
    for _ in 0..10 {
        let space = buffer.space();
        space.fill(b'\n');
        let all = space.len();
        buffer.received(all);
        while buffer.next_line().is_some() {}
    }
    assert_eq!(buffer.space().len(), BUFFER_MAX);
}

#[test]
fn what_has_no_line_is_counted_by_whoever_reads_it_too() {
    let mut buffer = LineBuffer::default();
    buffer.note_waste(3 * LINE_MAX - READ_COST);
    assert_eq!((buffer.take_waste(), buffer.take_waste()), (3, 0));
}

#[test]
fn a_password_that_was_taken_is_overwritten() {
    let mut buffer = LineBuffer::default();
    buffer.space()[..12].copy_from_slice(b"secret\nnext\n");
    buffer.received(12);
    assert_eq!(buffer.next_line(), Some(Line::Text("secret")));
    buffer.overwrite_taken();
    assert!(buffer.bytes.starts_with(&[0; 7]));
    assert_eq!(buffer.next_line(), Some(Line::Text("next")));
}

#[test]
fn no_copy_is_left_of_half_a_password_that_was_moved() {
    let mut buffer = LineBuffer::default();
    buffer.space()[..16].copy_from_slice(b"some talk\nsecret");
    buffer.received(16);
    assert_eq!(buffer.next_line(), Some(Line::Text("some talk")));
    assert_eq!(buffer.next_line(), None);
    buffer.space()[..1].copy_from_slice(b"\n"); // from here on it stands at the front, too
    buffer.received(1);
    assert_eq!(buffer.next_line(), Some(Line::Text("secret")));
    assert_eq!(&buffer.bytes[10..16], b"secret");
    buffer.overwrite_taken();
    assert_eq!(*buffer.bytes, [0; BUFFER_FIRST]);
}

#[test]
fn a_long_line_is_cut_between_characters_whether_its_end_has_come_or_not() {
    let long = format!("x{}", "é".repeat(LIMIT));
    for end in ["", "\n"] {
        let pieces = pieces(&[format!("{long}{end}").as_bytes()]);
        assert!(pieces.iter().all(|piece| piece.len() <= LIMIT));
        assert!(pieces.iter().all(|piece| std::str::from_utf8(piece).is_ok()));
        assert_eq!(pieces.concat(), long.as_bytes());
    }
    let mut buffer = LineBuffer::cutting_at(LIMIT);
    for byte in [&[b'x'; LIMIT + 10][..], b"\n"].concat() {
        buffer.space()[0] = byte;
        buffer.received(1);
    }
    assert_eq!(buffer.next_piece().unwrap().len(), LIMIT, "all of it waited");
    let no_text = [&[b'x'; LIMIT / 2][..], &[0x80; LIMIT]].concat();
    assert_eq!(pieces(&[&no_text])[0].len(), LIMIT, "it has no characters there");
}
