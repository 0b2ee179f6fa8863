//! What waits in mailboxes, and from whom.

use crate::*;

#[test]
fn mail_of_people_without_accounts_is_counted_apart() {
    let (_folder, mut store) = new_store();
    let zoe = || owner("zoe", 1);
    write(&mut store, [registered(1, "zoe"), registered(2, "alice"), registered(3, "eve")]);
    let count = |store: &Store| store.snapshot(0, 0).unwrap().guest_mail;
    assert_eq!(count(&store), []);
    write(
        &mut store,
        [mail(1, stranger("bob"), zoe(), "hi"), mail(2, owner("alice", 2), zoe(), "hi")],
    );
    write(
        &mut store,
        [mail(3, stranger("carl"), zoe(), "hi"), mail(4, owner("eve", 3), zoe(), "hi")],
    );
    write(&mut store, [private(5, stranger("bob"), zoe(), "she is here")]);
    assert_eq!(count(&store), [(AccountId(1), 2)]);
    write(&mut store, [unregistered(3)]);
    assert_eq!(count(&store), [(AccountId(1), 3)], "eve has no account any more");
    write(&mut store, [record(9, Change::MailDeleted(AccountId(1), vec![LineId(1), LineId(2)]))]);
    assert_eq!(count(&store), [(AccountId(1), 2)]);
}
