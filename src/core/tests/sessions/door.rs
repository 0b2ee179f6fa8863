//! How clients are greeted, and who is let in without a name.

use super::*;

#[test]
fn whoever_has_to_wait_is_greeted_behind_that() {
    let config =
        SessionConfig { flood: Some(FloodLimit { burst: 4.0, per_second: 1.0 }), ..config() };
    let mut client = Client::connects(&config, None, Vec::new());
    assert!(client.reads().contains("Welcome"));
    let wait = Duration::from_secs(3);
    let bucket = Some(Bucket { tokens: 0.0, asked_for: 0.0, wait });
    let origin = ::core::net::SocketAddr::from(([192, 0, 2, 7], 5000)).into();
    let peer = Peer { connection: "c8", origin, reserve_of: None, bucket, may_be_gone: false };
    client.session = Session::begin(&config, peer, START, &mut client.driver);
    assert_eq!(client.reads(), "");
    assert!(!client.session.pace.is_greeted(), "what they wait is not theirs");
    assert_eq!(client.hears(), ["pauses 3s"]);
    assert!(client.reads().contains("Welcome") && client.session.pace.is_greeted());
}

#[test]
fn whoever_may_be_gone_already_is_asked_nothing_before_it_is_known() {
    let config = config();
    let mut client = Client::connects(&config, None, Vec::new());
    let origin = ::core::net::SocketAddr::from(([192, 0, 2, 7], 5000)).into();
    client.reads();
    for (reserve_of, is_probed) in [(None, true), (Some(5), false)] {
        let peer = Peer { connection: "c8", origin, reserve_of, bucket: None, may_be_gone: true };
        client.session = Session::begin(&config, peer, START, &mut client.driver);
        let read = client.reads();
        assert_eq!(read.contains("What is your name?"), !is_probed, "{read}");
        assert_eq!(read.contains("Welcome"), is_probed, "an answer shows whether anybody reads it");
        assert_eq!(client.hears().len(), usize::from(is_probed), "{reserve_of:?}");
        assert_eq!(client.reads().contains("What is your name?"), is_probed);
    }
}

#[test]
fn a_code_is_asked_for_only_where_there_is_one_and_nobody_gives_a_name() {
    let full = || Answer::Close(CloseReason::Full(5));
    for (anonymous, has_code) in [(true, false), (false, true), (false, false)] {
        let config = SessionConfig { anonymous, has_code, ..config() };
        let mut client = Client::connects(&config, None, vec![full()]);
        assert_eq!(client.sends("bob\n"), ["closes: all 5 places are taken"]);
    }
    let config = SessionConfig { anonymous: true, has_code: true, ..config() };
    let mut client = Client::connects(&config, None, vec![full()]);
    assert!(client.hears().is_empty() && client.reads().contains("/instructor"));
    let mut client = Client::connects(&config, Some(5), Vec::new());
    let told =
        "*** You may not come in: all 5 places are taken. An instructor types /instructor CODE.\n";
    assert_eq!(client.reads(), told, "in the place that is kept");
}

#[test]
fn a_wrong_code_is_told_and_five_are_enough() {
    let config = SessionConfig { has_code: true, ..config() };
    let wrong = "*** That is not the instructor's code.";
    for is_naming in [true, false] {
        let mut client = match is_naming {
            true => Client::connects(&config, None, Vec::new()),
            false => Client::is_alice(&config),
        };
        client.reads();
        let told = if is_naming { " What is your name?\n" } else { "\n" };
        for _ in 0..4 {
            client.sends("/instructor K7MQ-2R4T\n");
            assert_eq!(client.reads(), format!("{wrong}{told}"));
        }
        let heard = client.sends("/instructor K7MQ-2R4T\n");
        assert_eq!(heard[1], "closes: 5 codes were wrong");
        assert_eq!(client.driver.asked, [""; 0], "the rooms are told of none");
    }
}

#[test]
fn whoever_gives_the_code_and_comes_back_is_an_instructor_and_no_other_one_who_does() {
    let config = SessionConfig { has_code: true, ..config() };
    for gives_code in [true, false] {
        let mut client = Client::connects(&config, None, Vec::new());
        if gives_code {
            client.driver.logins.push_back(LoginResult::Right { is_weak: false });
            client.sends("/instructor K7MQ-2R4T\n");
        }
        client.driver.answers.push_back(named("alice"));
        client.sends(&format!("/resume {}\n", "0".repeat(32)));
        let asked = client.driver.asked.iter().any(|asked| asked == "BecomeInstructor");
        assert_eq!(asked, gives_code, "{:?}", client.driver.asked);
    }
}

#[test]
fn another_code_is_for_an_instructor_who_is_in() {
    let config = SessionConfig { has_code: true, ..config() };
    let mut client = Client::connects(&config, None, Vec::new());
    client.reads();
    client.sends("/instructor new\n");
    let told = client.reads();
    assert_eq!(told, "*** That has to wait until you are in. What is your name?\n");
    let mut client = Client::is_alice(&config);
    for (may, told) in [
        (
            true,
            "*** The code is AAAA-AAAA from now on. Whoever is an instructor already stays one until they leave.\n",
        ),
        (false, "*** Only an instructor makes another code: /instructor CODE.\n"),
    ] {
        client.driver.answers.push_back(Answer::MayAdminister(may));
        client.sends("/instructor NEW\n");
        assert_eq!(client.reads(), told);
    }
}

#[test]
fn the_kept_place_and_a_server_without_names() {
    let mut usual = config();
    let full = Answer::Close(CloseReason::Full(5));
    let mut client = Client::connects(&usual, Some(5), vec![full]);
    assert_eq!(client.hears(), ["closes: all 5 places are taken"]);
    let mut client = Client::connects(&usual, Some(5), Vec::new());
    assert!(
        client
            .reads()
            .starts_with("*** All 5 places are taken; this one is kept for an administrator.\n")
    );
    assert_eq!(client.driver.asked, ["TakeReserve(5)"]);
    usual.anonymous = true;
    let of_address = Name::of_address("192.0.2.7:5000", "c7");
    let mut client =
        Client::connects(&usual, None, vec![Answer::Named(of_address, String::new(), None)]);
    assert!(!client.session.is_naming());
    client.reads();
    for command in ["/register", "/login alice", "/login alice correct horse"] {
        client.sends(&format!("{command}\n"));
        assert_eq!(client.reads(), "*** Nobody has an account here: --anonymous.\n", "{command}");
    }
    assert_eq!(client.driver.asked, ["enter 192.0.2.7:5000 None"]);
}
