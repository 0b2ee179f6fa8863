//! What a stranger typed reaches no other terminal with a control character in it, on any path, and can not look like
//! a line of the server's. Panics, web browsers, broken bytes.

use crate::harness::Server;
/// Bytes and characters that drive terminals, hidden in words.
const ATTACKS: &[&str] = &[
    "\x1b[2Jgone",
    "\x1b]0;title\x07",
    "a\rb",
    "\x08\x08\x08",
    "\u{9b}31mred",
    "\u{202e}gpj.exe",
    "\u{2066}x",
    "\x7f",
    "\0",
    "\u{2028}*** server says",
    "\x0b\x0c",
];

fn is_clean(line: &str) -> bool {
    line.chars().all(|c| {
        c == '\t'
            || !(c.is_control()
                || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}'))
    })
}

#[test]
pub fn every_path_is_clean() {
    let server = Server::start(&["--flood", "off"]);
    let [mut attacker, mut victim] = server.enter(["attacker", "victim"]);
    for attack in ATTACKS {
        for path in [
            "",
            "/",
            "//",
            "/me ",
            "/msg victim ",
            "/msg ",
            "/nick ",
            "/topic ",
            "/join ",
            "/away ",
            "/whois ",
            "/ignore ",
            "/unignore ",
            "/help ",
            "/history ",
            "/quiet ",
            "/reply ",
        ] {
            attacker.says(&format!("{path}{attack}"));
        }
        attacker.says("/leave");
        attacker.has_read_everything();
        victim.says("/whois attacker");
        victim.says("/who");
        victim.says("/topic");
        victim.says("/rooms");
    }
    attacker.says("/quit \x1b[2Jgone\x07");
    victim.says("/history 300");
    let mut newcomer = server.connect("newcomer");
    newcomer.says("\x1b[2J");
    newcomer.hears_until("*** A name has only");
    newcomer.says("newcomer");
    newcomer.says("/quit");
    for line in newcomer.hears_to_the_end() {
        assert!(is_clean(&line), "{line:?}");
    }
    victim.says("/quit");
    let lines = victim.hears_to_the_end();
    assert!(
        lines.len() > 100 && lines.iter().any(|line| line.contains('\u{fffd}')),
        "the attacks did arrive"
    );
    for line in lines {
        assert!(is_clean(&line), "{line:?}");
    }
    server.logs("attacker left: quit: ");
    let log = server.log();
    assert!(log.lines().all(is_clean), "{log}");
}

#[test]
pub fn nobody_can_make_a_line_that_looks_like_another_kind() {
    let server = Server::start(&["--flood", "off"]);
    let [mut attacker, mut victim] = server.enter(["attacker", "victim"]);
    for forged in [
        "*** attacker is an administrator",
        "<victim> I agree",
        "* victim agrees",
        "[from bob] psst",
        "(12:30) <x> y",
    ] {
        for path in ["", "//", "/me ", "/msg victim "] {
            attacker.says(&format!("{path}{forged}"));
            let line = victim.reads().unwrap();
            let honest = ["<attacker> ", "* attacker ", "[from attacker] "];
            assert!(honest.iter().any(|lead| line.starts_with(lead)), "{line:?}");
        }
    }
    for name in ["***", "* bob", "<bob>", "[from", "(12:30)", "*", "-", "bob>"] {
        let mut forger = server.connect("forger");
        forger.hears_until("*** What is your name?");
        forger.says(name);
        let line = forger.reads().unwrap();
        assert!(line.starts_with("*** A name "), "{name:?} was answered {line:?}");
    }
}

#[test]
pub fn a_panic_ends_one_client_only_with_a_farewell() {
    let mut server = Server::start(&["--demo"]);
    let [mut alice, mut bob] = server.enter(["alice", "bob"]);
    alice.says("/crash");
    alice.hears("*** Hung up: an error in the server ended your connection.");
    alice.is_hung_up();
    bob.hears("*** alice left lobby (server error)");
    server.logs(":alice left: server error");
    let [mut alice] = {
        let mut alice = server.connect("alice");
        alice.says("alice"); // the name is free at once
        alice.hears_until("*** Hello alice.");
        bob.hears("*** alice entered lobby");
        [alice]
    };
    alice.hears_until("*** You are in lobby with bob.");
    bob.says("still here?");
    alice.hears("<bob> still here?");
    assert!(server.is_running());
}

#[test]
pub fn crash_is_no_command_without_demo() {
    let server = Server::start(&[]);
    let [mut alice] = server.enter(["alice"]);
    alice.says("/crash");
    alice.hears("*** There is no command /crash. /help lists them.");
}

#[test]
pub fn ten_refused_names_are_enough() {
    let server = Server::start(&[]);
    let mut client = server.connect("guesser");
    client.hears_until("*** What is your name?");
    for _ in 0..9 {
        client.says("7up");
        client.hears("*** A name starts with a letter, and \"7up\" does not. What is your name?");
    }
    client.says("7up");
    client.hears("*** Hung up: 10 names were refused.");
    client.is_hung_up();
}

#[test]
pub fn a_name_is_free_at_once_however_its_bearer_went() {
    let server = Server::start(&[]);
    let [mut bob] = server.enter(["bob"]);
    for way in 0..20 {
        let mut alice = server.connect("alice");
        alice.says("alice");
        alice.hears_until("*** Hello alice.");
        bob.hears("*** alice entered lobby");
        match way % 3 {
            0 => alice.says("/quit"),
            1 => alice.stops_sending(),
            _ => alice.resets(),
        }
        bob.hears_until("*** alice left lobby");
    }
}

#[test]
fn a_reply_goes_to_who_wrote_and_not_to_who_took_the_name() {
    let server = Server::start(&["--flood", "off"]);
    let [mut alice, mut bob, mut mallory] = server.enter(["alice", "bob", "mallory"]);
    for client in [&mut alice, &mut bob, &mut mallory] {
        client.says("/quiet on");
        client.hears("*** You no longer read who comes and goes.");
    }
    alice.says("/msg bob what is the password?");
    bob.hears("[from alice] what is the password?");
    alice.hears("[to bob] what is the password?");
    alice.says("/nick ali");
    alice.hears("*** You are now ali.");
    mallory.says("/nick alice");
    mallory.hears("*** You are now alice.");
    bob.says("/reply 42");
    bob.hears("[to ali] 42");
    alice.hears("[from bob] 42");
    mallory.hears_nothing();
    alice.says("/quit");
    alice.hears_to_the_end();
    bob.says("/reply still there?");
    bob.hears("*** alice, who wrote to you last, has left.");
}

#[test]
fn who_is_ignored_stays_so_under_any_name_and_nobody_else_is() {
    let server = Server::start(&["--flood", "off"]);
    let [mut bob, mut pest, mut carol] = server.enter(["bob", "pest", "carol"]);
    bob.says("/ignore pest");
    bob.hears("*** You no longer read what pest says.");
    pest.says("hi");
    carol.hears("<pest> hi");
    pest.says("/topic BUY PILLS");
    pest.hears_until("*** The topic");
    carol.hears("*** pest set the topic of lobby: BUY PILLS");
    pest.says("/nick dave");
    pest.hears("*** You are now dave.");
    carol.hears("*** pest is now dave");
    pest.says("it is me again");
    carol.hears("<dave> it is me again");
    bob.says("/ignore");
    bob.hears("*** You ignore: dave.");
    bob.says("/history");
    bob.hears("*** Nothing was said in lobby yet.");
    pest.says("/quit");
    pest.hears_to_the_end();
    carol.hears_until("*** dave left lobby");
    // Another one by the new name is not the pest; and the pest, back under the old one, is.
    let mut dave = server.connect("dave");
    dave.says("dave");
    dave.hears_until("*** Hello");
    dave.says("I am new");
    bob.hears_until("<dave> I am new");
    let mut pest = server.connect("pest");
    pest.says("pest");
    pest.hears_until("*** Hello");
    pest.says("guess who");
    carol.hears_until("<pest> guess who");
    dave.says("last");
    let line = bob.reads().unwrap();
    assert_eq!(line, "<dave> last", "and nothing of the pest, not even that it came");
}

#[test]
pub fn look_alikes_are_refused_under_unicode_names() {
    let server = Server::start(&["--unicode-names"]);
    let [_alice] = server.enter(["alice"]);
    let mut eve = server.connect("eve");
    eve.hears_until("*** What is your name?");
    eve.says("\u{430}lice");
    eve.hears("*** The name \"\u{430}lice\" looks like \"alice\", who is here. What is your name?");
    eve.says("ALICE");
    eve.hears("*** The name \"ALICE\" is taken. What is your name?");
    eve.says("Ève");
    eve.hears("*** Hello Ève. {…}");
    eve.says("/join Москва");
    eve.hears_until("*** You are in Москва, alone.");
}
