//! A session that is handed to another server.

use super::*;
use crate::core::session::handover;

#[test]
fn a_password_that_is_half_typed_goes_over_and_so_does_telnet() {
    let config = config();
    let mut client = Client::connects(&config, None, vec![Answer::NeedsPassword(ALICES)]);
    client.receives(b"\xff\xfb\x18alice\r\ncorrect ");
    client.hears();
    assert!(handover::is_at_rest(&client.session));
    let json = serde_json::to_string(&*client.session).unwrap();
    let other_config = SessionConfig { motd: vec!["Be kind.".to_owned()], ..super::config() };
    client.session = handover::go_on(serde_json::from_str(&json).unwrap(), &other_config);
    client.reads();
    client.driver.answers.push_back(named("alice"));
    client.driver.logins.push_back(LoginResult::Right { is_weak: false });
    client.sends("horse\r\0hi\r\n");
    let (name, account, password) = client.driver.verified.pop().unwrap();
    assert_eq!((&*name, account, &*password), ("alice", Some(ALICES), "correct horse"));
    assert!(client.reads().contains("*** Be kind."), "the message of the day is the new one");
    assert_eq!(handover::name(&client.session).map(Name::shown), Some("alice"));
}

#[test]
fn what_was_heard_and_not_dealt_with_is_not_handed_over() {
    let config = config();
    let mut client = Client::is_alice(&config);
    client.receives(b"hi\n/who\n");
    assert!(matches!(client.session.hear(START, &mut client.driver), Heard::Talk(_)));
    assert!(!handover::is_at_rest(&client.session), "the command waits");
    client.hears();
    assert!(handover::is_at_rest(&client.session));
    for (command, waits) in [("/me waves\n", "what was said"), ("/quit\n", "the end")] {
        client.receives(command.as_bytes());
        let heard = client.session.hear(START, &mut client.driver);
        let Heard::Command(text) = heard else { panic!("{heard:?}") };
        run_command(Table::default(), &mut client.session, &text, &mut client.driver);
        assert!(!handover::is_at_rest(&client.session), "{waits} waits");
        client.hears();
    }
}
