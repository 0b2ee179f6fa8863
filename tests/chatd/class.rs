//! A question to the class, on a real server: each has one answer, also after a broken connection.

use crate::{
    harness::{Folder, eventually},
    resuming::{program, token_in},
};

#[test]
pub fn each_of_a_class_has_one_answer_and_all_read_the_count() {
    let folder = Folder::with_administrator(&["boss"]);
    let server = folder.start("--flood off");
    let mut boss = server.logs_in("boss");
    let mut ben = program(&server, "ben"); // it comes back by itself
    let token = token_in(&ben.asks_until("ben", "{\"in\":\"ben\""));
    let mut class =
        server.enter(["ann", "cat", "dan", "eve", "fay", "gus", "hal", "ida", "jon", "kim", "leo"]);
    boss.asks_until("/class Who waits? | nobody | everybody", "*** Answer with /a or /b.");
    for (i, client) in class.iter_mut().enumerate() {
        client.hears_until("*** Answer with /a or /b.");
        client.asks_until("/b", "*** Your answer is B: everybody.");
        if i % 3 == 0 {
            client.asks_until("/answer A", "*** Your answer is A: nobody.");
        }
    }
    ben.asks_until("/b", "*** Your answer is B: everybody.");
    // Whoever leaves takes the answer along: nobody has two by coming again.
    let [mut ann, mut cat, others @ ..] = class;
    ann.asks_until("/quit", "*** Goodbye.");
    boss.hears_until("*** ann left lobby");
    ann = server.lets_in("ann");
    ann.hears_until("*** Answer with /a or /b.");
    drop(ben); // his connection breaks
    boss.hears_until("*** ben left lobby");
    let mut ben = program(&server, "ben again");
    ben.asks_until(&format!("/resume {token}"), "*** Your answer is B.");
    boss.asks_until("/class", "*** 11 of 12 have answered.");
    boss.says("/class close");
    for reader in [&mut boss, &mut cat, &mut ann] {
        reader.hears_until("***   A    3  ###                   nobody");
        reader.hears("***   B    8  ########              everybody");
        reader.hears("*** 11 of 12 answered.");
    }
    cat.asks_until("/a", "*** No question is open in lobby.");
    drop((others, server));
    eventually("the history has it", || folder.run("history export").contains("   B    8  ####"));
}
