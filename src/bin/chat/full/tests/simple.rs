//! Chance, and a typed line without any skill.

/// Numbers that no clock decides.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % most
    }

    pub(super) fn of(&mut self, letters: &[char]) -> char {
        letters[self.below(letters.len())]
    }
}

/// The typed line as anybody would write it down.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Simple {
    pub(super) text: Vec<char>,
    pub(super) at: usize,
}

impl Simple {
    pub(super) fn insert(&mut self, text: &str) {
        for c in text.chars() {
            self.text.insert(self.at, c);
            self.at += 1;
        }
    }

    pub(super) fn string(&self) -> String {
        self.text.iter().collect()
    }
}
