//! Who may look at the view: a ticket is a random number that holds once, for a minute.

use crate::{
    lock::{LockKind, Locked},
    server::page_at::PageAt,
};
use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

/// How long a ticket holds: the time to copy an address into a browser.
const HOLDS: Duration = Duration::from_mins(1);
/// Tickets that hold at once: a class in which everybody asks for one. The oldest gives way.
const TICKETS_MAX: usize = 1024;
/// Those of one person: nobody asks until the others' tickets are gone. The oldest gives way.
const TICKETS_OF_ONE: usize = 8;

/// Who looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Who {
    pub(crate) name: String,
    /// An administrator, who may make trouble on purpose.
    pub(crate) may: bool,
}

struct Ticket {
    text: String,
    who: Who,
    until: Instant,
}

/// The tickets that hold, and where they lead.
pub(crate) struct Tickets {
    all: Locked<Vec<Ticket>>,
    /// Where browsers reach the server.
    page: OnceLock<PageAt>,
}

impl Default for Tickets {
    fn default() -> Tickets {
        Tickets { all: Locked::new(LockKind::Tickets, Vec::new()), page: OnceLock::new() }
    }
}

/// 128 random bits, in hexadecimal digits.
pub(crate) fn random() -> Result<String, String> {
    let half = || getrandom::u64().map_err(|e| format!("The system has no random number: {e}."));
    Ok(format!("{:016x}{:016x}", half()?, half()?))
}

impl Tickets {
    /// Browsers reach the server here.
    pub(crate) fn set_page(&self, page: PageAt) {
        let _ = self.page.set(page);
    }

    /// Makes a ticket for `who`. Returns it, and the address to open with it.
    ///
    /// # Errors
    /// A sentence that says why there is no view.
    pub(crate) fn give(&self, who: Who) -> Result<(String, String), String> {
        let page = self.page.get().ok_or("There is no view: the server serves no browsers.")?;
        let ticket = random()?;
        self.add(ticket.clone(), who);
        let address = format!("{}/view#{ticket}", page.url());
        Ok((ticket, address))
    }

    /// From now on this ticket holds, for `who`.
    pub(crate) fn add(&self, text: String, who: Who) {
        let now = Instant::now();
        let mut all = self.all.lock();
        all.retain(|ticket| ticket.until > now);
        let own = |ticket: &Ticket| ticket.who.name == who.name;
        if all.iter().filter(|ticket| own(ticket)).count() == TICKETS_OF_ONE {
            let oldest = all.iter().position(own);
            oldest.map(|at| all.remove(at));
        } else if all.len() == TICKETS_MAX {
            all.remove(0);
        }
        all.push(Ticket { text, who, until: now + HOLDS });
    }

    /// Uses a ticket up. `None`: there is no such one.
    pub(crate) fn take(&self, text: &str) -> Option<Who> {
        let now = Instant::now();
        let mut all = self.all.lock();
        all.retain(|ticket| ticket.until > now);
        let at = all.iter().position(|ticket| ticket.text == text)?;
        Some(all.remove(at).who)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_holds_once_and_for_a_minute() {
        let tickets = Tickets::default();
        let alice = Who { name: "alice".to_owned(), may: false };
        let (first, second) = (random().unwrap(), random().unwrap());
        assert!(first.len() == 32 && first != second);
        tickets.add(first.clone(), alice.clone());
        assert_eq!(tickets.take(&second), None);
        assert_eq!(tickets.take(&first), Some(alice.clone()));
        assert_eq!(tickets.take(&first), None, "it was used");
        tickets.add(second.clone(), alice.clone());
        tickets.all.lock()[0].until = Instant::now();
        assert_eq!(tickets.take(&second), None, "it is too old");
        let person = |n: usize| Who { name: n.to_string(), may: false };
        (0..=TICKETS_MAX).for_each(|n| tickets.add(n.to_string(), person(n)));
        let count = tickets.all.lock().len();
        assert_eq!((count, tickets.take("0")), (TICKETS_MAX, None));
    }

    #[test]
    fn nobody_asks_until_the_tickets_of_others_are_gone() {
        let tickets = Tickets::default();
        let [alice, bob] = ["alice", "bob"].map(|name| Who { name: name.to_owned(), may: false });
        tickets.add("alice's".to_owned(), alice.clone());
        (0..=TICKETS_MAX).for_each(|n| tickets.add(n.to_string(), bob.clone()));
        assert_eq!(tickets.all.lock().len(), 1 + TICKETS_OF_ONE);
        assert_eq!(tickets.take("alice's"), Some(alice));
        assert_eq!(tickets.take(&TICKETS_MAX.to_string()), Some(bob));
    }
}
