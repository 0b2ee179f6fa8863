//! A question that an administrator asks the class, with answers to choose from. It belongs to a
//! room, and ends with the server, as raised hands do.

use super::ClientKey;
use crate::core::{
    notice::{Refusal, notice},
    pairs,
    record::LineId,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most answers to choose from: they have the letters from A on.
pub(crate) const CHOICES_MAX: usize = 6;
/// Columns of the longest bar.
const BAR: usize = 20;

/// An open question.
#[derive(Serialize, Deserialize)]
pub(crate) struct Quiz {
    /// The number of its first line, which tells it from another one.
    id: LineId,
    pub(super) by: String,
    pub(super) question: String,
    pub(super) choices: Vec<String>,
    /// Which of them each member has chosen. Whoever leaves the room takes their answer along, so
    /// nobody has two by coming again.
    #[serde(with = "pairs")]
    answers: BTreeMap<ClientKey, usize>,
}

/// A member's answer, while they are away: to which question, and which.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct AnswerKept {
    quiz: LineId,
    choice: usize,
}

impl Quiz {
    /// A question as it is typed: `QUESTION | ANSWER | ANSWER …`.
    pub(crate) fn read(id: LineId, by: String, typed: &str) -> Result<Quiz, Refusal> {
        let mut parts = typed.split('|').map(str::trim);
        let question = parts.next().unwrap_or_default().to_owned();
        let choices: Vec<String> = parts.map(str::to_owned).collect();
        if choices.len() < 2 || question.is_empty() || choices.iter().any(String::is_empty) {
            return Err(Refusal::Usage);
        }
        if choices.len() > CHOICES_MAX {
            return Err(format!("At most {CHOICES_MAX} answers can be chosen from.").into());
        }
        Ok(Quiz { id, by, question, choices, answers: BTreeMap::new() })
    }

    // --- Answers ---

    /// The answer that a letter means.
    pub(crate) fn choice(&self, letter: &str) -> Option<usize> {
        let [letter] = letter.as_bytes() else { return None };
        let choice = usize::from(letter.to_ascii_lowercase().checked_sub(b'a')?);
        (choice < self.choices.len()).then_some(choice)
    }

    /// A member chooses an answer. Returns the one that they chose before.
    pub(crate) fn answer(&mut self, client: ClientKey, choice: usize) -> Option<usize> {
        self.answers.insert(client, choice)
    }

    pub(crate) fn has_answered(&self, client: ClientKey) -> bool {
        self.answers.contains_key(&client)
    }

    /// Takes a member's answer out. Returns whether there was one.
    pub(super) fn forget(&mut self, client: ClientKey) -> bool {
        self.answers.remove(&client).is_some()
    }

    /// The answer of a member who is about to go.
    pub(super) fn answer_of(&self, client: ClientKey) -> Option<AnswerKept> {
        let choice = *self.answers.get(&client)?;
        Some(AnswerKept { quiz: self.id, choice })
    }

    /// A member is back. Their answer holds, if it is to this question.
    pub(super) fn take_back(&mut self, client: ClientKey, kept: AnswerKept) {
        if kept.quiz == self.id {
            self.answers.insert(client, kept.choice);
        }
    }

    pub(super) fn counts(&self) -> Vec<usize> {
        let chose = |choice| self.answers.values().filter(|&&chosen| chosen == choice).count();
        (0..self.choices.len()).map(chose).collect()
    }

    // --- Words ---

    /// The question, the answers, and how to choose one; for a member, also what they chose.
    pub(crate) fn describe(&self, client: Option<ClientKey>) -> String {
        let mut text = notice(format_args!("{} asks: {}", self.by, self.question));
        let mut letters = String::new();
        for (choice, words) in self.choices.iter().enumerate() {
            let letter = letter(choice).to_ascii_lowercase();
            text.push_str(&format!("***   /{letter}  {words}\n"));
            letters += match choice {
                0 => "",
                _ if choice + 1 == self.choices.len() => " or ",
                _ => ", ",
            };
            letters += &format!("/{letter}");
        }
        text.push_str(&match client.and_then(|client| self.answers.get(&client)) {
            Some(&choice) => notice(format_args!("Your answer is {}.", letter(choice))),
            None => notice(format_args!("Answer with {letters}. Nobody is told who chose what.")),
        });
        text
    }

    /// What a member is told who has chosen.
    pub(crate) fn describe_choice(&self, choice: usize) -> String {
        let words = &self.choices[choice];
        notice(format_args!(
            "Your answer is {}: {words}. Another letter replaces it until the question is closed.",
            letter(choice)
        ))
    }

    /// How many have chosen each answer, as a table with bars. `heading`: `The question is open`.
    pub(crate) fn describe_counts(&self, heading: &str) -> String {
        let counts = self.counts();
        let most = counts.iter().copied().max().unwrap_or(0).max(BAR);
        let mut text = notice(format_args!("{heading}: {}", self.question));
        for ((choice, words), count) in self.choices.iter().enumerate().zip(counts) {
            let bar = "#".repeat((count * BAR).div_ceil(most));
            text.push_str(&format!("***   {} {count:>4}  {bar:<BAR$}  {words}\n", letter(choice)));
        }
        text
    }

    pub(crate) fn answered(&self) -> usize {
        self.answers.len()
    }
}

/// `A` for the first answer.
fn letter(choice: usize) -> char {
    char::from(b'A' + choice as u8)
}
