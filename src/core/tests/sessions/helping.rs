//! `/help`.

use super::*;
use crate::core::commands::row::Who;

#[test]
fn help_fits_a_terminal_and_has_what_one_may() {
    let config = config();
    for is_admin in [false, true] {
        let mut client = Client::is_alice(&config);
        let mut help = |typed: &str| {
            client.driver.answers.push_back(Answer::MayAdminister(is_admin));
            client.sends(typed);
            client.driver.answers.clear();
            client.reads()
        };
        let (groups, all) = (help("/help\n"), help("/help ALL\n"));
        for row in Table::default().rows() {
            let is_shown = is_admin || row.who == Who::Everybody;
            let in_groups = groups.split_whitespace().any(|word| word == format!("/{}", row.name));
            assert_eq!(in_groups, is_shown, "{}", row.name);
            assert_eq!(all.contains(&format!("***   {} ", row.usage())), is_shown, "{}", row.name);
        }
        assert!(groups.lines().all(|line| line.len() < 80), "{groups}");
        assert!(groups.lines().count() < 24, "the prompt has a line, too: {groups}");
    }
}

#[test]
fn help_explains_a_command_with_an_example() {
    let config = config();
    let mut client = Client::is_alice(&config);
    for (typed, told) in [
        ("/help /Nick", "*** /nick NAME: changes your name. For example: /nick carol\n"),
        ("/help who", "*** /who: who is in this room, idle for how long.\n"),
        (
            "/help BAN",
            "*** /ban NAME|ADDRESS [FOR] [WHY]: keeps NAME or ADDRESS out (30m, 12h, 7d). Only administrators may, and whoever typed /instructor CODE. For example: /ban bob 2 days spam\n",
        ),
        ("/help part", "*** There is no command /part. Here it is /leave.\n"),
        ("/help xyzzy", "*** There is no command /xyzzy. /help lists them.\n"),
        ("/threads", "*** threads\n"),
        ("/threads all", "*** Like this: /threads\n"),
    ] {
        client.sends(&format!("{typed}\n"));
        assert_eq!(client.reads(), told, "{typed}");
    }
    assert_eq!(client.driver.asked, [""; 0], "none of that is the rooms'");
}
