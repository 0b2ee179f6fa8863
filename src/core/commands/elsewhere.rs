//! What people type who come from somewhere else: IRC, Slack, Discord, a game, a shell. Nothing of
//! it is carried out, because a word may mean two things. They are told what it is called here.

/// What a command of somewhere else means here.
pub(super) enum Meaning {
    /// One of these commands.
    Is(&'static [&'static str]),
    /// There is nothing like it.
    Sentence(&'static str),
}

/// The words, and the commands that they mean.
const COMMANDS: &[(&str, &[&str])] = &[
    ("w dm dms tell whisper query m pm message priv private privmsg notice pn", &["msg"]),
    ("r re respond", &["reply"]),
    ("q", &["quit", "msg"]),
    ("t", &["topic", "msg"]),
    ("exit bye logout disconnect signoff logoff stop end qui part-all", &["quit"]),
    ("j channel chan room goto go enter open cd switch create new", &["join"]),
    ("part lobby home hub close", &["leave"]),
    ("list channels chans chanlist ls roomlist", &["rooms"]),
    ("users user members member online n people userlist memberlist present", &["names", "who"]),
    ("wi wii whowas finger profile info", &["whois"]),
    ("lastlog last grep find lookup scan", &["search"]),
    ("backlog scrollback log logs recent past playback chathistory", &["history"]),
    ("name rename setname username setnick alias handle", &["nick"]),
    ("title subject settopic description", &["topic"]),
    ("em emote action act pose", &["me"]),
    ("afk brb busy dnd gone status", &["away"]),
    ("unaway returned", &["back"]),
    ("block hide squelch", &["ignore"]),
    ("unblock unhide unsquelch", &["unignore"]),
    ("reg signup", &["register"]),
    ("identify auth signin nickserv ns chanserv cs", &["login", "register"]),
    ("passwd pass pw passwrd setpass setpassword changepassword", &["password"]),
    ("drop deleteaccount", &["unregister"]),
    ("id uid account", &["whoami"]),
    ("? h commands command cmds cmd man usage helpop", &["help"]),
    ("inbox mailbox messages memo memoserv offline", &["mail"]),
    ("raise raisehand handup lower", &["hand"]),
    ("question report modmail helpme teacher", &["ask"]),
    ("vote choose", &["answer"]),
    ("poll quiz survey", &["class"]),
    ("wall wallops broadcast global amsg ame shout yell everyone here", &["announce"]),
    ("k boot eject", &["kick"]),
    ("kb kickban kban bk gline kline zline", &["ban"]),
    ("pardon unkban", &["unban"]),
    ("banlist blacklist", &["bans"]),
    ("timeout gag silence shun", &["mute"]),
    ("ungag unsilence unshun untimeout", &["unmute"]),
    ("freeze slowmode slow moderate", &["pause"]),
    ("unfreeze", &["resume"]),
    ("purge delete del rm redact prune erase unsay", &["remove"]),
    ("die kill restart shutdownnow halt", &["shutdown"]),
    ("time date clock times", &["timestamps"]),
    ("nojoins joins", &["quiet"]),
    ("stats version uptime lusers top ps", &["threads"]),
];

/// The words, and what is said about them.
const SENTENCES: &[(&str, &str)] = &[
    ("say", "What you type without it is said; //TEXT says /TEXT."),
    ("motd rules", "The message of the day is shown to whoever comes in."),
    ("ping", "Whoever is answered at all is connected: /whoami."),
    ("invite", "Nobody needs an invitation to a room: /msg NAME TEXT tells them where you are."),
    (
        "op deop voice devoice halfop oper admin mod promote demote sudo su",
        "Whoever runs the server makes administrators: chatd account promote NAME. With the code on its console, /instructor CODE gives you their rights.",
    ),
    ("mode modes", "Rooms have no modes. Administrators have /pause, /mute and /ban."),
    ("edit", "What was said is not changed any more."),
    ("cls clear", "Clearing the screen is for your terminal to do: Ctrl-L, in most."),
    (
        "server connect reconnect window win buffer exec set bind script load dcc ctcp",
        "That is for a chat program to do, and not for the server.",
    ),
];

/// What a command of somewhere else means here, if that is known.
pub(super) fn meaning(name: &str) -> Option<Meaning> {
    let has = |words: &str| words.split(' ').any(|word| word == name);
    let commands = COMMANDS.iter().find(|(words, _)| has(words));
    let sentence = || SENTENCES.iter().find(|(words, _)| has(words));
    commands
        .map(|(_, commands)| Meaning::Is(commands))
        .or_else(|| sentence().map(|(_, sentence)| Meaning::Sentence(sentence)))
}
