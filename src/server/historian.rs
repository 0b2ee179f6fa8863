//! STUB
use super::status::Status;
use crate::core::record::{Found, Query, Record, Remembered};
use crossbeam_channel::{Receiver, Sender, bounded, select};
use jiff::Timestamp;
use std::sync::Arc;
pub enum News {
    Written(Result<(), String>),
    Failing { why: String, since: Timestamp },
    Again { hole: Option<(Timestamp, Timestamp)> },
    Changed(Remembered),
}
pub struct Desk {
    pub writes: Sender<Vec<Record>>,
    pub news: Receiver<News>,
}
#[derive(Clone)]
pub struct Reading {
    q: Sender<(Query, Sender<Found>)>,
}
impl Reading {
    pub fn ask(&self, q: Query) -> Found {
        let (s, r) = bounded(1);
        let _ = self.q.send((q, s));
        r.recv().unwrap_or(Found::Unavailable("gone".into()))
    }
}
pub struct Historian {
    pub status: Arc<Status>,
    w: Receiver<Vec<Record>>,
    n: Sender<News>,
    q: Receiver<(Query, Sender<Found>)>,
}
pub struct Memory {
    pub keeps_talk: bool,
}
pub fn open(_: &Memory) -> anyhow::Result<(Remembered, Desk, Reading, Historian)> {
    let (ws, wr) = bounded(1);
    let (ns, nr) = bounded(8);
    let (qs, qr) = bounded(64);
    Ok((
        Remembered::default(),
        Desk { writes: ws, news: nr },
        Reading { q: qs },
        Historian { status: Status::new("historian"), w: wr, n: ns, q: qr },
    ))
}
impl Historian {
    pub fn run(self) {
        let mut hash = None;
        loop {
            select! {
                recv(self.w) -> w => { let Ok(w) = w else { return };
                    for r in &w { use crate::core::record::What; match &r.what { What::Registered(_, h) | What::Rehashed(_, h) => hash = Some(h.clone()), _ => {} } }
                    let _ = self.n.send(News::Written(Ok(()))); }
                recv(self.q) -> q => { let Ok((q, s)) = q else { let _ = self.w.recv(); continue };
                    let _ = s.send(match q { Query::Password(0) => Found::Password(None), Query::Password(_) => Found::Password(hash.clone()), _ => Found::Lines(vec![]) }); }
            }
        }
    }
}
