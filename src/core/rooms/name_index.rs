//! Whose a name is, and whose names look like it.

use crate::core::name::Name;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Values by names. A name is found as the word that it is, in any case; and by its looks.
///
/// No two are let in whose names look alike. But such names may be there already, from a time when
/// fewer looked alike: each of these is found by its own word.
#[derive(Serialize, Deserialize)]
pub(super) struct NameIndex<T> {
    words: BTreeMap<String, T>,
    looks: BTreeMap<String, Vec<T>>,
}

impl<T: Copy + PartialEq> NameIndex<T> {
    pub(super) fn new() -> NameIndex<T> {
        NameIndex { words: BTreeMap::new(), looks: BTreeMap::new() }
    }

    /// Adds a name, in place of the same word.
    pub(super) fn insert(&mut self, name: &Name, value: T) {
        self.words.insert(name.word().to_owned(), value);
        for look in name.looks() {
            let alike = self.looks.entry(look.to_owned()).or_default();
            if !alike.contains(&value) {
                alike.push(value);
            }
        }
    }

    /// Takes away the name of this value, unless another one has taken it meanwhile.
    pub(super) fn remove(&mut self, name: &Name, value: T) {
        if self.words.get(name.word()) == Some(&value) {
            self.words.remove(name.word());
        }
        for look in name.looks() {
            if let Some(alike) = self.looks.get_mut(look) {
                alike.retain(|other| *other != value);
                if alike.is_empty() {
                    self.looks.remove(look);
                }
            }
        }
    }

    /// Every value, in the order of the names.
    pub(super) fn values(&self) -> impl Iterator<Item = T> {
        self.words.values().copied()
    }

    /// Those that this name may mean: whose it is, and then those whose names look like it.
    pub(super) fn alike(&self, name: &Name) -> impl Iterator<Item = T> {
        let word = self.words.get(name.word()).copied();
        let looks = name.looks().filter_map(|look| self.looks.get(look)).flatten().copied();
        word.into_iter().chain(looks.filter(move |other| Some(*other) != word))
    }
}
