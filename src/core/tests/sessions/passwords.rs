//! Passwords: asked for, compared, set; and hidden where the client speaks telnet.

use super::*;

const IAC: u8 = 255;
const WILL_ECHO: &[u8] = &[IAC, 251, 1];
const WONT_ECHO: &[u8] = &[IAC, 252, 1];

fn right() -> LoginResult {
    LoginResult::Right { is_weak: false }
}

#[test]
fn a_registered_name_needs_its_password_and_may_have_to_wait() {
    let config = config();
    let mut client = Client::connects(&config, None, Vec::new());
    client.reads();
    client.driver.answers.extend([Answer::NeedsPassword(ALICES), named("alice")]);
    client.driver.logins.extend([
        LoginResult::Wrong,
        LoginResult::Wait(Duration::from_secs(3)),
        LoginResult::Wait(Duration::from_secs(1)),
        right(),
    ]);
    assert!(client.sends("alice\n").is_empty());
    assert_eq!(
        client.reads(),
        "*** alice is registered. Your password (with nc, it will be seen as you type):\n"
    );
    assert!(client.sends("wrong\n").is_empty());
    assert!(client.reads().starts_with("*** That is not the password of this name."));
    assert_eq!(client.sends("right\nhi\n"), ["pauses 3s", "pauses 1s", "says 1: <alice> hi\n"]);
    assert_eq!(client.driver.asked, ["enter alice None", "enter alice Some(AccountId(1))"]);
    let tried = |password: &str| ("alice".to_owned(), Some(ALICES), password.to_owned());
    assert_eq!(
        client.driver.verified,
        [tried("wrong"), tried("right"), tried("right"), tried("right")]
    );
}

#[test]
fn an_empty_line_in_place_of_a_password_is_another_name() {
    let config = config();
    let mut client = Client::connects(&config, None, vec![]);
    client.driver.answers.extend([Answer::NeedsPassword(ALICES), named("bob")]);
    client.sends("alice\n\nbob\n");
    assert_eq!(client.driver.asked, ["enter alice None", "enter bob None"]);
    assert!(client.driver.verified.is_empty());
    // Inside it leaves everything as it was.
    for (command, account) in
        [("/login zoe", None), ("/password", Some(ALICES)), ("/unregister", Some(ALICES))]
    {
        client.driver.answers.push_back(Answer::Account(account));
        client.sends(&format!("{command}\n\n"));
        assert!(client.reads().ends_with("*** Nothing is changed.\n"), "{command}");
    }
    assert!(client.driver.verified.is_empty());
}

#[test]
fn whoever_proves_to_own_an_account_goes_on_with_its_bucket() {
    let flood = FloodLimit { burst: 4.0, per_second: 1.0 };
    let config = SessionConfig { flood: Some(flood), ..config() };
    let mut client = Client::connects(&config, None, Vec::new());
    client.driver.answers.extend([Answer::NeedsPassword(ALICES), named("alice")]);
    client.driver.logins.push_back(right());
    client.sends("alice\ncorrect horse\n");
    let bucket = |tokens| Bucket { tokens, asked_for: 0.0, wait: Duration::ZERO };
    assert_eq!(client.driver.proved, [(ALICES, bucket(2.0))], "of their address two are left");
    assert_eq!(client.sends("1\n2\n3\n4\n").len(), 1, "the account has four of its own");
    // What is left goes to their next connection, whether they end this one or only their side.
    assert_eq!(client.session.pace.bucket(START), Some(bucket(0.0)));
    assert_eq!(client.session.pace.half_close(START), Some(bucket(0.0)));
}

#[test]
fn five_wrong_passwords_end_it() {
    let config = config();
    let mut client = Client::is_alice(&config);
    client.driver.logins.extend([LoginResult::Wrong; 5]);
    for _ in 0..4 {
        // Such a name is nobody's, and told the same.
        client.driver.answers.push_back(Answer::Account(None));
        assert!(client.sends("/login zoe hunter2hunter2\n").len() == 1);
        assert_eq!(client.reads(), "*** No account has this name and this password.\n");
    }
    assert_eq!(client.sends("/login zoe hunter2hunter2\n")[1], "closes: 5 passwords were wrong");
    assert!(
        client.driver.asked.iter().all(|asked| !asked.contains("hunter2")),
        "{:?}",
        client.driver.asked
    );
}

#[test]
fn to_register_one_types_the_password_twice() {
    let config = config();
    let mut client = Client::is_alice(&config);
    for (typed, told) in [
        ("/register\nshort\n", "A password has at least 8 bytes.\n"),
        ("/register\n\n", "Nothing is changed.\n"),
        ("/register\nlong enough\nlong enuff\n", "The two are not the same. Nothing is changed.\n"),
        ("/register\nlong enough\n\n", "Nothing is changed.\n"),
    ] {
        client.sends(typed);
        let read = client.reads();
        assert!(read.ends_with(told), "{typed}: {read}");
    }
    let yours = Answer::Text("*** Yours.\n".to_owned());
    client.driver.answers.extend([Answer::Account(None), yours, Answer::Account(Some(ALICES))]);
    let heard = client.sends("/register\n long\x07enough \nlong\x07enough\nhi\n");
    assert_eq!(heard, ["types register", "says 1: <alice> hi\n"], "a password is not said");
    assert!(client.reads().ends_with("*** The same password once more:\n*** Yours.\n"));
    assert_eq!(client.driver.hashed, ["long\u{fffd}enough"]);
    let asked = &client.driver.asked;
    assert_eq!(asked[asked.len() - 2], "Register(PasswordHash(…))");
    assert_eq!(client.driver.owned, [ALICES], "their address is an owner's from now on");
    client.sends("/register long enough\n");
    assert_eq!(client.driver.hashed.len(), 2, "or behind the command");
    assert_eq!(client.driver.owned, [ALICES], "that one was refused");
    client.driver.answers.push_back(Answer::Account(Some(ALICES)));
    client.sends("/register\n");
    assert!(client.reads().ends_with("*** You have an account already: /whoami.\n"));
}

#[test]
fn who_has_a_password_for_one_time_does_nothing_before_they_have_chosen_another() {
    let config = config();
    let mut client = Client::connects(&config, None, Vec::new());
    client.driver.answers.extend([
        Answer::NeedsPassword(ALICES),
        named("alice"),
        Answer::Account(Some(ALICES)),
    ]);
    client.driver.logins.push_back(LoginResult::OneTime);
    client.sends("alice\nk7mq2r4t\n");
    let asks = "*** That password was for one time. Choose a password of your own, of 8 to 256 bytes (with nc, it will be seen as you type):\n";
    assert!(client.reads().ends_with(asks));
    for (typed, told) in [
        ("/who\n", "*** A password has at least 8 bytes.\n"),
        ("K7MQ-2R4T\n", "*** That is the password which was for one time.\n"),
        ("\n", "*** Nothing is changed.\n"),
        ("my own one\nmy other one\n", "*** The two are not the same. Nothing is changed.\n"),
        ("my own one\n\n", "*** Nothing is changed.\n"),
    ] {
        assert!(client.sends(typed).is_empty(), "{typed}");
        let read = client.reads();
        assert!(read.ends_with(&format!("{told}{asks}")), "{typed}: {read}");
    }
    client.driver.answers.push_back(Answer::Text("*** Changed.\n".to_owned()));
    assert_eq!(client.sends("my own one\nmy own one\nhi\n"), ["says 1: <alice> hi\n"]);
    assert!(client.reads().ends_with("*** The same password once more:\n*** Changed.\n"));
    assert_eq!(client.driver.hashed, ["my own one"]);
}

#[test]
fn another_password_and_no_account_any_more_need_the_one_there_is() {
    let config = config();
    let mut client = Client::is_alice(&config);
    client.sends("/password\n");
    assert!(client.reads().starts_with("*** You are not logged in"));
    client
        .driver
        .answers
        .extend([Answer::Account(Some(ALICES)), Answer::Text("*** Changed.\n".to_owned())]);
    client.driver.logins.push_back(right());
    client.sends("/password\nold password\nnew password\nnew password\n");
    assert!(client.reads().ends_with("*** Changed.\n"));
    assert!(client.driver.asked.last().unwrap().contains("quietly: false"));
    client.driver.answers.extend([Answer::Account(Some(ALICES))]);
    client.driver.logins.push_back(LoginResult::Wrong);
    client.sends("/unregister\nno\n");
    assert!(client.reads().ends_with("*** That is not your password. Nothing is changed.\n"));
    client
        .driver
        .answers
        .extend([Answer::Account(Some(ALICES)), Answer::Text("*** Gone.\n".to_owned())]);
    client.driver.logins.push_back(right());
    client.sends("/unregister\nnew password\n");
    assert!(client.reads().ends_with("*** Gone.\n"));
    assert_eq!(client.driver.asked.last().unwrap(), "Unregister");
    client.driver.answers.extend([Answer::Account(Some(ALICES))]);
    client.sends("/unregister\nnew password\n");
    assert!(client.reads().ends_with("*** Passwords cannot be compared now: the disk is gone.\n"));
}

#[test]
fn a_weak_hash_is_made_anew_for_the_account_that_was_entered_and_for_no_other() {
    let config = config();
    let weak = || LoginResult::Right { is_weak: true };
    let mut client = Client::is_alice(&config);
    client.driver.logins.extend([weak(), weak()]);
    let refused = Answer::Text("*** The name zoe is banned by alice.\n".to_owned());
    client.driver.answers.extend([
        Answer::Account(Some(ZOES)),
        refused,
        Answer::Account(Some(ALICES)),
    ]);
    client.sends("/login zoe the password of zoe\n");
    assert!(client.driver.hashed.is_empty(), "it would be alice's password from now on");
    client.driver.answers.extend([
        Answer::Account(Some(ZOES)),
        named("zoe"),
        Answer::Account(Some(ZOES)),
    ]);
    client.sends("/login zoe the password of zoe\n");
    assert_eq!(client.driver.hashed, ["the password of zoe"]);
    assert!(client.driver.asked.last().unwrap().contains("quietly: true"));
}

#[test]
fn telnet_hides_what_is_typed_exactly_while_a_password_is_asked_for() {
    let config = config();
    let mut client = Client::is_alice(&config);
    client.receives(&[IAC, 251, 24]); // it will tell its terminal's type, and so it speaks telnet
    client.hears();
    assert_eq!(std::mem::take(&mut client.driver.replied), [IAC, 254, 24]);
    let mut says = |typed: &str, starts: &[u8], ends: &[u8]| {
        client.driver.answers.push_back(Answer::Account(None));
        client.sends(typed);
        let replied = std::mem::take(&mut client.driver.replied);
        let echo = memchr::memchr_iter(IAC, &replied).count();
        assert!(replied.starts_with(starts) && replied.ends_with(ends), "{typed}: {replied:?}");
        assert_eq!(
            echo,
            usize::from(!starts.is_empty()) + usize::from(starts.len() > 3),
            "{typed}"
        );
    };
    says("hi\n", &[], &[]);
    says("/register\n", WILL_ECHO, b"type):\n");
    says("long enough\n", &[WONT_ECHO, WILL_ECHO].concat(), b"more:\n");
    says("\n", WONT_ECHO, b"Nothing is changed.\n");
    says("/login alice\n", WILL_ECHO, b"type):\n");
    client.driver.logins.push_back(LoginResult::Wait(Duration::from_secs(1)));
    client.driver.logins.push_back(LoginResult::Wrong);
    assert_eq!(client.sends("secret\n"), ["pauses 1s"]);
    let replied = std::mem::take(&mut client.driver.replied);
    assert_eq!(replied, [WONT_ECHO, b"*** No account has this name and this password.\n"].concat());
}

#[test]
fn who_begins_to_speak_telnet_at_the_question_is_hidden_from_then_on() {
    let config = config();
    let mut client = Client::is_alice(&config);
    client.sends("/register\n");
    assert!(!client.driver.replied.contains(&IAC));
    client.receives(&[IAC, 251, 24, IAC, 246]);
    client.hears();
    assert!(
        client
            .driver
            .replied
            .ends_with(&[&[IAC, 254, 24], &b"*** Yes, chatd is here.\n"[..], WILL_ECHO].concat())
    );
}
