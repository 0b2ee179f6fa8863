//! How fast a client is read.

use super::*;

#[test]
fn who_floods_is_paused_behind_what_they_said() {
    let flood = FloodLimit { burst: 2.0, per_second: 2.0 };
    let config = SessionConfig { flood: Some(flood), ..config() };
    let mut client = Client::is_alice(&config);
    client.now += Duration::from_secs(10);
    assert_eq!(
        client.sends("one\ntwo\nthree\n/me waves\nfour\n"),
        [
            "says 3: <alice> one\n<alice> two\n<alice> three\n",
            "pauses 500ms",
            "types me waves",
            "pauses 500ms",
            "says 2: * alice waves\n<alice> four\n",
            "pauses 500ms"
        ]
    );
    assert_eq!(
        client.reads(),
        "*** More than 2 lines at once: yours are read at 2 a second for a while.\n"
    );
}

#[test]
fn a_long_answer_is_paid_for_as_lines_are() {
    let flood = FloodLimit { burst: 4.0, per_second: 2.0 };
    let config = SessionConfig { flood: Some(flood), ..config() };
    let mut client = Client::is_alice(&config);
    client.now += Duration::from_secs(10);
    client.driver.answers.push_back(Answer::Text("short\n".repeat(1000)));
    assert_eq!(client.sends("/who\n/who\n"), ["types who", "types who"], "short ones are free");
    client.now += Duration::from_secs(10);
    client.driver.answers.push_back(Answer::Text("long\n".repeat(10_000)));
    // 50,000 bytes are 6 lines. The command is one more, so 3 of the 4 are left.
    assert_eq!(
        client.sends("/history 1000\none\n"),
        ["types history 1000", "says 1: <alice> one\n", "pauses 2s"]
    );
    client.reads();
    client.now += Duration::from_secs(10);
    client.driver.answers.push_back(Answer::Text("long\n".repeat(10_000)));
    assert_eq!(client.sends("/history 1000\n"), ["types history 1000"]);
    assert!(
        !client.reads().contains("lines at once"),
        "whoever types nothing more waits for nothing"
    );
    client.now += Duration::from_secs(10);
    client.driver.answers.push_back(Answer::Text("mail\n".repeat(10_000)));
    assert_eq!(client.sends("/mail\none\n"), ["types mail", "says 1: <alice> one\n", "pauses 2s"]);
}
