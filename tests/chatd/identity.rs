//! Who somebody is comes before what is done to them: administrators, sanctions, names and the floor, on a real server.

use crate::harness::{Client, Folder, Server};

const PASSWORD: &str = "correct horse";

/// A folder with a database in which these have accounts; the first is an administrator.
fn accounts(names: &[&str]) -> Folder {
    let folder = Folder::new();
    names.iter().for_each(|name| drop(folder.run(&format!("account add {name}"))));
    folder.run(&format!("account promote {}", names[0]));
    folder
}

fn logs_in(server: &Server, name: &str) -> Client {
    let mut client = server.connect(name);
    client.asks_until(name, &format!("*** {name} is registered."));
    client.says(PASSWORD);
    client.hears_until("*** You are in lobby");
    client.has_read_everything();
    client
}

#[test]
pub fn the_mark_of_an_administrator_outlives_the_server() {
    let folder = accounts(&["boss", "alice"]);
    let server = folder.start("");
    let mut boss = logs_in(&server, "boss");
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
    let mut alice = logs_in(&server, "alice");
    alice.says("/mail\n/search exam\n/history\n/quit");
    let told = alice.hears_to_the_end().join("\n");
    for read in ["[from @boss] see me", "<@boss> the exam", "* @boss waits", "<@boss> /etc"] {
        assert!(told.contains(&format!(") {read}\n")), "{read}: {told}");
    }
    assert!(folder.run("history export").contains("<@boss> the exam\n"));
    // They are none now.
    let [mut bob] = server.enter(["bob"]);
    let mut boss = logs_in(&server, "boss");
    boss.says("hi");
    bob.hears_until("<boss> hi");
    for name in ["Admin", "server", "chat-d"] {
        bob.asks(
            &format!("/nick {name}"),
            &format!("*** The name \"{name}\" is kept for accounts of the server's operator."),
        );
    }
}
