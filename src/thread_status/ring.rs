//! The last transitions of one thread, while a recording is made.

use super::Transition;

/// Transitions kept of each thread: 32 KiB, taken only once a thread does something during a
/// recording. In ten seconds an ordinary client's thread makes some hundred.
pub(crate) const RING_MAX: usize = 4096;

/// The last transitions of a thread.
#[derive(Default)]
pub(crate) struct Ring {
    transitions: Vec<Transition>,
    /// Where the next one goes once the ring is full.
    next: usize,
    /// Older transitions that were overwritten.
    pub(crate) lost: u64,
}

impl Ring {
    pub(super) fn push(&mut self, transition: Transition) {
        if self.transitions.len() < RING_MAX {
            return self.transitions.push(transition);
        }
        self.transitions[self.next] = transition;
        self.next = (self.next + 1) % RING_MAX;
        self.lost += 1;
    }

    /// The transitions, oldest first.
    pub(crate) fn into_transitions(mut self) -> Vec<Transition> {
        self.transitions.rotate_left(self.next);
        self.transitions
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::thread_status::activity::Activity;

    #[test]
    fn the_last_are_kept_in_their_order_and_the_others_counted() {
        let mut ring = Ring::default();
        let at = |nanos| Transition::new(nanos, Activity::Working);
        (0..RING_MAX as u64 + 10).for_each(|nanos| ring.push(at(nanos)));
        assert_eq!(ring.lost, 10);
        let kept = ring.into_transitions();
        assert_eq!((kept.len(), kept[0].nanos(), kept[RING_MAX - 1].nanos()), (4096, 10, 4105));
    }
}
