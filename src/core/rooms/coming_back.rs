//! Going, and coming back as the same person by another connection. Whoever has a token is written
//! with it as they are, each time that this changes, so that they may come back to the server that
//! follows this one, too.

use super::{
    ClientKey, Rooms, class,
    member::{Ignored, Member, MutedAs, Preference},
    resumable::{Gone, Owner, Place},
    scrollback::Scrollback,
};
use crate::core::{
    address::ClientAddress,
    event::{ClientId, Entry, Login, Wishes},
    history_reply::PRIVATE_MAX,
    record::AccountId,
    returning::{Profile, Returning, TokenChange, TokenHash},
};
use jiff::Timestamp;
use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    net::Ipv4Addr,
};

/// Private lines that are remembered of each of them: more than a broken connection loses.
const PRIVATE_KEPT: usize = 20;

// --- Tokens ---

/// Gives a member a token. One that they had is not good any more.
pub(crate) fn give(rooms: &mut Rooms, client: ClientKey, token: TokenHash) {
    end_token(rooms, client);
    rooms.resumable.give(client, token);
    save(rooms, client);
}

/// A member may not come back.
pub(crate) fn end_token(rooms: &mut Rooms, client: ClientKey) {
    if let Some(token) = rooms.resumable.forget(client) {
        record(rooms, TokenChange::Ended(token));
    }
}

/// Nobody who has gone may come back as the owner of this account.
pub(crate) fn end_tokens_of(rooms: &mut Rooms, account: AccountId) {
    for token in rooms.resumable.forget_account(account) {
        record(rooms, TokenChange::Ended(token));
    }
}

/// An account is given another password: with that it is written that no token of it is good.
pub(crate) fn write_end_of_tokens(rooms: &mut Rooms, account: AccountId) {
    record(rooms, TokenChange::EndedOf(account));
}

/// Takes a member who has gone. Their token is used up.
pub(crate) fn take_gone(rooms: &mut Rooms, token: &TokenHash) -> Option<Gone> {
    let gone = rooms.resumable.take(token)?;
    record(rooms, TokenChange::Ended(*token));
    Some(gone)
}

/// Writes how a member comes back, if they have a token and that has changed.
pub(in crate::core) fn save(rooms: &mut Rooms, client: ClientKey) {
    if !rooms.pending.keeps_talk() || !rooms.resumable.has(client) {
        return;
    }
    let Some(member) = rooms.members.get(client) else { return };
    let profile = profile(rooms, member, rooms.room_of(client).name());
    let mut hasher = DefaultHasher::new();
    profile.hash(&mut hasher);
    if let Some(token) = rooms.resumable.note(client, hasher.finish()) {
        record(rooms, TokenChange::Given(token, Box::new(profile)));
    }
}

/// Writes anew who may come back: in an outage nothing of that was.
pub(in crate::core) fn save_all(rooms: &mut Rooms) {
    if !rooms.pending.has_tokens() {
        return;
    }
    record(rooms, TokenChange::AllEnded);
    for token in rooms.resumable.unwritten() {
        let gone = match rooms.resumable.get(&token) {
            Some(Owner::Here(client, _)) => {
                let client = *client;
                save(rooms, client);
                continue;
            }
            Some(Owner::Gone(gone)) => gone,
            None => continue,
        };
        let (at, mut profile) = (gone.at, profile(rooms, &gone.member, &gone.place.room));
        profile.is_instructor |= gone.was_instructor;
        rooms.pending.record_token(at, TokenChange::Given(token, Box::new(profile)));
        rooms.pending.record_token(at, TokenChange::Left(token));
    }
}

fn record(rooms: &mut Rooms, change: TokenChange) {
    rooms.pending.record_token(rooms.now, change);
}

fn profile(rooms: &Rooms, member: &Member, room: &str) -> Profile {
    let name_of = |ignored: &Ignored| {
        let now = ignored.client.and_then(|client| rooms.members.get(client));
        now.map_or(&ignored.name, Member::name).shown().to_owned()
    };
    let muted_as = member.muted_as().map(|it| (it.key.clone(), it.in_a_crowd));
    Profile {
        name: member.name().shown().to_owned(),
        account: member.account(),
        is_instructor: member.is_instructor(),
        room: room.to_owned(),
        quiet: member.has(Preference::Quiet),
        timestamps: member.has(Preference::Timestamps),
        echo: member.has(Preference::Echo),
        away: member.away().map(str::to_owned),
        ignored: member.ignored().iter().map(|it| (name_of(it), it.account)).collect(),
        muted_as,
    }
}

// --- After a restart ---

/// Those may come back who could to the server before this one.
pub(in crate::core) fn restore(rooms: &mut Rooms, returning: Vec<Returning>) {
    for one in returning {
        let (token, at) = (one.token, one.seen);
        if let Some((member, room, was_instructor)) = of_profile(rooms, one.profile, at) {
            let key = ClientKey::default(); // of nobody
            let place = Place { room, hand: None, answer: None };
            let gone = Gone { member, key, place, at, was_instructor };
            rooms.resumable.keep_by(token, gone);
        }
    }
}

/// `None`: they could not come in. Nobody has a name under `--anonymous`.
fn of_profile(rooms: &Rooms, profile: Profile, at: Timestamp) -> Option<(Member, String, bool)> {
    let names = rooms.config.names;
    let name = names.check(&profile.name, "name").ok().filter(|_| !rooms.config.anonymous)?;
    let login = profile.account.map(|account| Login { account, private: Vec::new() });
    let entry = Entry {
        name,
        address: ClientAddress::of(Ipv4Addr::UNSPECIFIED.into()),
        login,
        reserve_of: None,
        is_instructor: false,
        wishes: Wishes::default(),
    };
    let mut member = Member::new(0, entry, at);
    let settings = [
        (Preference::Quiet, profile.quiet),
        (Preference::Timestamps, profile.timestamps),
        (Preference::Echo, profile.echo),
    ];
    for (setting, on) in settings {
        member.set(setting, Some(on));
    }
    member.set_away(profile.away);
    let ignored = profile.ignored.into_iter().filter_map(|(name, account)| {
        Some(Ignored { name: names.check(&name, "name").ok()?, client: None, account })
    });
    member.ignored_mut().extend(ignored);
    member.set_muted_as(profile.muted_as.map(|(key, in_a_crowd)| MutedAs { key, in_a_crowd }));
    if profile.account.is_some() {
        member.private_mut().doubt();
    }
    Some((member, profile.room, profile.is_instructor))
}

// --- Going, and coming back ---

/// Where a member is, and what they do there, when they are about to go.
pub(super) fn leaving(rooms: &Rooms, client: ClientKey) -> Place {
    let room = rooms.room_of(client);
    let answer = room.quiz().and_then(|quiz| quiz.answer_of(client));
    Place { room: room.name().to_owned(), hand: rooms.members[client].hand(), answer }
}

/// Keeps a member who has just left, if they have a token.
pub(super) fn keep(rooms: &mut Rooms, key: ClientKey, member: Member, place: Place) {
    let gone = gone(rooms.now, key, member, place);
    if let Some(token) = rooms.resumable.keep(gone) {
        record(rooms, TokenChange::Left(token));
    }
    if let Some(token) = rooms.resumable.drop_surplus() {
        record(rooms, TokenChange::Ended(token));
    }
}

pub(super) fn gone(at: Timestamp, key: ClientKey, mut member: Member, place: Place) -> Gone {
    let mut private: Vec<_> = member.private().lines().rev().take(PRIVATE_KEPT).cloned().collect();
    private.reverse();
    let has_more = member.private().is_full() || member.private().lines().count() > private.len();
    *member.private_mut() = Scrollback::new(PRIVATE_MAX, private);
    if has_more {
        member.private_mut().doubt();
    }
    Gone { member, key, place, at, was_instructor: false }
}

/// Lets somebody in again as they were: in their room, with their hand up and their answer, and
/// ignored by those who ignored them.
pub(crate) fn come_back(
    rooms: &mut Rooms,
    client: ClientKey,
    gone: Gone,
    (id, address): (ClientId, ClientAddress),
) {
    let Gone { mut member, key, place: Place { room, hand, answer }, .. } = gone;
    (member.client, member.address) = (id, address);
    member.set_room(None);
    let name = rooms.config.names.check(&room, "room's name").ok();
    let room = name.and_then(|name| rooms.rooms.find_or_add(&name, rooms.now).ok());
    rooms.members.follow(key, client);
    rooms.add_member(client, member, room);
    if room.is_some() && rooms.may_write(client).is_ok() {
        hand.iter().for_each(|&raised| {
            rooms.members[client].turn_hand(raised);
        });
    }
    if let (Some(room), Some(answer)) = (room, answer)
        && let Some(quiz) = rooms.rooms[room].quiz_mut()
    {
        quiz.take_back(client, answer);
        class::show(rooms, room, false);
    }
}
