//! Channels as in `crossbeam_channel`, with its `select!` and `select_biased!`.

use super::{Waiting, random, time::Instant, wait};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

pub(crate) use crate::{select, select_biased};
pub(crate) use crossbeam::*;

/// Errors, as they are there.
mod crossbeam {
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct RecvError;
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum TryRecvError {
        Empty,
        Disconnected,
    }
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum RecvTimeoutError {
        Timeout,
        Disconnected,
    }
    pub(crate) struct SendError<T>(pub(crate) T);
    impl<T> std::fmt::Debug for SendError<T> {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("SendError")
        }
    }
    #[derive(Debug)]
    pub(crate) enum TrySendError<T> {
        Full(T),
        Disconnected(T),
    }
    impl<T> TrySendError<T> {
        pub(crate) fn into_inner(self) -> T {
            let (TrySendError::Full(value) | TrySendError::Disconnected(value)) = self;
            value
        }
    }
    #[derive(Debug)]
    pub(crate) enum SendTimeoutError<T> {
        Timeout(T),
        Disconnected(T),
    }
}

/// What both ends share. Its mutex is held for no point at which others go on.
struct Shared<T> {
    state: Mutex<State<T>>,
    changes: Waiting,
}

struct State<T> {
    queue: VecDeque<T>,
    most: usize,
    senders: usize,
    receivers: usize,
}

pub(crate) struct Sender<T>(Arc<Shared<T>>);

pub(crate) struct Receiver<T>(Kind<T>);

enum Kind<T> {
    Queue(Arc<Shared<T>>),
    /// Something comes at this time.
    At(Instant, fn(Instant) -> T),
    Never,
}

pub(crate) fn bounded<T>(most: usize) -> (Sender<T>, Receiver<T>) {
    let state = State { queue: VecDeque::new(), most, senders: 1, receivers: 1 };
    let shared = Arc::new(Shared { state: Mutex::new(state), changes: Waiting::default() });
    (Sender(shared.clone()), Receiver(Kind::Queue(shared)))
}

pub(crate) fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    bounded(usize::MAX)
}

pub(crate) fn never<T>() -> Receiver<T> {
    Receiver(Kind::Never)
}

pub(crate) fn at(when: Instant) -> Receiver<Instant> {
    Receiver(Kind::At(when, |when| when))
}

impl<T> Shared<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap()
    }
}

impl<T> Sender<T> {
    pub(crate) fn send(&self, value: T) -> Result<(), SendError<T>> {
        match self.send_until(value, None) {
            Ok(()) => Ok(()),
            Err(SendTimeoutError::Timeout(value) | SendTimeoutError::Disconnected(value)) => {
                Err(SendError(value))
            }
        }
    }

    pub(crate) fn send_deadline(
        &self,
        value: T,
        until: Instant,
    ) -> Result<(), SendTimeoutError<T>> {
        self.send_until(value, Some(until))
    }

    pub(crate) fn send_timeout(
        &self,
        value: T,
        at_most: Duration,
    ) -> Result<(), SendTimeoutError<T>> {
        self.send_until(value, Some(Instant::now() + at_most))
    }

    fn send_until(&self, value: T, until: Option<Instant>) -> Result<(), SendTimeoutError<T>> {
        let mut value = Some(value);
        let sent = wait(&[&self.0.changes], until, || self.try_now(&mut value));
        let back = |value: Option<T>| value.expect("it was not sent");
        match sent {
            Some(true) => Ok(()),
            Some(false) => Err(SendTimeoutError::Disconnected(back(value))),
            None => Err(SendTimeoutError::Timeout(back(value))),
        }
        .inspect(|()| self.0.changes.wake())
    }

    /// `None`: it is full. Otherwise, whether somebody may receive it.
    fn try_now(&self, value: &mut Option<T>) -> Option<bool> {
        let mut state = self.0.state();
        if state.receivers == 0 {
            return Some(false);
        }
        (state.queue.len() < state.most).then(|| {
            state.queue.extend(value.take());
            true
        })
    }

    pub(crate) fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        super::point();
        let mut value = Some(value);
        let sent = self.try_now(&mut value);
        match (sent, value) {
            (None, Some(value)) => Err(TrySendError::Full(value)),
            (_, Some(value)) => Err(TrySendError::Disconnected(value)),
            (_, None) => {
                self.0.changes.wake();
                Ok(())
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.state().queue.len()
    }

    pub(crate) fn capacity(&self) -> Option<usize> {
        Some(self.0.state().most).filter(|&most| most < usize::MAX)
    }
}

impl<T> Receiver<T> {
    /// What can be received now.
    pub(crate) fn poll(&self) -> Option<Result<T, RecvError>> {
        match &self.0 {
            Kind::Never => None,
            Kind::At(when, make) => (Instant::now() >= *when).then(|| Ok(make(*when))),
            Kind::Queue(shared) => {
                let mut state = shared.state();
                let is_over = state.senders == 0;
                state.queue.pop_front().map(Ok).or_else(|| is_over.then_some(Err(RecvError)))
            }
        }
    }

    pub(crate) fn is_ready(&self) -> bool {
        match &self.0 {
            Kind::Never => false,
            Kind::At(when, _) => Instant::now() >= *when,
            Kind::Queue(shared) => {
                let state = shared.state();
                !state.queue.is_empty() || state.senders == 0
            }
        }
    }

    /// The calling thread will be woken when something comes.
    pub(crate) fn add_waiting(&self) {
        match &self.0 {
            Kind::Never => {}
            Kind::At(..) => super::time::PASSES.add(),
            Kind::Queue(shared) => shared.changes.add(),
        }
    }

    /// Somebody may wait for the room.
    pub(crate) fn wake(&self) {
        if let Kind::Queue(shared) = &self.0 {
            shared.changes.wake();
        }
    }

    fn recv_until(&self, until: Option<Instant>) -> Result<T, RecvTimeoutError> {
        let Kind::Queue(shared) = &self.0 else { panic!("such a channel is only selected from") };
        let received = wait(&[&shared.changes], until, || self.poll());
        self.wake();
        match received {
            Some(received) => received.map_err(|_| RecvTimeoutError::Disconnected),
            None => Err(RecvTimeoutError::Timeout),
        }
    }

    pub(crate) fn recv(&self) -> Result<T, RecvError> {
        self.recv_until(None).map_err(|_| RecvError)
    }

    pub(crate) fn recv_deadline(&self, until: Instant) -> Result<T, RecvTimeoutError> {
        self.recv_until(Some(until))
    }

    pub(crate) fn recv_timeout(&self, at_most: Duration) -> Result<T, RecvTimeoutError> {
        self.recv_until(Some(Instant::now() + at_most))
    }

    pub(crate) fn try_recv(&self) -> Result<T, TryRecvError> {
        super::point();
        let received = self.poll().ok_or(TryRecvError::Empty)?;
        self.wake();
        received.map_err(|_| TryRecvError::Disconnected)
    }

    pub(crate) fn try_iter(&self) -> impl Iterator<Item = T> + '_ {
        std::iter::from_fn(|| self.try_recv().ok())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = T> + '_ {
        std::iter::from_fn(|| self.recv().ok())
    }

    pub(crate) fn len(&self) -> usize {
        match &self.0 {
            Kind::Queue(shared) => shared.state().queue.len(),
            _ => 0,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Sender<T> {
        self.0.state().senders += 1;
        Sender(self.0.clone())
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Receiver<T> {
        let Kind::Queue(shared) = &self.0 else { panic!("such a channel is not cloned") };
        shared.state().receivers += 1;
        Receiver(Kind::Queue(shared.clone()))
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.state().senders -= 1;
        super::wake_at_end(&self.0.changes);
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        if let Kind::Queue(shared) = &self.0 {
            let mut state = shared.state();
            state.receivers -= 1;
            // As there: what nobody can receive any more is dropped.
            let left = if state.receivers == 0 {
                std::mem::take(&mut state.queue)
            } else {
                VecDeque::new()
            };
            drop(state);
            drop(left);
            super::wake_at_end(&shared.changes);
        }
    }
}

/// Waits for the first of several channels. Of those that are ready, any is taken.
#[macro_export]
macro_rules! select {
    ($(recv($receiver:expr) -> $received:pat => $body:expr),+ $(,)?) => {'selected: {
        $crate::model::point();
        let chosen = loop {
            let all = [$($crate::model::channel::is_ready(&$receiver)),+];
            if let Some(chosen) = $crate::model::channel::choose(&all) {
                break chosen;
            }
            $($crate::model::channel::add_waiting(&$receiver);)+
            ::shuttle::thread::park();
        };
        let mut number = 0;
        $(
            if chosen == number {
                let $received = $crate::model::channel::take(&$receiver);
                break 'selected $body;
            }
            #[allow(unused_assignments)]
            {
                number += 1;
            }
        )+
        unreachable!()
    }};
}

/// Takes from the first of several channels that is ready. If none is, waits, up to a time.
#[macro_export]
macro_rules! select_biased {
    (
        $(recv($receiver:expr) -> $received:pat => $body:expr,)+
        default($at_most:expr) => $otherwise:expr $(,)?
    ) => {'selected: {
        $crate::model::point();
        let until = $crate::model::time::Instant::now() + $at_most;
        let chosen = loop {
            let all = [$($crate::model::channel::is_ready(&$receiver)),+];
            if let Some(chosen) = all.iter().position(|is_ready| *is_ready) {
                break chosen;
            }
            if $crate::model::time::Instant::now() >= until {
                break all.len();
            }
            $($crate::model::channel::add_waiting(&$receiver);)+
            $crate::model::time::wait();
            ::shuttle::thread::park();
        };
        let mut number = 0;
        $(
            if chosen == number {
                let $received = $crate::model::channel::take(&$receiver);
                break 'selected $body;
            }
            #[allow(unused_assignments)]
            {
                number += 1;
            }
        )+
        $otherwise
    }};
}

pub(crate) fn is_ready<T>(receiver: &Receiver<T>) -> bool {
    receiver.is_ready()
}

pub(crate) fn add_waiting<T>(receiver: &Receiver<T>) {
    receiver.add_waiting();
}

pub(crate) fn choose(ready: &[bool]) -> Option<usize> {
    let ready: Vec<usize> = (0..ready.len()).filter(|&number| ready[number]).collect();
    (!ready.is_empty()).then(|| ready[random(ready.len())])
}

/// It was ready, and nobody else receives from it.
pub(crate) fn take<T>(receiver: &Receiver<T>) -> Result<T, RecvError> {
    let received = receiver.poll().expect("it was ready");
    receiver.wake();
    received
}
