//! Commands of other chats, and slips: what is answered, and that nothing is done.

use super::*;

/// What people type elsewhere, and the beginning of what they are told.
const ELSEWHERE: &[(&str, &str)] = &[
    ("w dm tell whisper query m pm privmsg notice message", "Here it is /msg NAME TEXT."),
    ("r", "Here it is /reply TEXT."),
    ("j channel create", "Here it is /join ROOM."),
    ("part lobby", "Here it is /leave."),
    ("list channels", "Here it is /rooms."),
    ("users members online n userlist", "Here it is /names, or /who."),
    ("wi finger", "Here it is /whois NAME."),
    ("lastlog last grep find", "Here it is /search WORDS."),
    ("? h man cmds", "Here it is /help [COMMAND|all]."),
    ("backlog scrollback logs", "Here it is /history "),
    ("exit bye logout disconnect", "Here it is /quit [WHY]."),
    ("q", "Here it is /quit [WHY], or /msg NAME TEXT."),
    ("name rename", "Here it is /nick NAME."),
    ("afk brb", "Here it is /away [WHY]."),
    ("block", "Here it is /ignore [NAME]."),
    ("unblock", "Here it is /unignore NAME."),
    ("identify nickserv", "Here it is /login NAME [PASSWORD], or /register [PASSWORD]."),
    ("passwd pass passwrd", "Here it is /password."),
    ("commands man h", "Here it is /help "),
    ("kickban gline", "Here it is /ban NAME|ADDRESS [FOR] [WHY] (for administrators)."),
    ("timeout gag", "Here it is /mute NAME [FOR] [WHY] (for administrators)."),
    ("shout wall", "Here it is /announce TEXT (for administrators)."),
    ("vote", "Here it is /answer [LETTER]."),
    ("poll", "Here it is /class [QUESTION | ANSWER | ANSWER …|close] (for administrators)."),
    ("freeze", "Here it is /pause (for administrators)."),
    ("say", "What you type without it is said; //TEXT says /TEXT."),
    ("motd", "The message of the day is shown to whoever comes in."),
    ("ping", "Whoever is answered at all is connected: /whoami."),
    ("invite", "Nobody needs an invitation to a room"),
    ("op deop voice oper sudo", "Whoever runs the server makes administrators"),
    ("mode", "Rooms have no modes."),
    ("clear", "Clearing the screen is for your terminal to do"),
    ("window exec server reconnect", "That is for a chat program to do"),
    ("shrug giphy tableflip", "/help lists them."),
];

#[test]
fn what_people_type_elsewhere_is_answered_and_not_carried_out() {
    let mut chat = Conversation::new();
    for (words, told) in ELSEWHERE {
        for word in words.split(' ') {
            for typed in [format!("/{word}"), format!("/{} bob hello", word.to_uppercase())] {
                let answer = chat.is_told(ALICE, &typed);
                let expected = format!("*** There is no command /{word}. {told}");
                assert!(answer.starts_with(&expected), "{typed}: {answer}");
                assert_eq!(answer.lines().count(), 1, "{answer}");
                assert_eq!(chat.reads(BOB), "", "{typed}");
                assert_eq!(chat.finishes(), [], "{typed}");
            }
        }
    }
    assert!(chat.closed.is_empty());
}

#[test]
fn who_asks_nickserv_is_told_what_there_is_instead() {
    let mut chat = Conversation::new();
    for typed in ["/msg NickServ identify hunter22", "/msg nickserv register hunter22 a@b"] {
        let told = chat.is_told(BOB, typed);
        assert!(told.starts_with("*** There is no NickServ here: /register keeps"), "{told}");
        assert_eq!((chat.finishes(), chat.logs().join(" ").contains("hunter22")), (vec![], false));
    }
}

/// Two words of elsewhere mean the same here, or one of them is never found.
#[test]
fn no_word_of_elsewhere_is_a_command_here() {
    let is_here = |word: &str| Table::default().rows().any(|row| row.name == word);
    for (words, _) in ELSEWHERE {
        assert_eq!(words.split(' ').find(|word| is_here(word)), None);
    }
}

#[test]
fn a_guess_that_is_not_good_is_not_made() {
    for (typed, near) in [
        ("wo", Some("who")),
        ("helo", Some("help")),
        ("hepl", Some("help")),
        ("joim", Some("join")),
        ("tim", Some("timestamps")),
        ("hist", Some("history")),
        ("anounce", Some("announce")),
        ("unregsiter", Some("unregister")),
        ("xyz", None),
        ("ash", Some("ask")),
        ("un", None),
        ("g", None),
        ("v", None),
        ("saerhc", Some("search")),
        ("qiut2", None),
        ("wink", None),
        ("slap", None),
        ("wave", None),
    ] {
        let told = Table::default().find(typed).err().unwrap();
        let expected = match near {
            Some(near) => format!("Did you mean /{near}?"),
            None => "/help lists them.".to_owned(),
        };
        assert!(told.ends_with(&expected), "{typed}: {told}");
    }
}
