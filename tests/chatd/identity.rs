//! Who somebody is comes before what is done to them: administrators, sanctions, names and the floor, on a real server.

use crate::harness::{Client, Folder, Server, eventually, folder::PASSWORD};

#[test]
pub fn the_mark_of_an_administrator_outlives_the_server() {
    let folder = Folder::with_administrator(&["boss", "alice"]);
    let server = folder.start("");
    let mut boss = server.logs_in("boss");
    let [mut bob] = server.enter(["bob"]);
    boss.hears("*** bob entered lobby");
    for (said, read) in [
        ("the exam", "<@boss> the exam"),
        ("/me waits", "* @boss waits"),
        ("/announce begin", "*** Announcement by @boss: begin"),
        ("//etc", "<@boss> /etc"),
    ] {
        boss.says(said);
        bob.hears(read);
    }
    boss.asks_until("/msg alice see me", "*** alice is away: your message is kept.");
    drop((boss, bob, server));

    folder.run("account demote boss");
    let server = folder.start("");
    let mut alice = server.logs_in("alice");
    alice.says("/mail\n/search exam\n/history\n/quit");
    let told = alice.hears_to_the_end().join("\n");
    for read in ["[from @boss] see me", "<@boss> the exam", "* @boss waits", "<@boss> /etc"] {
        assert!(told.contains(&format!(") {read}\n")), "{read}: {told}");
    }
    assert!(folder.run("history export").contains("<@boss> the exam\n"));
    // They are none now.
    let [mut bob] = server.enter(["bob"]);
    let mut boss = server.logs_in("boss");
    boss.says("hi");
    bob.hears_until("<boss> hi");
    for name in ["Admin", "server", "chat-d"] {
        bob.asks(
            &format!("/nick {name}"),
            &format!("*** The name \"{name}\" is kept for accounts of the server's operator."),
        );
    }
}

const ELSEWHERE: &str = "127.0.0.2";

/// Connects from another address, gives a name, and returns with the next line.
fn comes_from_elsewhere(server: &Server, name: &str) -> (Client, String) {
    let mut client = Client::connect_from(ELSEWHERE, server.address, name);
    client.hears_until("*** What is your name?");
    client.says(name);
    let told = client.reads().unwrap();
    (client, told)
}

#[test]
pub fn administrators_come_in_past_a_ban_and_nobody_else_does() {
    let folder = Folder::with_administrator(&["boss", "alice"]);
    folder.run("account add two");
    folder.run("account promote two");
    let server = folder.start("");
    let mut boss = server.logs_in("boss");
    let (mut two, _) = comes_from_elsewhere(&server, "two");
    two.asks_until(PASSWORD, "*** You are in lobby");
    let (mut eve, _) = comes_from_elsewhere(&server, "eve");
    boss.hears_until("*** eve entered lobby");
    boss.says(&format!("/ban {ELSEWHERE} 1h"));
    boss.hears("*** eve left lobby (banned)");
    boss.hears(&format!("*** {ELSEWHERE} is banned until {{…}}; 1 sent away."));
    eve.hears_until("*** Hung up: you are banned by boss until ");
    two.asks_until("/quit", "*** Goodbye.");

    for name in ["eve", "other", "alice", "ALICE"] {
        let (mut client, told) = comes_from_elsewhere(&server, name);
        assert!(told.starts_with("*** Hung up: you are banned by boss until "), "{name}: {told}");
        client.is_hung_up();
    }
    for (typed, told) in [
        (format!("/login alice {PASSWORD}"), "*** Hung up: you are banned by boss until "),
        ("/login boss wrong horse".to_owned(), "*** boss is registered. Your password"),
        ("/login nobody wrong horse".to_owned(), "*** No account has this name and this password."),
        (format!("/login two {PASSWORD}"), "*** two is registered. Your password"),
    ] {
        let (mut client, answer) = comes_from_elsewhere(&server, &typed);
        assert!(answer.starts_with(told), "{typed}: {answer}");
        if typed.starts_with("/login two") {
            client.hears_until("*** You are in lobby with @boss.");
            client.asks_until("/quit", "*** Goodbye.");
        }
    }
    let (mut two, told) = comes_from_elsewhere(&server, "Two");
    assert!(told.starts_with("*** Two is registered. Your password"), "{told}");
    two.asks_until("wrong horse", "*** That is not the password of this name.");
    two.asks_until(PASSWORD, "*** Hello Two.");
    // Theirs is the banned address now: they hit themselves.
    two.hears_until("*** You are in lobby with @boss.");
    two.asks(
        &format!("/ban {ELSEWHERE}"),
        "*** 127.0.0.2 is your own address. A ban would send 0 away, {…}",
    );
    two.asks(&format!("/unban {ELSEWHERE}"), "*** 127.0.0.2 is banned no longer.");
    let (mut alice, told) = comes_from_elsewhere(&server, "alice");
    assert!(told.starts_with("*** alice is registered."), "{told}");
    alice.asks_until(PASSWORD, "*** You are in lobby with @boss, @Two.");
}

#[test]
pub fn a_sanction_outlives_names_connections_and_the_server() {
    let folder = Folder::with_administrator(&["boss", "carl"]);
    let server = folder.start("");
    let mut boss = server.logs_in("boss");
    let mut carl = server.logs_in("carl");
    carl.asks("/nick kurt", "*** You are now kurt.");
    boss.hears_until("*** carl is now kurt");
    boss.asks("/mute boss", "*** You cannot mute yourself.");
    boss.asks("/mute carl 1h spam", "*** kurt (logged in as carl) is muted until {…} (spam).");
    carl.hears("*** You are muted by boss until {…}.");
    for line in ["hi", "/me waves", "/nick carl", "/topic x", "/away x", "/msg boss x", "/hand"] {
        carl.says(line);
        carl.hears("*** You are muted by boss until {…} (spam).{…}");
    }
    drop(carl);
    boss.hears("*** kurt left lobby (connection closed)");
    let mut carl = server.logs_in("carl");
    boss.hears("*** carl entered lobby");
    carl.asks("hi", "*** You are muted by boss until {…} (spam). That was not said.");
    drop((boss, carl, server));

    let server = folder.start("");
    let mut carl = server.connect("carl");
    carl.asks_until("carl", "*** carl is registered.");
    carl.says(PASSWORD);
    carl.hears_until("*** You are muted by boss until ");
    carl.hears_until("*** You are in lobby, alone.");
    carl.asks("/nick kurt", "*** You are muted by boss until {…} (spam).");
    let mut boss = server.logs_in("boss");
    boss.asks("/unmute carl", "*** carl is muted no longer.");
    carl.hears_until("*** You are muted no longer.");
    carl.asks("/nick kurt", "*** You are now kurt.");
    boss.hears("*** carl is now kurt");
    boss.asks("/ban carl", "*** kurt left lobby (banned)");
    boss.hears("*** kurt (logged in as carl) is banned for ever; 1 sent away.");
    let mut guest = server.lets_in("guest");
    guest.asks_until(&format!("/login carl {PASSWORD}"), "*** The name carl is banned by boss.");
    guest.asks("/nick carl", "*** carl is registered. /login carl asks for its password.");
}

#[test]
pub fn a_muted_guest_who_comes_again_is_muted_still() {
    let folder = Folder::with_administrator(&["boss"]);
    let server = folder.start("");
    let mut boss = server.logs_in("boss");
    let (mut eve, _) = comes_from_elsewhere(&server, "eve");
    eve.has_read_everything();
    boss.hears_until("*** eve entered lobby");
    boss.asks_until("/mute eve 1h spam", "*** eve has no account");
    eve.hears_until("*** You are muted by boss until ");
    drop(eve);
    boss.hears("*** eve left lobby (connection closed)");
    let (mut max, _) = comes_from_elsewhere(&server, "max");
    max.hears("*** You are muted by boss until {…} (spam).");
    max.hears("*** eve is muted and has just left your address. If you are somebody else, ask an administrator: /unmute max ends it.");
    boss.hears("*** max entered lobby");
    boss.hears("*** max comes from the address that eve, who is muted, has just left. So max is muted, too. /unmute max ends both.");
    max.hears_until("*** You are in lobby with @boss.");
    max.asks("hi", "*** You are muted by boss until {…} (spam). That was not said.");
    boss.asks("/unmute max", "*** max is muted no longer.");
    max.hears("*** You are muted no longer.");
    max.says("hi");
    boss.hears("<max> hi");
}

const PAUSED: &str = "*** lobby is paused: only administrators speak, and whoever they give the floor. \
                      /hand raises your hand.{…}";

/// The administrator boss has paused the lobby, and carol is in it.
fn paused(server: &Server) -> [Client; 2] {
    let mut boss = server.logs_in("boss");
    boss.asks_until("/pause", "*** boss paused lobby:");
    let mut carol = server.lets_in("carol");
    carol.has_read_everything();
    boss.hears("*** carol entered lobby");
    [boss, carol]
}

#[test]
pub fn in_a_paused_room_nobody_else_says_anything_new() {
    let folder = Folder::with_administrator(&["boss"]);
    let server = folder.start("--source-limits off"); // each comes, and goes at once
    let [mut boss, mut carol] = paused(&server);
    // What is tried, what is told, and what the administrator reads, who sees who comes and goes.
    for (i, (line, told, reads)) in [
        ("rude", PAUSED, ""),
        ("/me rude", PAUSED, ""),
        ("//rude", PAUSED, ""),
        ("/nick rude", PAUSED, ""),
        ("/topic rude", PAUSED, ""),
        ("/topic -", PAUSED, ""),
        ("/away rude", PAUSED, ""),
        ("/join rude", "*** You are in rude, alone.", "changed rooms"),
        ("/quit rude", "*** Goodbye.", "quit"),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("eve{i}");
        let mut eve = server.lets_in(&name);
        eve.has_read_everything();
        boss.hears(&format!("*** {name} entered lobby"));
        eve.asks(line, told);
        drop(eve);
        let why = if reads.is_empty() { "connection closed" } else { reads };
        boss.hears(&format!("*** {name} left lobby ({why})"));
    }
    boss.says("so far");
    carol.hears("<@boss> so far"); // and nothing before it
}

#[test]
pub fn the_floor_is_given_to_a_hand_and_goes_with_the_connection() {
    let folder = Folder::with_administrator(&["boss"]);
    let server = folder.start("");
    let [mut boss, mut carol] = paused(&server);
    carol.asks_until("/hand", "*** Your hand is up");
    boss.hears("*** carol raised a hand (1 up in lobby)");
    boss.asks("/floor carol", "*** boss gave carol the floor.");
    carol.hears("*** boss gave carol the floor.");
    boss.asks("/hands", "*** No hand is up in lobby.");
    for (line, reads) in [
        ("why?", "<carol> why?"),
        ("/nick caro", "*** carol is now caro"),
        ("why not?", "<caro> why not?"),
        ("/quit enough", "*** caro left lobby (quit: enough)"),
    ] {
        carol.says(line);
        boss.hears(reads);
    }
    let mut caro = server.lets_in("caro");
    caro.has_read_everything();
    boss.hears("*** caro entered lobby");
    caro.asks("I inherit it", PAUSED);
    caro.asks_until("/hand", "*** Your hand is up");
    boss.hears("*** caro raised a hand (1 up in lobby)");
    boss.asks("/lower", "*** 1 hand is down.");
    caro.hears("*** boss lowered your hand.");
    boss.asks("/resume", "*** boss resumed lobby: everybody speaks again.");
    caro.hears("*** boss resumed lobby: everybody speaks again.");
}

#[test]
pub fn a_pause_and_a_topic_outlive_the_server() {
    let folder = Folder::with_administrator(&["boss"]);
    let server = folder.start("");
    let mut boss = server.logs_in("boss");
    for room in ["lobby", "math"] {
        boss.asks_until("/topic graphs", "*** The topic of ");
        boss.asks_until("/pause", &format!("*** boss paused {room}:"));
        boss.asks_until("/join math", "***");
    }
    drop((boss, server));

    let server = folder.start("");
    let mut carol = server.connect("carol");
    carol.asks_until("carol", "*** Hello carol.");
    for room in ["lobby", "math"] {
        carol.hears(&format!("*** You are in {room}, alone."));
        carol.hears(&format!("*** Topic of {room}: graphs (set by boss)"));
        carol.hears(&format!("*** {room} is paused: /hand raises your hand."));
        carol.asks_until("hi", &format!("*** {room} is paused:"));
        carol.says("/join Math");
    }
    let mut boss = server.logs_in("boss");
    boss.asks("/resume", "*** boss resumed lobby: everybody speaks again.");
    drop((boss, server));
    let server = folder.start("");
    let [mut carol] = server.enter(["carol"]);
    carol.says("/echo on\nhi");
    carol.hears_until("<carol> hi");
}

#[test]
pub fn the_topics_of_quiet_rooms_come_back() {
    let folder = Folder::new();
    let server = folder.start("--flood off");
    let [mut alice] = server.enter(["alice"]);
    let sets = |client: &mut Client, room: &str, topic: &str| {
        client.asks_until(&format!("/join {room}"), &format!("*** You are in {room}"));
        client.asks_until(&format!("/topic {topic}"), "*** The topic of ");
    };
    sets(&mut alice, "quiet", "hush");
    sets(&mut alice, "lobby2", "two");
    alice.says("/leave");
    alice.asks_until("/topic all", "*** The topic of lobby");
    alice.says("/join elsewhere");
    // A stranger enters so many others that both make way, and says something in each.
    let [mut eve] = server.enter(["eve"]);
    for i in 0..110 {
        eve.says(&format!("/join room{i}\nhi"));
    }
    eve.asks_until("/rooms", "*** Rooms:");
    eve.hears_until("***   room109 ");
    let finds = |client: &mut Client| {
        for (room, topic) in [("Quiet", "hush"), ("lobby2", "two"), ("lobby", "all")] {
            client.says(&format!("/join {room}"));
            let line = client.hears_until("*** Topic of ");
            assert_eq!(line, format!("*** Topic of {room}: {topic} (set by alice)"));
            client.has_read_everything();
        }
    };
    finds(&mut eve);
    drop((alice, eve, server));
    let server = folder.start("");
    let mut bob = server.connect("bob");
    bob.asks_until("bob", "*** Topic of lobby: all (set by alice)");
    bob.says("/join elsewhere");
    finds(&mut bob);
}

#[test]
fn a_guest_whose_name_is_an_accounts_now_reads_no_address() {
    let folder = Folder::with_administrator(&["boss"]);
    let server = folder.start("");
    let mut guest = server.lets_in("anna");
    folder.run("account add anna");
    let mut boss = server.logs_in("boss");
    let comes = || {
        eventually("the server knows of the account", || {
            let (mut anna, told) = comes_from_elsewhere(&server, "anna");
            anna.says(PASSWORD);
            told.starts_with("*** anna is registered.") && {
                anna.hears_until("*** You are in lobby");
                true
            }
        });
    };
    comes();
    guest.hears_until("*** Hung up: your name is an account's now, and its owner has logged in.");
    guest.is_hung_up();
    boss.hears_until("*** anna left lobby (the name is an account's)");
    let mut anna = server.logs_in("anna");
    comes();
    anna.hears_until("*** Hung up: you logged in again, from another address.");
    server.logs("the account logged in again, from 127.0.0.2");
}

#[test]
fn guests_have_their_share_of_a_mailbox_over_restarts() {
    let folder = Folder::with_administrator(&["boss"]);
    let refused = "*** boss is away, and 50 messages wait there from people who are not registered, which is the most.";
    for (name, count) in [("bob", 30), ("carol", 20), ("dave", 0)] {
        let server = folder.start("--flood off");
        let mut guest = server.lets_in(name);
        for i in 0..count {
            guest.asks_until(&format!("/msg boss {i}"), "*** boss is away: your message is kept.");
        }
        match name {
            "bob" => {}
            _ => drop(guest.asks_until("/msg boss one too many", refused)),
        }
    }
}
