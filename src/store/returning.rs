//! Who may come back by a token after a restart. Blocks on the disk; knows no thread.
//!
//! There is a row for each token that is good. While its client is here, the row says until when
//! they were here for certain: the historian notes that every minute. So after a crash it is known
//! to a minute when the connection ended.

use super::row::{micros, rows, single, time};
use crate::core::{
    record::AccountId,
    returning::{GONE_MAX, GOOD_FOR, Profile, Returning, TokenChange, TokenHash},
    wire::sanitize::sanitize,
};
use jiff::Timestamp;
use rusqlite::{Connection, Params, Result, Row, params};
use serde_json::{Value, json};

/// The most bytes of a profile that are read: more than the longest that is written, with a hundred
/// names that are ignored.
const PROFILE_MAX: usize = 16 * 1024;

/// Whether anybody may come back, perhaps.
pub(super) fn is_anybody(db: &Connection) -> Result<bool> {
    single(db, "SELECT EXISTS (SELECT 1 FROM returning_client)")
}

/// See [`Store::note_presence`](super::Store::note_presence).
pub(super) fn note_presence(db: &Connection, started: Timestamp, now: Timestamp) -> Result<()> {
    let is_here = "UPDATE returning_client SET seen = ?2 WHERE is_here AND seen >= ?1";
    execute(db, is_here, [micros(started), micros(now)])?;
    let ended = "DELETE FROM returning_client WHERE seen NOT BETWEEN ?1 - ?2 AND ?1 + ?2";
    execute(db, ended, [micros(now), GOOD_FOR.as_micros() as i64])
}

/// Writes a change that was made at this time.
pub(super) fn change(db: &Connection, at: i64, change: &TokenChange) -> Result<()> {
    match change {
        // Another process may have deleted the account a moment ago.
        TokenChange::Given(token, profile) => execute(
            db,
            "INSERT OR REPLACE INTO returning_client (token, account, seen, is_here, profile)
             SELECT ?1, ?2, ?3, 1, ?4
             WHERE ?2 IS NULL OR EXISTS (SELECT 1 FROM account WHERE id = ?2)",
            params![token.0, profile.account, at, to_json(profile)],
        ),
        TokenChange::Left(token) => execute(
            db,
            "UPDATE returning_client SET is_here = 0, seen = ?2 WHERE token = ?1",
            params![token.0, at],
        ),
        TokenChange::Ended(token) => {
            execute(db, "DELETE FROM returning_client WHERE token = ?1", [token.0])
        }
        TokenChange::EndedOf(account) => {
            execute(db, "DELETE FROM returning_client WHERE account = ?1", [account])
        }
        TokenChange::AllEnded => execute(db, "DELETE FROM returning_client", []),
    }
}

/// Those who were here last, who went first before the others.
pub(super) fn read(db: &Connection) -> Result<Vec<Returning>> {
    let sql = "SELECT token, account, seen, profile FROM returning_client
               WHERE length(token) = 32 AND length(profile) <= ?1 ORDER BY seen DESC, token DESC";
    let mut found = rows(db, sql, [PROFILE_MAX as i64], GONE_MAX, returning)?;
    found.reverse();
    Ok(found.into_iter().flatten().collect())
}

/// `None`: somebody has edited it.
fn returning(row: &Row<'_>) -> Result<Option<Returning>> {
    let token: [u8; 32] = row.get(0)?;
    let account: Option<AccountId> = row.get(1)?;
    let profile = row.get::<_, String>(3).ok().and_then(|json| from_json(&json, account));
    let seen = time(row, 2)?;
    Ok(profile.map(|profile| Returning { token: TokenHash(token), seen, profile }))
}

fn to_json(profile: &Profile) -> String {
    let Profile { name, is_instructor, room, quiet, timestamps, echo, .. } = profile;
    json!({
        "name": name,
        "room": room,
        "instructor": is_instructor,
        "quiet": quiet,
        "timestamps": timestamps,
        "echo": echo,
        "away": profile.away,
        "ignored": profile.ignored.iter().map(|(name, id)| (name, id.map(|id| id.0))).collect::<Vec<_>>(),
        "muted_as": profile.muted_as,
    })
    .to_string()
}

fn from_json(json: &str, account: Option<AccountId>) -> Option<Profile> {
    let json: Value = serde_json::from_str(json).ok()?;
    let text = |value: &Value| value.as_str().map(|text| sanitize(text).into_owned());
    let is_on = |name: &str| json[name].as_bool().unwrap_or_default();
    let ignored = json["ignored"].as_array().into_iter().flatten();
    let muted_as = &json["muted_as"];
    Some(Profile {
        name: text(&json["name"])?,
        account,
        is_instructor: is_on("instructor"),
        room: text(&json["room"])?,
        quiet: is_on("quiet"),
        timestamps: is_on("timestamps"),
        echo: is_on("echo"),
        away: text(&json["away"]),
        ignored: ignored
            .filter_map(|it| Some((text(&it[0])?, it[1].as_i64().map(AccountId))))
            .collect(),
        muted_as: text(&muted_as[0]).zip(muted_as[1].as_bool()),
    })
}

fn execute(db: &Connection, sql: &str, values: impl Params) -> Result<()> {
    db.prepare_cached(sql)?.execute(values).map(drop)
}
