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
