//! What a stranger typed reaches no other terminal with a control character in it, on any path, and can not look like
//! a line of the server's. Panics, web browsers, broken bytes.

use crate::harness::{Server, script::hold};

/// Bytes and characters that drive terminals, hidden in words.
const ATTACKS: &str = "\x1b[2Jgone|\x1b]0;title\x07|a\rb|\x08\x08\x08|\u{9b}31mred|\u{202e}gpj.exe|\u{2066}x|\x7f|\0|\
    \u{2028}*** server says|\x0b\x0c";
/// The ways to other people's terminals.
const PATHS: &str = "|/|//|/me |/msg victim |/msg |/nick |/topic |/join |/away |/whois |/ignore |/unignore |\
    /help |/history |/quiet |/reply ";

fn is_clean(line: &str) -> bool {
    let drives = |c| matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    line.chars().all(|c| c == '\t' || !(c.is_control() || drives(c)))
}

#[test]
fn every_path_is_clean() {
    let server = Server::start("--flood off");
    let [mut attacker, mut victim] = server.enter(["attacker", "victim"]);
    for attack in ATTACKS.split('|') {
        for path in PATHS.split('|') {
            attacker.says(&format!("{path}{attack}"));
        }
        attacker.says("/leave");
        attacker.has_read_everything();
        victim.says("/whois attacker\n/who\n/topic\n/rooms");
    }
    attacker.says("/quit \x1b[2Jgone\x07");
    victim.says("/history 300");
    let mut newcomer = server.connect("newcomer");
    newcomer.asks_until("\x01[2J", "*** A name has only");
    newcomer.says("newcomer\n/quit");
    victim.says("/quit");
    let lines = victim.hears_to_the_end();
    let have_arrived = lines.len() > 100 && lines.iter().any(|line| line.contains('\u{fffd}'));
    assert!(have_arrived, "the attacks did arrive");
    server.logs(" left: quit: gone");
    let log: Vec<String> = server.log().lines().map(str::to_owned).collect();
    for line in [newcomer.hears_to_the_end(), lines, log].concat() {
        assert!(is_clean(&line), "{line:?}");
    }
}

/// All characters in lines of 250, each after a letter of its own, so that marks have something to stand on.
fn lines_of(characters: impl Iterator<Item = char>) -> Vec<String> {
    let characters: Vec<char> =
        characters.filter(|c| !matches!(c, '\n' | '\x08' | '\x15' | '\x7f')).collect();
    characters.chunks(200).map(|few| few.iter().flat_map(|c| ['a', *c]).collect()).collect()
}

/// What is typed: every code point as talk, and those that may be more than a sign on every other path. (Keys that take
/// back are left out here: `keys_take_back_in_names_passwords_commands_and_talk`.)
#[test]
fn no_code_point_that_is_forbidden_leaves_by_any_path() {
    let server = Server::start("--flood off --unicode-names");
    let [mut attacker, mut victim] = server.enter(["attacker", "victim"]);
    let talk = lines_of('\0'..=char::MAX);
    let odd = ('\0'..'\u{2100}').chain('\u{fe00}'..='\u{ffff}').chain('\u{e0000}'..'\u{e0200}');
    let mut lines = talk.clone();
    for path in ["/me ", "/msg victim ", "/topic ", "/away "] {
        lines.extend(lines_of(odd.clone()).into_iter().map(|line| format!("{path}{line}")));
    }
    let names = "\0\t\u{9b}\u{85}\u{a0}\u{200b}\u{202e}\u{2028}\u{2066}\u{feff}\u{e0041}\u{301}\u{64b}\u{3000}";
    for c in names.chars() {
        lines.extend(["/nick ", "/join ", "/msg ", "/whois "].map(|path| format!("{path}x{c}y")));
    }
    lines.extend(["/join lobby".to_owned(), format!("/quit {}", &talk[0])]);
    let heard = std::thread::spawn(move || {
        let mut heard = Vec::new();
        while heard
            .last()
            .is_none_or(|line: &String| !line.contains(" left ") || !line.contains("quit"))
        {
            heard.push(victim.reads().unwrap());
        }
        heard
    });
    let quit = lines.pop().unwrap();
    for some in lines.chunks(50) {
        attacker.says(&some.join("\n"));
        attacker.has_read_everything(); // or they would be a slow consumer
    }
    attacker.says(&quit);
    let told = attacker.hears_to_the_end();
    let heard = heard.join().unwrap_or_else(|_| panic!("{:?}: {}", told.last(), server.log()));
    assert!(heard.len() > talk.len(), "the lines did arrive");
    server.logs(" left: quit");
    for line in heard.iter().chain(&told).map(String::as_str).chain(server.log().lines()) {
        assert!(is_clean(line), "{line:?}");
    }
}

#[test]
fn nobody_can_make_a_line_that_looks_like_another_kind() {
    let server = Server::start("--flood off");
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
        forger.asks(name, "*** A name {…}");
    }
}

#[test]
fn a_panic_ends_one_client_only_and_tells_it() {
    let mut server = Server::start("--demo");
    let [mut alice, mut bob] = server.enter(["alice", "bob"]);
    alice.asks("/crash", "*** Hung up: an error in the server ended your connection.");
    alice.is_hung_up();
    bob.hears("*** alice left lobby (server error)");
    server.logs(":alice left: server error");
    let mut alice = server.lets_in("alice"); // the name is free at once
    bob.hears("*** alice entered lobby");
    alice.hears_until("*** You are in lobby with bob.");
    bob.says("still here?");
    alice.hears("<bob> still here?");
    assert!(server.is_running());
}

#[test]
fn crash_is_no_command_without_demo() {
    hold(
        "",
        "@ alice\n alice > /crash\n alice < *** There is no command /crash. /help lists them.",
    );
}

#[test]
pub fn a_name_is_free_at_once_however_its_owner_went() {
    let server = Server::start("");
    let [mut bob] = server.enter(["bob"]);
    for way in 0..20 {
        let mut alice = server.lets_in("alice");
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
fn a_reply_goes_to_whoever_wrote_and_not_to_the_next_one_with_that_name() {
    hold(
        "--flood off",
        "@ alice bob mallory
        alice > /msg bob what is the password?
        bob < [from alice] what is the password?
        alice < [to bob] what is the password?
        alice > /nick ali
        alice < *** You are now ali.
        bob < *** alice is now ali
        mallory < *** alice is now ali
        mallory > /nick alice
        mallory < *** You are now alice.
        alice < *** mallory is now alice
        bob < *** mallory is now alice
        bob > /reply 42
        bob < [to ali] 42
        alice < [from bob] 42
        alice > /quit
        bob < *** ali left lobby (quit)
        mallory < *** ali left lobby (quit)
        bob > /reply still there?
        bob < *** alice, who wrote to you last, has left.
        alice < *** Goodbye.
        alice x",
    );
}

#[test]
fn one_that_is_ignored_stays_so_under_any_name_and_nobody_else_is() {
    hold(
        "--flood off",
        "@ bob pest carol
        bob > /ignore pest
        bob < *** You no longer read what pest says.
        pest > hi
        carol < <pest> hi
        pest > /topic BUY PILLS
        pest << *** The topic
        carol < *** pest set the topic of lobby: BUY PILLS
        pest > /nick dave
        pest < *** You are now dave.
        carol < *** pest is now dave
        pest > it is me again
        carol < <dave> it is me again
        bob > /ignore
        bob < *** You ignore: dave.
        bob > /history
        bob < *** All of that was said by people whom you ignore.
        - pest
        carol << *** dave left lobby
        + dave
        dave > dave
        dave << *** Hello
        dave << *** End of the history.
        dave > I am new, and not the pest
        carol << <dave> I am new
        bob << <dave> I am new
        + pest
        pest > pest
        pest << *** Hello
        pest << *** End of the history.
        pest > I am the pest again, and bob does not even read that I came
        carol << <pest> I am
        dave << <pest> I am
        dave > last
        bob < <dave> last
        carol < <dave> last
        pest < <dave> last",
    );
}

#[test]
fn look_alikes_are_refused_under_unicode_names() {
    hold(
        "--unicode-names",
        "@ alice
        + eve
        eve << *** What is your name?
        eve > \u{430}lice
        eve < *** The name \"\u{430}lice\" looks like \"alice\", who is here. What is your name?
        eve > ALICE
        eve < *** The name \"ALICE\" is taken. What is your name?
        eve > Ève
        eve < *** Hello Ève. {…}
        eve > /join Москва
        eve << *** You are in Москва, alone.
        alice < *** Ève entered lobby
        alice < *** Ève left lobby (went to Москва)",
    );
}
