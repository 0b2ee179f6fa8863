//! A bounded table that remembers what is recent. It reads no clock: times are passed in, and count
//! from any fixed point.

use serde::{Deserialize, Serialize};
use std::{collections::HashMap, hash::Hash, time::Duration};

/// The most entries of a table: 10,000 of them are a few MB. The older half makes room.
pub(crate) const REMEMBERED_MAX: usize = 10_000;

/// A table that remembers what is recent.
#[derive(Serialize, Deserialize)]
#[serde(bound(
    serialize = "K: Serialize, V: Serialize",
    deserialize = "K: Deserialize<'de> + Hash + Eq, V: Deserialize<'de>"
))]
pub(crate) struct Recent<K, V> {
    #[serde(with = "super::pairs")]
    entries: HashMap<K, (Duration, V)>,
    /// An entry that was not used for this time is forgotten.
    forgotten_after: Option<Duration>,
}

impl<K: Hash + Eq, V: Default> Recent<K, V> {
    pub(crate) fn new(forgotten_after: Option<Duration>) -> Self {
        Recent { entries: HashMap::new(), forgotten_after }
    }

    /// How long ago an entry was last used; `MAX` if there is none.
    fn age(&self, key: &K, now: Duration) -> Duration {
        self.entries.get(key).map_or(Duration::MAX, |(last, _)| now.saturating_sub(*last))
    }

    fn is_forgotten(&self, age: Duration) -> bool {
        self.forgotten_after.is_some_and(|after| age >= after)
    }

    pub(crate) fn get(&mut self, key: &K, now: Duration) -> Option<&mut V> {
        let is_forgotten = self.is_forgotten(self.age(key, now));
        self.entries.get_mut(key).filter(|_| !is_forgotten).map(|(_, value)| value)
    }

    /// An entry, or a new one. It is recent from now on.
    pub(crate) fn entry(&mut self, key: K, now: Duration) -> &mut V {
        if self.is_forgotten(self.age(&key, now)) {
            self.entries.remove(&key);
        }
        if self.entries.len() == self.entries.capacity() && !self.entries.contains_key(&key) {
            self.forget_old(now);
        }
        if self.entries.len() >= REMEMBERED_MAX && !self.entries.contains_key(&key) {
            self.make_room();
        }
        let (last, value) = self.entries.entry(key).or_insert_with(|| (now, V::default()));
        *last = now;
        value
    }

    /// Forgets what was not used for long, before the table would take more memory. If that is less
    /// than half of it, the table grows all the same, so the cost for each entry is negligible.
    fn forget_old(&mut self, now: Duration) {
        let (Some(after), before) = (self.forgotten_after, self.entries.len()) else { return };
        self.entries.retain(|_, (last, _)| now.saturating_sub(*last) < after);
        if self.entries.len() > before / 2 {
            self.entries.reserve(before + 1 - self.entries.len());
        }
    }

    /// Forgets the older half. That happens once in thousands of entries, so the cost for each is
    /// negligible.
    fn make_room(&mut self) {
        let mut times: Vec<Duration> = self.entries.values().map(|(last, _)| *last).collect();
        let (_, middle, _) = times.select_nth_unstable(REMEMBERED_MAX / 2);
        let middle = *middle;
        self.entries.retain(|_, (last, _)| *last > middle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_bounded_and_the_oldest_go() {
        let mut table: Recent<usize, usize> = Recent::new(None);
        for i in 0..3 * REMEMBERED_MAX {
            *table.entry(i, Duration::from_millis(i as u64 / 100)) = i;
        }
        let now = Duration::from_secs(1);
        assert!((REMEMBERED_MAX / 3..=REMEMBERED_MAX).contains(&table.entries.len()));
        assert!(table.get(&(3 * REMEMBERED_MAX - 1), now).is_some());
        assert_eq!(table.get(&0, now), None);
    }

    #[test]
    fn a_full_table_forgets_half_at_once_and_all_if_all_are_equally_old() {
        let mut table: Recent<usize, ()> = Recent::new(None);
        for i in 0..=REMEMBERED_MAX {
            table.entry(i, Duration::from_millis(i as u64));
        }
        assert_eq!(table.entries.len(), REMEMBERED_MAX / 2);
        for i in 0..2 * REMEMBERED_MAX {
            table.entry(i, Duration::from_hours(1));
        }
        assert!(table.entries.len() <= REMEMBERED_MAX);
    }

    #[test]
    fn what_is_forgotten_takes_no_memory() {
        let mut table: Recent<u64, ()> = Recent::new(Some(Duration::from_mins(1)));
        for second in 0..7_000 {
            table.entry(second, Duration::from_secs(second));
        }
        assert!(table.entries.capacity() < 1_000, "{}", table.entries.capacity());
        let now = Duration::from_secs(6_999);
        assert!((6_940..7_000).all(|second| table.get(&second, now).is_some()), "the last minute");
    }

    #[test]
    fn what_is_not_used_is_forgotten() {
        let mut table: Recent<&str, u32> = Recent::new(Some(Duration::from_mins(1)));
        *table.entry("a", Duration::ZERO) = 1;
        assert_eq!(table.get(&"a", Duration::from_secs(59)), Some(&mut 1));
        assert_eq!(table.get(&"a", Duration::from_mins(1)), None);
        assert_eq!(*table.entry("a", Duration::from_mins(1)), 0, "it begins anew");
    }
}
