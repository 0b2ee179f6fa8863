//! What the pictures show, one function for each.

use super::{arrow, canvas::Canvas, stack};

/// Draws one of them.
type Draw = fn() -> Canvas;

/// The file's name, and who draws it.
pub const ALL: [(&str, Draw); 8] = [
    ("accept-queue", accept_queue),
    ("stacks", stacks),
    ("fd-sets", fd_sets),
    ("level-edge", level_edge),
    ("high-water", high_water),
    ("one-line", one_line),
    ("story-thread", story_thread),
    ("story-loop", story_loop),
];

fn accept_queue() -> Canvas {
    let mut c = Canvas::new(760, 250);
    c.text((16.0, 28.0), "head", "The accept queue: connected by the kernel, not yet accepted");
    for (y, name) in [(62.0, "client 2"), (112.0, "client 3"), (162.0, "client 4")] {
        c.rect((16.0, y), (110.0, 34.0), "box");
        c.text((71.0, y + 22.0), "mid", name);
        arrow(&mut c, (126.0, y + 17.0), (226.0, y + 17.0));
    }
    c.text((176.0, 222.0), "small mid", "connect() has returned");
    c.rect((228.0, 52.0), (224.0, 156.0), "pale");
    c.text((340.0, 72.0), "mid small", "the kernel's queue of the listener");
    for (place, look, who) in [(0.0, "box", "4"), (1.0, "box", "3"), (2.0, "box", "2")] {
        c.rect((244.0 + 66.0 * place, 104.0), (58.0, 50.0), look);
        c.text((273.0 + 66.0 * place, 134.0), "mid", who);
    }
    c.text((340.0, 184.0), "mid small", "its length: the argument of listen()");
    c.text((340.0, 200.0), "mid small", "full: who comes next has to wait");
    arrow(&mut c, (452.0, 129.0), (546.0, 129.0));
    c.text((498.0, 118.0), "mono mid", "accept()");
    c.rect((548.0, 92.0), (196.0, 74.0), "hot");
    c.text((646.0, 116.0), "mid", "the server");
    c.text((646.0, 140.0), "mid small", "is busy with client 1");
    c.text((646.0, 156.0), "mid small", "and accepts nobody");
    c
}

fn stacks() -> Canvas {
    let mut c = Canvas::new(760, 330);
    c.text((16.0, 28.0), "head", "A stack for each thread; one memory for all");
    let frames =
        |place: &'static str| [("pale", "thread start"), ("box", "handle"), ("box", place)];
    for (x, name, place) in [
        (16.0, "accept", "accept"),
        (206.0, "client 1", "read"),
        (396.0, "client 2", "write"),
        (586.0, "client 3", "lock"),
    ] {
        c.text((x + 79.0, 60.0), "mid", name);
        let mut boxes = frames(place);
        if name == "accept" {
            boxes[1].1 = "serve_forever";
        }
        boxes[2].0 = "hot";
        stack(&mut c, (x, 72.0), 158.0, &boxes);
        c.rect((x, 156.0), (158.0, 64.0), "pale");
        c.text((x + 79.0, 184.0), "mid small", "addresses that are");
        c.text((x + 79.0, 200.0), "mid small", "reserved and not used");
    }
    c.text((16.0, 246.0), "small", "the last frame says what a thread waits for");
    c.rect((16.0, 262.0), (728.0, 50.0), "box");
    c.text((380.0, 292.0), "mid", "what they share: the list of clients, behind a lock");
    c
}

fn fd_sets() -> Canvas {
    let mut c = Canvas::new(760, 330);
    c.text((16.0, 28.0), "head", "select: three sets of 1,024 bits, in and out");
    let numbers = ["0", "1", "2", "3", "4", "5", "6", "7", "…", "1023"];
    let cell = |at: usize| 150.0 + 38.0 * at as f64;
    for (at, number) in numbers.iter().enumerate() {
        c.text((cell(at) + 19.0, 60.0), "small mid", number);
    }
    c.text((16.0, 60.0), "small", "descriptor");
    let rows = [
        (72.0, "readable: asked", "0001111100", ""),
        (106.0, "writable: asked", "0000010000", ""),
        (140.0, "exceptional", "0000000000", ""),
        (222.0, "readable: ready", "0000100100", "4"),
        (256.0, "writable: ready", "0000000000", ""),
    ];
    for (y, name, bits, _) in rows {
        c.text((16.0, y + 20.0), "small", name);
        for (at, bit) in bits.chars().enumerate() {
            let look = if at == 8 {
                "paper"
            } else if bit == '1' {
                "hot"
            } else {
                "pale"
            };
            c.rect((cell(at), y), (36.0, 30.0), look);
            c.text(
                (cell(at) + 18.0, y + 20.0),
                "mono mid",
                if at == 8 {
                    "…"
                } else if bit == '1' {
                    "1"
                } else {
                    "0"
                },
            );
        }
    }
    arrow(&mut c, (338.0, 176.0), (338.0, 216.0));
    c.text((352.0, 200.0), "mono", "select() waits, and overwrites the sets");
    for (y, words) in [(88.0, "3 listens, 4 to 7 are clients;"), (106.0, "something waits for 5")] {
        c.text((548.0, y), "small", words);
    }
    for (y, words) in [
        (238.0, "4 and 7 have sent; to find"),
        (256.0, "them, all are looked at,"),
        (274.0, "and the next call is told all again"),
    ] {
        c.text((548.0, y), "small", words);
    }
    c.text((16.0, 314.0), "small", "There is no bit for descriptor 1,024: the wall.");
    c
}

fn level_edge() -> Canvas {
    let mut c = Canvas::new(760, 380);
    c.text(
        (16.0, 28.0),
        "head",
        "Level and edge: one client sends 16 bytes, each wake-up reads 10",
    );
    c.text((16.0, 84.0), "small", "unread bytes");
    let steps = [
        (150.0, 110.0),
        (230.0, 110.0),
        (230.0, 62.0),
        (330.0, 62.0),
        (330.0, 92.0),
        (430.0, 92.0),
        (430.0, 110.0),
        (590.0, 110.0),
        (590.0, 62.0),
        (740.0, 62.0),
    ];
    c.line(&steps, "s0");
    for (x, y, words) in [
        (160.0, 104.0, "0"),
        (272.0, 56.0, "16"),
        (374.0, 86.0, "6"),
        (500.0, 104.0, "0"),
        (660.0, 56.0, "16 more"),
    ] {
        c.text((x, y), "small", words);
    }
    c.text((16.0, 166.0), "", "level-triggered");
    c.text((16.0, 184.0), "small", "while bytes are there");
    for (x, words) in [(232.0, "read 10"), (332.0, "read 6"), (592.0, "read 10")] {
        c.rect((x, 148.0), (92.0, 34.0), "box");
        c.text((x + 46.0, 170.0), "mid small", words);
    }
    c.text(
        (232.0, 206.0),
        "small",
        "epoll_wait returns again at once: nothing is forgotten, and no loop is needed",
    );
    c.text((16.0, 266.0), "", "edge-triggered");
    c.text((16.0, 284.0), "small", "when bytes arrive");
    c.rect((232.0, 248.0), (92.0, 34.0), "box");
    c.text((278.0, 270.0), "mid small", "read 10");
    c.rect((332.0, 248.0), (252.0, 34.0), "hot");
    c.text((458.0, 270.0), "mid small", "6 bytes lie there, and it sleeps");
    c.rect((592.0, 248.0), (92.0, 34.0), "box");
    c.text((638.0, 270.0), "mid small", "read 10");
    c.text((232.0, 306.0), "small", "so read until the kernel says: would block (EAGAIN)");
    arrow(&mut c, (150.0, 340.0), (740.0, 340.0));
    c.text((740.0, 362.0), "small end", "time");
    c
}

fn high_water() -> Canvas {
    let mut c = Canvas::new(760, 310);
    c.text((16.0, 28.0), "head", "An outbox for each client, and its high-water mark");
    c.rect((16.0, 118.0), (112.0, 60.0), "box");
    c.text((72.0, 144.0), "mid", "fan-out");
    c.text((72.0, 162.0), "mid small", "never waits");
    for (y, name, filled, look, end) in [
        (54.0, "ann reads", 10.0, "box", "empty: the line goes out at once"),
        (134.0, "ben is slow", 130.0, "box", "what ben cannot take now waits here"),
        (214.0, "eve has stopped", 262.0, "hot", "over the mark: disconnected, and told why"),
    ] {
        let middle = y + 22.0;
        c.line(&[(128.0, 148.0), (164.0, 148.0), (164.0, middle)], "");
        arrow(&mut c, (164.0, middle), (206.0, middle));
        c.rect((208.0, y), (300.0, 44.0), "pale");
        c.rect((208.0, y), (filled, 44.0), look);
        arrow(&mut c, (508.0, middle), (566.0, middle));
        c.text((576.0, middle + 5.0), "", name);
        c.text((208.0, y + 60.0), "small", end);
    }
    c.line(&[(460.0, 44.0), (460.0, 264.0)], "wall");
    c.text((460.0, 298.0), "small mid", "high-water mark: 64 KiB");
    c
}

fn one_line() -> Canvas {
    let mut c = Canvas::new(760, 300);
    c.text((16.0, 28.0), "head", "One line's way through chatd");
    for (x, name, rows) in [
        (
            16.0,
            "thread c1:ann",
            [("box", "read"), ("box", "LineBuffer"), ("box", "Session::hear"), ("box", "sanitize")],
        ),
        (
            292.0,
            "thread fanout",
            [
                ("box", "Chat::apply"),
                ("box", "Room::say"),
                ("box", "Output::flush"),
                ("box", "send_now"),
            ],
        ),
    ] {
        c.text((x + 76.0, 60.0), "mid", name);
        stack(&mut c, (x, 72.0), 152.0, &rows);
    }
    arrow(&mut c, (168.0, 128.0), (290.0, 128.0));
    c.text((229.0, 116.0), "mid small", "events channel");
    c.text((229.0, 148.0), "mid small", "one order");
    c.text((598.0, 60.0), "mid", "the others");
    for (row, name) in ["ben", "eve", "joe"].iter().enumerate() {
        let y = 76.0 + 36.0 * row as f64;
        c.rect((548.0, y), (100.0, 28.0), "pale");
        c.text((598.0, y + 19.0), "mid", name);
        c.line(&[(444.0, 170.0), (490.0, 170.0), (490.0, y + 14.0)], "");
        arrow(&mut c, (490.0, y + 14.0), (546.0, y + 14.0));
    }
    c.text((664.0, 112.0), "small", "one send each");
    c.text((664.0, 128.0), "small", "for each batch");
    c.text((368.0, 228.0), "mid", "thread historian");
    stack(&mut c, (292.0, 238.0), 152.0, &[("hot", "Store::append")]);
    arrow(&mut c, (330.0, 184.0), (330.0, 214.0));
    arrow(&mut c, (406.0, 214.0), (406.0, 184.0));
    c.text((460.0, 222.0), "small", "nothing is shown before it is written;");
    c.text((460.0, 238.0), "small", "the next batch gathers meanwhile");
    c
}

fn story_thread() -> Canvas {
    let mut c = Canvas::new(760, 260);
    c.text(
        (16.0, 28.0),
        "head",
        "Threads: a client's story is a stack, and how far it has come a place in the code",
    );
    for (x, name, rows, words) in [
        (
            16.0,
            "c1:ann",
            [("box", "handle"), ("box", "session"), ("hot", "read")],
            "waits for ann's next line",
        ),
        (
            268.0,
            "c2:ben",
            [("box", "handle"), ("box", "/history 300"), ("hot", "send")],
            "waits until ben has read on",
        ),
        (
            520.0,
            "c3:eve",
            [("box", "handle"), ("box", "/login"), ("hot", "hash")],
            "computes for 20 ms",
        ),
    ] {
        c.text((x, 64.0), "", &format!("thread {name}"));
        stack(&mut c, (x, 76.0), 224.0, &rows);
        c.text((x, 182.0), "small", words);
    }
    c.text((16.0, 236.0), "", "While eve's thread computes, ann's and ben's go on.");
    c
}

fn story_loop() -> Canvas {
    let mut c = Canvas::new(760, 280);
    c.text(
        (16.0, 28.0),
        "head",
        "A loop: a client's story is a row, and how far it has come a field",
    );
    c.text((16.0, 64.0), "", "thread main");
    let columns = [(16.0, 90.0), (106.0, 270.0), (376.0, 150.0), (526.0, 218.0)];
    for (row, cells) in [
        ["client", "stage", "unread", "unsent"],
        ["ann", "Reading", "\"hel\"", ""],
        ["ben", "Behind: in their history", "", "8 KiB"],
        ["eve", "in /login: hash", "", ""],
    ]
    .iter()
    .enumerate()
    {
        for ((x, width), text) in columns.iter().zip(cells) {
            let look = if row == 0 {
                "pale"
            } else if row == 3 {
                "hot"
            } else {
                "box"
            };
            let y = 76.0 + 32.0 * row as f64;
            c.rect((*x, y), (*width, 32.0), look);
            c.text((x + 10.0, y + 21.0), "mono", text);
        }
    }
    c.text((16.0, 232.0), "small", "one call waits for all of them: select, poll or epoll");
    c.text((16.0, 258.0), "", "While the loop computes eve's hash, ann and ben wait.");
    c
}
