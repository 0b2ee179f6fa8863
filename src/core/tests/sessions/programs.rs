//! What a client's program is told by its session.

use super::*;

#[test]
fn a_program_is_told_that_the_server_is_there_and_nobody_else_is() {
    let config = config();
    let mut client = Client::is_alice(&config);
    let after = |client: &mut Client<'_>, seconds| {
        client.now += Duration::from_secs(seconds);
        assert!(client.hears().is_empty());
        client.reads()
    };
    assert_eq!(after(&mut client, 100), "");
    assert_eq!(client.session.program.next_beat(), None, "nobody has to wake for them");
    client.session.program.set_reads_notes(true, false);
    assert_eq!(after(&mut client, 0), "");
    assert_eq!(client.session.program.next_beat(), Some(client.now + Duration::from_secs(25)));
    for (seconds, reads) in [
        (24, ""),
        (1, "{\"beat\":25}\n"),
        (24, ""),
        (2, "{\"beat\":25}\n"),
        (24, ""),
        (60, "{\"beat\":25}\n"),
    ] {
        assert_eq!(after(&mut client, seconds), reads, "{:?}", client.now);
    }
    client.session.program.set_reads_notes(false, false);
    assert_eq!(
        (after(&mut client, 100), client.session.program.next_beat()),
        (String::new(), None)
    );
}

/// What is read at the door and inside, and which of it says what the next line is taken for.
#[test]
fn a_program_is_told_each_time_that_the_server_asks_and_when_it_does_no_longer() {
    let config = config();
    let mut client = Client::connects(&config, None, Vec::new());
    let mut reads = |typed: &str, answers: Vec<Answer>, logins: &[LoginResult]| {
        client.driver.answers = answers.into();
        client.driver.logins = logins.iter().copied().collect();
        client.reads();
        client.driver.asked.clear();
        client.sends(typed);
        (client.reads(), std::mem::take(&mut client.driver.asked))
    };
    let right = LoginResult::Right { is_weak: false };
    let (_, asked) = reads("/notes on\n", Vec::new(), &[]);
    assert_eq!(asked[0], "reads notes: true");
    assert!(asked[1].starts_with("Notes(Some(") && asked[1].ends_with("), None)"), "{asked:?}");
    let (read, _) = reads("7up\n", Vec::new(), &[]);
    assert!(read.starts_with("{\"ask\":\"name\"}\n*** A name starts with a letter"), "{read}");
    let (read, _) = reads("alice\n", vec![Answer::NeedsPassword(ALICES)], &[]);
    let ask = "{\"ask\":\"password\",\"for\":\"alice\"}\n";
    assert_eq!(read, format!("{ask}*** alice is registered. Your password:\n"));
    let (read, _) = reads("wrong\n", Vec::new(), &[LoginResult::Wrong]);
    assert!(read.starts_with(&format!("{ask}*** That is not the password")), "{read}");
    let (read, asked) = reads("right\n", vec![named("alice")], &[right]);
    assert!(!read.contains('{'), "the rooms' own note says that nothing is asked: {read}");
    let with_token =
        "enter alice Some(AccountId(1)) Wishes { reads_notes: true, since: None, token: Some(";
    assert!(asked[0].starts_with(with_token), "{asked:?}");
    let new = "{\"ask\":\"password\",\"new\":true,\"for\":\"alice\"}\n";
    for (typed, told) in [
        ("/register\n", format!("{new}*** A new password of 8 to 256 bytes:\n")),
        ("long enough\n", format!("{new}*** The same password once more:\n")),
        ("\n", "*** Nothing is changed.\n{\"ask\":null}\n".to_owned()),
        ("/who\n", String::new()),
        ("/login zoe wrong\n", "*** No account has this name and this password.\n".to_owned()),
    ] {
        let (read, _) = reads(typed, vec![Answer::Account(None)], &[LoginResult::Wrong]);
        assert_eq!(read, told, "{typed}");
    }
    let zoe = vec![Answer::Account(Some(ZOES)), named("zoe")];
    let (_, asked) = reads("/login zoe right\n", zoe, &[right]);
    assert!(asked.last().unwrap().starts_with("NewToken("), "{asked:?}");
    let (read, _) = reads("/view\n", vec![Answer::MayAdminister(false)], &[]);
    assert!(read.ends_with("*** http://192.0.2.1/view#x7\n{\"view\":\"x7\"}\n"), "{read}");
}

#[test]
fn notes_are_turned_on_and_off_and_inside_a_token_comes_with_them() {
    let config = config();
    let mut client = Client::is_alice(&config);
    for (typed, turned, asked) in [
        ("/notes", "true", ("Notes(Some(", "Some(Token(…)))")),
        ("/notes", "false", ("Notes(None", ", None)")),
        ("/notes ON", "true", ("Notes(Some(", "Some(Token(…)))")),
        ("/notes off", "false", ("Notes(None", ", None)")),
    ] {
        client.sends(&format!("{typed}\n"));
        let all = std::mem::take(&mut client.driver.asked);
        assert_eq!(all[0], format!("reads notes: {turned}"), "{typed}");
        assert!(all[1].starts_with(asked.0) && all[1].ends_with(asked.1), "{typed}: {all:?}");
    }
    client.sends("/view\n");
    assert!(!client.reads().contains('{'), "nobody asked for notes");
}

#[test]
fn the_line_that_a_program_asks_from_is_a_number() {
    let config = config();
    let mut client = Client::is_alice(&config);
    for line in ["", "+5", "-5", "5.0", "five", "99999999999999999999"] {
        client.sends(&format!("/since lobby {line}\n"));
        assert_eq!(client.reads(), "*** Like this: /since ROOM N\n", "{line:?}");
    }
    assert_eq!(client.driver.asked, [""; 0]);
    client.sends("/since lobby 5\n");
    assert_eq!(client.driver.asked.len(), 1);
}

#[test]
fn a_demonstration_needs_threads_and_an_administrator() {
    let config = config();
    let mut client = Client::is_alice(&config);
    let table = Table { demo: true, ..Table::default() };
    for (may, command, told) in [
        (false, "demo", "That is for administrators."),
        (true, "demo freeze", "That is shown by the server with one thread for each client."),
    ] {
        client.driver.answers.push_back(Answer::MayAdminister(may));
        run_command(table, &mut client.session, command, &mut client.driver);
        assert_eq!(client.reads(), format!("*** {told}\n"));
    }
}
