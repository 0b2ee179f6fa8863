//! What `/demo` can show a class: the classic troubles of a server with threads, each with the
//! question that is asked first. Plain data; whoever runs the server makes the trouble.

/// One trouble that can be shown.
#[derive(Debug, PartialEq, Eq)]
pub struct Hazard {
    /// As it is typed: `/demo freeze`.
    pub name: &'static str,
    /// As it stands on a button.
    pub label: &'static str,
    /// What everybody is told that happens. In it `{}` stands for the milliseconds.
    pub does: &'static str,
    /// What the class is asked first.
    pub question: &'static str,
    /// Three answers.
    pub answers: [&'static str; 3],
    /// Which of them is right.
    pub right: usize,
    /// Why, in a sentence.
    pub because: &'static str,
    /// The seconds after which it has ended by itself.
    pub seconds: u64,
    /// Clients that it needs for itself.
    pub clients: usize,
    /// Milliseconds that may be chosen. The first is usual.
    pub choices: &'static [u64],
}

/// Everything that can be shown, in the order of a lesson.
pub static HAZARDS: [Hazard; 9] = [
    Hazard {
        name: "freeze",
        label: "freeze a reader",
        does: "one client stops reading, while another says 400 lines a second in room demo",
        question: "Who notices that one client does not read?",
        answers: ["nobody else", "whoever talks to it", "everybody in its room"],
        right: 0,
        because: "What it does not read waits in its outbox. At the mark it is hung up.",
        seconds: 15,
        clients: 2,
        choices: &[],
    },
    Hazard {
        name: "flood",
        label: "flood",
        does: "one client says as much as it can, first under --flood, then without a limit",
        question: "What slows a client down that never stops talking?",
        answers: ["the server reads it more slowly", "its own network", "a warning"],
        right: 0,
        because: "Its own thread pauses. Without a limit a full queue does the same to everybody.",
        seconds: 10,
        clients: 4,
        choices: &[],
    },
    Hazard {
        name: "panic",
        label: "panic",
        does: "the thread of one client panics",
        question: "Who is thrown out when one client's thread panics?",
        answers: ["that client alone", "everybody in its room", "everybody"],
        right: 0,
        because: "A panic unwinds one thread's stack, and that thread serves nobody else.",
        seconds: 5,
        clients: 1,
        choices: &[],
    },
    Hazard {
        name: "registry",
        label: "hold the registry",
        does: "a thread holds the lock of the registry for 3 s",
        question: "Who waits while one thread holds the lock of the registry?",
        answers: ["whoever comes or leaves", "whoever talks", "everybody"],
        right: 0,
        because: "Talk does not need the registry; who is here is looked up by coming and leaving.",
        seconds: 3,
        clients: 0,
        choices: &[],
    },
    Hazard {
        name: "outbox",
        label: "hold an outbox",
        does: "a thread holds the lock of one client's outbox for 1 s",
        question: "Who waits while one thread holds the lock of one client's outbox?",
        answers: ["that client alone", "whoever comes or leaves", "everybody who talks or reads"],
        right: 2,
        because: "The fan-out waits for the lock, and everybody's talk goes through the fan-out.",
        seconds: 5,
        clients: 2,
        choices: &[],
    },
    Hazard {
        name: "disk",
        label: "slow disk",
        does: "the disk takes {} ms more for each batch, while one client says 100 lines a second in room demo",
        question: "What becomes of a line while the disk is slow?",
        answers: ["it is lost", "it is shown later", "it is shown at once and written later"],
        right: 1,
        because: "Nothing is shown before it is written. The slower the disk, the larger the batches.",
        seconds: 30,
        clients: 1,
        choices: &[500, 50, 2000],
    },
    Hazard {
        name: "logins",
        label: "50 log in",
        does: "fifty clients give a password at once",
        question: "How long does the room wait while fifty passwords are compared?",
        answers: ["not at all", "as long as one takes", "as long as all fifty take"],
        right: 0,
        because: "Each waits on its own thread, and two are compared at a time.",
        seconds: 15,
        clients: 50,
        choices: &[],
    },
    Hazard {
        name: "joins",
        label: "100 join",
        does: "a hundred clients come at once, and go after 10 s",
        question: "How many more threads does the server have then?",
        answers: ["none: a few threads serve all", "one for each client", "one for each core"],
        right: 1,
        because: "That is what this server is: one thread per connection.",
        seconds: 15,
        clients: 100,
        choices: &[],
    },
    Hazard {
        name: "slow",
        label: "slow motion",
        does: "the fan-out waits 200 ms between its steps",
        question: "Who sends a line to everybody in the room?",
        answers: ["the talker's own thread", "each reader's own thread", "the fan-out"],
        right: 2,
        because: "One thread makes one order, and sends once to each client.",
        seconds: 60,
        clients: 0,
        choices: &[],
    },
];

impl Hazard {
    /// The one of this name.
    pub fn named(name: &str) -> Option<&'static Hazard> {
        HAZARDS.iter().find(|hazard| hazard.name.eq_ignore_ascii_case(name))
    }

    /// What happens, with this number of milliseconds.
    pub fn describe(&self, with: u64) -> String {
        self.does.replace("{}", &with.to_string())
    }

    /// Its question and its three answers, in one line.
    pub fn asks(&self) -> String {
        let [a, b, c] = self.answers;
        format!("{} (A) {a}; (B) {b}; (C) {c}?", self.question)
    }

    /// The right answer, and why.
    pub fn answer(&self) -> String {
        let letter = ["A", "B", "C"][self.right];
        format!("{} ({letter}) {}. {}", self.question, self.answers[self.right], self.because)
    }
}

/// What an administrator wants to be done.
#[derive(Clone, Copy, Debug)]
pub enum DemoRequest {
    /// Ask everybody its question.
    Ask(&'static Hazard),
    /// Show it; with this number of milliseconds.
    Begin(&'static Hazard, Option<u64>),
    /// End it, or all of them.
    Stop(Option<&'static Hazard>),
    /// Say what there is, and what is being shown.
    List,
}

/// Everybody is to be told something about a demonstration.
#[derive(Clone, Debug)]
pub struct Announcement {
    /// Which one; `None`: all of them.
    pub hazard: Option<&'static Hazard>,
    /// Who wants it; `None`: it ended by itself.
    pub by: Option<String>,
    /// For the audit.
    pub audit: String,
    /// The sentence.
    pub says: String,
    /// From now on it is being shown, or it is over; `None`: neither begins or ends.
    pub is_shown: Option<bool>,
}
