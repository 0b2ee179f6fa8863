//! A search: the lines that it is about are indexed first, a piece at a time, and then it is asked.
//! Runs on thread `historian`.

use super::{Historian, Search};
use crate::{
    server::{
        history::handle::{ANSWER_PATIENCE, Question},
        status::Activity,
    },
    store::INDEX_CHUNK,
};
use std::time::{Duration, Instant};

/// How long lines are indexed for a search: some 400,000 of them. Then it looks at those that are
/// indexed. The rest of [`ANSWER_PATIENCE`] is for the answer, and for other searches.
const INDEXING_MAX: Duration = Duration::from_secs(3);

impl Historian {
    pub(super) fn begin_search(&mut self, question: Question) {
        match self.without_waiting(|store| store.last_line()) {
            Ok(last) => self.go_on_searching(Search { question, last }),
            Err(_) => self.answer(question, None), // and says why not
        }
    }

    /// Answers a search if every line that it is about is indexed, or cannot be indexed in time.
    /// Otherwise indexes some of them.
    pub(super) fn go_on_searching(&mut self, search: Search) {
        self.status.set(Activity::TidyingUp);
        if self.without_waiting(|store| store.is_indexed(search.last)).unwrap_or(true) {
            return self.answer(search.question, None);
        }
        let may_take_until = search.question.until + INDEXING_MAX - ANSWER_PATIENCE;
        if self.is_stopping() || Instant::now() >= may_take_until {
            let why = "the newest lines are not indexed yet; ask again in a moment.";
            return self.answer(search.question, Some(why.to_owned()));
        }
        match self.without_waiting(|store| store.index_some(INDEX_CHUNK)) {
            Ok(_) => self.search = Some(search),
            Err(error) => {
                let why = format!("the newest lines are not indexed: {}", error.kind.brief());
                self.answer(search.question, Some(why));
            }
        }
    }
}
