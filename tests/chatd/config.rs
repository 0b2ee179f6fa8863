//! `--config FILE`: options from a file, what is wrong in one, and what changes when it is read again.

use crate::harness::{Client, Folder, Program, Server, tls, wait_for};
use std::fs;

/// A folder with this file in it, and a message of the day.
fn folder(config: &str) -> Folder {
    let folder = Folder::new();
    fs::write(folder.path("chatd.toml"), config).unwrap();
    fs::write(folder.path("motd.txt"), "Welcome.\n").unwrap();
    folder
}

#[test]
fn a_file_says_what_one_could_have_typed_and_what_is_typed_overrides_it() {
    let folder = folder(
        "# for a class\nthreads-max = 1_000\nmotd = \"motd.txt\"\nanonymous = false\nflood = \"5/1\"\n\
         web-name = [\"chat.example\", \"chat\"]\nhistory-days = 7\nlisten = []\n",
    );
    let shown = folder.run("--config chatd.toml --threads-max 2 --demo config show");
    for line in [
        "threads-max = 2  # the command line",
        "demo = true  # the command line",
        "motd = \"motd.txt\"  # chatd.toml:3",
        "anonymous = false  # chatd.toml:4",
        "flood = \"5/1\"  # chatd.toml:5",
        "web-name = [\"chat.example\", \"chat\"]  # chatd.toml:6",
        "history-days = 7  # chatd.toml:7",
        "# ghost-after: 60",
        "# db: chatd.db",
    ] {
        assert!(shown.lines().any(|it| it == line), "{line}\n{shown}");
    }
    // What it shows is such a file.
    fs::write(folder.path("shown.toml"), &shown).unwrap();
    let again = folder.run("--config shown.toml config show");
    let values = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.split("  #").next().unwrap().to_owned()).collect()
    };
    assert_eq!(values(&again), values(&shown));
    let shown = folder.run("--config chatd.toml --anonymous config show");
    assert!(shown.contains("anonymous = true  # the command line\n"), "{shown}");
    let says = folder.run("--config chatd.toml config check");
    assert_eq!(says, "chatd.toml is fine: it sets 7 options.\n");

    fs::write(folder.path("one.toml"), "demo = true").unwrap();
    let says = folder.run("--config one.toml config check");
    assert_eq!(says, "one.toml is fine: it sets 1 option.\n");

    let server = folder.start("--config chatd.toml --threads-max 1");
    let mut ann = server.lets_in("ann");
    ann.hears("*** Welcome.");
    let mut bob = server.connect("bob");
    bob.hears_until("*** Sorry: the only place is taken.");
}

#[test]
fn what_is_wrong_in_a_file_is_named_with_its_line() {
    for (config, says) in [
        (
            "\nthread-max = 40",
            "chatd.toml:2: there is no option thread-max. Did you mean threads-max?",
        ),
        ("histroy-dais = 7", "there is no option histroy-dais. Did you mean history-days?"),
        ("xyzzy = 1", "chatd.toml:1: there is no option xyzzy. chatd --help lists them."),
        ("version = true", "chatd.toml:1: there is no option version."),
        ("[server]\nlisten = 1", "chatd.toml:1: there is no option server."),
        (
            "threads-max = \"many\"",
            "chatd.toml:1: Error parsing option '--threads-max' with value 'many'",
        ),
        (
            "threads-max = 1.5",
            "chatd.toml:1: threads-max is a text in quotation marks, or a number",
        ),
        ("threads-max = [1, 2]", "chatd.toml:1: threads-max has one value, and no list of them"),
        ("demo = \"yes\"", "chatd.toml:1: demo is true or false"),
        ("demo = true\n\nlog = loud", "chatd.toml:3: "),
        ("demo = true\ndemo = true", "chatd.toml:2: duplicate key"),
        ("threads-max = 0", "--threads-max 0 would let nobody in. Give 1 or more."),
        ("motd = \"none.txt\"", "cannot read the message of the day from none.txt"),
    ] {
        let folder = folder(config);
        for command in ["--config chatd.toml config check", "--config chatd.toml --web none"] {
            let said = folder.fails(command, "");
            assert!(said.contains(says), "{config}: {said}");
        }
        assert!(!folder.path("chatd.db").exists(), "nothing is begun");
    }
    let folder = folder("");
    assert!(folder.fails("--config no.toml config check", "").contains("cannot read no.toml"));
    assert!(
        folder.fails("config check", "").contains("No file is given"),
        "a script is not told that all is well"
    );
    fs::write(folder.path("large.toml"), "#".repeat(65 * 1024)).unwrap();
    assert!(folder.fails("--config large.toml", "").contains("it has more than 65536 bytes"));
}

/// Waits until the server has said so in its log, and returns the line.
#[track_caller]
fn logged(server: &Server, after: usize) -> String {
    let lines = || {
        server.log().lines().filter(|it| it.contains("the options w")).map(str::to_owned).collect()
    };
    wait_for(
        || {
            let all: Vec<String> = lines();
            all.into_iter().nth(after)
        },
        || server.log(),
    )
}

#[cfg(unix)]
#[test]
fn what_may_change_is_read_again_on_sighup_and_nobody_is_hung_up() {
    let folder = folder("motd = \"motd.txt\"\nlog = \"info\"\n");
    let mut server = folder.start("--config chatd.toml");
    let [mut ann] = server.enter(["ann"]);
    let reload = |server: &Server, number: usize, says: &str| {
        server.signal("HUP");
        let line = logged(server, number);
        assert!(line.ends_with(says), "{line}");
    };
    reload(&server, 0, "the options were read again: nothing has changed");
    fs::write(folder.path("motd.txt"), "Exam on Friday.\n").unwrap();
    reload(&server, 1, "the options were read again: changed: motd");
    let config = "motd = \"motd.txt\"\nlog = \"info\"\nflood = \"2/1\"\nthreads-max = 7\n";
    fs::write(folder.path("chatd.toml"), config).unwrap();
    reload(&server, 2, "changed: flood; after a restart: threads-max");
    fs::write(folder.path("chatd.toml"), "flod = \"2/1\"\n").unwrap();
    let wrong = "as before: chatd.toml:1: there is no option flod. Did you mean flood?";
    reload(&server, 3, wrong);
    // Nobody writes to this pipe, and who opened it would wait.
    fs::remove_file(folder.path("chatd.toml")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(folder.path("chatd.toml")).status();
    assert!(made.unwrap().success());
    reload(&server, 4, "as before: cannot read chatd.toml: it is no ordinary file");
    fs::remove_file(folder.path("chatd.toml")).unwrap();
    let mut bob = server.connect("bob");
    bob.asks_until("bob", "*** Hello bob.");
    bob.hears("*** Exam on Friday.");
    ann.hears("*** bob entered lobby");
    // A limit holds for whoever connects from then on, and a log of errors alone is silent.
    fs::write(folder.path("chatd.toml"), "log = \"error\"\n").unwrap();
    server.signal("HUP");
    drop(bob);
    ann.hears_until("*** bob left lobby");
    server.signal("TERM");
    assert_eq!(server.exit_code(), Some(0));
    assert!(!server.log_to_the_end().contains("every thread has ended"));
}

/// Between the rehearsal and the upgrade somebody may save the file of options, and once more a moment later.
#[cfg(target_os = "linux")]
#[test]
fn options_that_are_wrong_at_that_moment_are_waited_for() {
    use crate::upgrade::{fails, folder, install, start};
    let folder = folder();
    let file = folder.path("chatd.toml");
    fs::write(&file, "").unwrap();
    let server =
        start(&folder, &format!("--config chatd.toml --tls 127.0.0.1:0 {}", tls::options()));
    let [mut ann, mut bob] = server.enter(["ann", "bob"]);
    let encrypted = server.also_at("listening for TLS on ");
    let mut eve = None;
    Program::Tls.keeps_here(|| eve = Some(Client::connect(encrypted, "eve")));
    let mut eve = eve.unwrap();
    eve.asks_until("eve", "*** Hello eve.");
    fs::write(&file, "flod = 1").unwrap();
    fails(&server, "the new program refuses: chatd.toml:1: there is no option flod. ");
    eve.asks_until("/who", "***   eve"); // nobody was asked to come back for that
    fs::write(&file, "").unwrap();
    let saves = "[ \"$CHATD_UPGRADE\" = rehearse ] || echo 'flod = 1' > chatd.toml";
    install(&folder, &format!("{saves}\nexec {} \"$@\"", env!("CARGO_BIN_EXE_chatd")));
    server.signal("USR2");
    eve.hears_until("*** Hung up: the server is upgraded.");
    server.logs("It is tried again for 3s.");
    fs::write(&file, "").unwrap();
    server.logs("this program has taken over, 2 clients connected");
    bob.hears_until("*** eve left lobby");
    ann.says("hi");
    bob.hears("<ann> hi");
}

/// The place of systemd: what the server tells it, a message a line.
#[cfg(unix)]
#[test]
fn a_manager_of_services_is_told_what_it_wants_to_know() {
    use std::os::unix::net::UnixDatagram;
    let folder = folder("motd = \"motd.txt\"\n");
    let manager = UnixDatagram::bind(folder.path("notify")).unwrap();
    manager.set_read_timeout(Some(crate::harness::DEADLINE)).unwrap();
    let hears = |text: &str| {
        let mut bytes = [0; 256];
        let read = loop {
            match manager.recv(&mut bytes) {
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                read => break read.unwrap_or_else(|e| panic!("waits for {text}: {e}")),
            }
        };
        String::from_utf8_lossy(&bytes[..read]).into_owned()
    };
    let hears_until = |text: &str| {
        while !hears(text).lines().any(|line| line == text) {}
    };
    let mut command = folder.chatd("--listen 127.0.0.1:0 --web none --db none --motd motd.txt");
    command.env("NOTIFY_SOCKET", folder.path("notify"));
    let mut server = Server::start_program(command);
    assert_eq!(hears("READY"), "READY=1\n");
    assert_eq!(hears("STATUS"), "STATUS=0 of 512 clients\n");
    let [_ann] = server.enter(["ann"]);
    hears_until("STATUS=1 of 512 clients");
    hears_until("WATCHDOG=1");
    server.signal("HUP"); // as for every service that can reload, also without --config
    hears_until("RELOADING=1");
    hears_until("READY=1");
    assert!(logged(&server, 0).ends_with("the options were read again: nothing has changed"));
    server.signal("TERM");
    hears_until("STOPPING=1");
    assert_eq!(server.exit_code(), Some(0));
}
