//! `/class`: a question to everybody in a room, one answer of each, and the count at the end.

use super::{
    resume::{DAVE, with_carol},
    *,
};
use crate::core::quiz_shown::QuizShown;

const QUESTION: &str = "/class Who waits? | nobody | everybody | the slow one";
const ASKED: &str =
    "*** alice asks: Who waits?\n***   /a  nobody\n***   /b  everybody\n***   /c  the slow one\n";
const HOW: &str = "*** Answer with /a, /b or /c. Nobody is told who chose what.\n";

impl Conversation {
    /// What the view is shown, the last first.
    fn shows(&mut self) -> Option<QuizShown> {
        let actions = self.chat.take_actions().into_iter().rev();
        actions.into_iter().find_map(|action| match action {
            Action::ShowQuiz(shown) => Some(shown),
            _ => None,
        })
    }
}

#[test]
fn everybody_has_one_answer_and_all_read_the_count() {
    let mut chat = Conversation::new();
    chat.asks(CAROL, enter("carol", None));
    chat.finishes();
    let told = chat.is_told(ALICE, QUESTION);
    assert_eq!(told, format!("{ASKED}{HOW}"));
    assert_eq!(chat.reads(BOB), told);
    assert_eq!(chat.shows().unwrap().counts, None, "nobody copies what the others choose");
    let told = chat.is_told(BOB, "/a");
    assert_eq!(
        told,
        "*** Your answer is A: nobody. Another letter replaces it until the question is closed.\n"
    );
    assert_eq!(chat.reads(ALICE) + &chat.reads(CAROL), "", "and nobody else is told");
    assert!(chat.is_told(BOB, "/answer B").contains("Your answer is B: everybody."));
    assert_eq!(
        chat.is_told(ALICE, "/class"),
        "*** The question is open: Who waits?\n\
         ***   A    0                        nobody\n\
         ***   B    1  #                     everybody\n\
         ***   C    0                        the slow one\n\
         *** 1 of 2 have answered.\n"
    );
    chat.is_told(CAROL, "/C");
    assert_eq!(
        chat.reads(ALICE),
        "*** Everybody here has answered: /class close shows the count.\n"
    );
    chat.is_told(CAROL, "/b");
    assert_eq!(chat.reads(ALICE), "", "once");
    assert_eq!(chat.shows().unwrap().answers, 2);
    let told = chat.is_told(ALICE, "/class close");
    assert_eq!(
        told,
        "*** alice closed the question: Who waits?\n\
         ***   A    0                        nobody\n\
         ***   B    2  ##                    everybody\n\
         ***   C    0                        the slow one\n\
         *** 2 of 2 answered.\n"
    );
    assert_eq!(chat.reads(BOB), told);
    assert_eq!(chat.shows().unwrap().counts, Some(vec![0, 2, 0]));
    assert_eq!(chat.is_told(BOB, "/a"), "*** No question is open in lobby.\n");
}

#[test]
fn a_newcomer_is_told_what_is_asked_and_the_history_has_it() {
    let mut chat = Conversation::new();
    chat.types(ALICE, QUESTION);
    chat.asks(CAROL, enter("carol", None));
    chat.finishes();
    assert!(chat.reads(CAROL).contains(&format!("{ASKED}{HOW}")));
    chat.is_told(CAROL, "/a");
    assert_eq!(chat.is_told(CAROL, "/answer"), format!("{ASKED}*** Your answer is A.\n"));
    let told = chat.is_told(CAROL, "/join red");
    assert!(!told.contains("asks"), "another room is asked nothing: {told}");
    assert_eq!(chat.is_told(CAROL, "/b"), "*** No question is open in red.\n");
    assert!(chat.is_told(CAROL, "/leave").contains(HOW), "and the answer was left behind");
    chat.forgets();
    chat.types(ALICE, "/class close");
    let written = chat.finishes();
    let lines = written.iter().filter(|change| matches!(change, Change::RoomMessage { .. }));
    assert_eq!(lines.count(), 5);
    assert!(chat.is_told(BOB, "/history").contains(") ***   A    0 "));
}

#[test]
fn nobody_has_two_answers_by_coming_again_and_an_answer_comes_back_with_its_client() {
    let mut chat = with_carol();
    chat.types(ALICE, QUESTION);
    chat.types(CAROL, "/a");
    chat.types(BOB, "/b");
    chat.departs(BOB, CloseReason::Closed);
    chat.asks(5, enter("robert", None));
    chat.types(5, "/b");
    assert!(chat.is_told(ALICE, "/class").contains("*** 2 of 2 have answered."));
    chat.departs(CAROL, CloseReason::Closed);
    assert!(chat.is_told(ALICE, "/class").contains("*** 1 of 1 have answered."));
    assert_eq!(chat.shows().unwrap().answers, 1);
    assert!(chat.resumes(DAVE, 1, 2).contains("*** Your answer is A.\n"));
    assert!(chat.is_told(ALICE, "/class").contains("*** 2 of 2 have answered."));
    // They were away while another question was opened.
    chat.departs(DAVE, CloseReason::Closed);
    chat.types(ALICE, "/class close");
    chat.types(ALICE, QUESTION);
    assert!(chat.resumes(6, 2, 3).contains(HOW));
    assert!(chat.is_told(ALICE, "/class").contains("*** 0 of 2 have answered."));
}

#[test]
fn a_question_that_makes_no_sense_is_not_asked() {
    let mut chat = Conversation::new();
    let usage = "*** Like this: /class [QUESTION | ANSWER | ANSWER …|close]\n";
    for typed in ["Who waits?", "Who waits? | all", "| a | b", "Who? | a | | b", "Who? |", "|||"] {
        assert_eq!(chat.is_told(ALICE, &format!("/class {typed}")), usage, "{typed}");
    }
    let told = chat.is_told(ALICE, "/class Who? | 1 | 2 | 3 | 4 | 5 | 6 | 7");
    assert_eq!(told, "*** At most 6 answers can be chosen from.\n");
    for (client, typed, answer) in [
        (ALICE, "/class", "*** No question is open in lobby.\n"),
        (ALICE, "/class close", "*** No question is open in lobby.\n"),
        (BOB, "/answer", "*** No question is open in lobby.\n"),
        (BOB, "/class close", "*** That is for administrators.\n"),
    ] {
        assert_eq!(chat.is_told(client, typed), answer, "{typed}");
    }
    chat.types(ALICE, QUESTION);
    assert!(chat.is_told(ALICE, QUESTION).contains("A question is open here"));
    for (typed, said) in [("/d", "d"), ("/answer 1", "1"), ("/a b", "a b"), ("/answer ä", "ä")] {
        let refused = format!("*** {said} is none of the answers. /answer shows them.\n");
        assert_eq!(chat.is_told(BOB, typed), refused, "{typed}");
    }
    assert_eq!(chat.is_told(BOB, "/g"), "*** There is no command /g. /help lists them.\n");
    assert!(chat.is_told(ALICE, "/class close").contains("*** Nobody answered.\n"));
    let told = chat.is_told(ALICE, "/class Six? | 1 | 2 | 3 | 4 | 5 | 6");
    assert!(told.contains("***   /f  6\n"), "{told}");
}
