//! How clients are greeted, and who is let in without a name.

use super::*;

#[test]
fn whoever_has_to_wait_is_greeted_behind_that() {
    let config =
        SessionConfig { flood: Some(FloodLimit { burst: 4.0, per_second: 1.0 }), ..config() };
    let mut client = Client::connects(&config, None, Vec::new());
    assert!(client.reads().contains("Welcome"));
    let wait = Duration::from_secs(3);
    let handover = Some(Handover { tokens: 0.0, asked_for: 0.0, wait });
    let origin = ::core::net::SocketAddr::from(([192, 0, 2, 7], 5000)).into();
    let peer = Peer { connection: "c8", origin, reserve_of: None, handover, may_be_gone: false };
    client.session = Session::begin(&config, peer, START, &mut client.driver);
    assert_eq!(client.reads(), "");
    assert_eq!(client.hears(), ["pauses 3s"]);
    assert!(client.reads().contains("Welcome"));
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
    let client =
        Client::connects(&usual, None, vec![Answer::Named(of_address, String::new(), None)]);
    assert!(!client.session.is_naming());
    assert_eq!(client.driver.asked, ["enter 192.0.2.7:5000 None"]);
}
