//! Those who look at the view, and how it is closed. What thread `view` and a looker's thread do is
//! told again here, as far as they meet.

mod looker;
mod lookers;
mod slot;
mod way;

use super::{
    auth::tickets::Tickets,
    client::{handler::ChatHandler, waiting::Begun},
    options::Options,
};
use crate::{
    model::{
        net::{self, TcpStream},
        std::thread::Builder,
        time::Instant,
    },
    socketserver::{MixIn as _, Threading},
};
use looker::Looker;
use lookers::{Lookers, Over};
use slot::{Slot, TICK};
use std::{net::SocketAddr, sync::Arc};

pub(crate) struct View {
    lookers: Arc<Lookers>,
    threads: Threading,
}

impl View {
    pub(crate) fn new(options: &Options) -> View {
        View { lookers: Arc::new(Lookers::new(options)), threads: Threading::new(8, 1 << 18) }
    }

    /// No browser asks for it by the page's port.
    pub(crate) fn hand_in(
        &self,
        _chat: &Arc<ChatHandler>,
        _connection: (TcpStream, SocketAddr),
        _begun: Arc<Begun>,
    ) {
        unreachable!("nobody looks in this way")
    }

    /// As in the source.
    pub(crate) fn close(&self) {
        self.lookers.close();
        self.threads.close();
    }

    /// What the thread of somebody does who looks (`LookerHandler::handle`), until the page ends. The page's
    /// first byte is its ticket, and every other one asks for everything once more.
    pub(crate) fn looks(&self, socket: TcpStream) -> Result<(), Over> {
        let (number, _) = self.lookers.next_number();
        self.lookers.expect(number, socket.try_clone().unwrap());
        let has_ticket = net::read(&socket, &mut [0], None).is_ok_and(|count| count > 0);
        self.lookers.stop_expecting(number)?;
        if !has_ticket {
            return Err((4001, "No ticket came.".to_owned()));
        }
        let who = self.lookers.check(&Tickets::default(), "")?;
        let looker = Arc::new(Looker::new(socket.try_clone().unwrap(), None, who, String::new()));
        let lookers = self.lookers.clone();
        let start = || Builder::new().name("view".to_owned()).spawn(move || rounds(&lookers));
        self.lookers.enter(&looker, start)?;
        while net::read(&socket, &mut [0], None).is_ok_and(|count| count > 0) {
            looker.want_all();
        }
        self.lookers.leave(&looker);
        Ok(())
    }
}

/// What thread `view` does (`Round::run`): a slot for each tick.
fn rounds(lookers: &Lookers) {
    let (mut next, mut number) = (Instant::now(), 0);
    loop {
        let at_most = next.saturating_duration_since(Instant::now());
        let Some((all, _)) = lookers.next_round(at_most) else { return };
        if Instant::now() < next {
            continue;
        }
        next = (next + TICK).max(Instant::now());
        number += 1;
        let slot = Slot { end: number, count: 1, ..Slot::default() };
        let json = slot.to_json();
        for looker in &all {
            match looker.takes_all() {
                true => looker.begin("{}", &Slot { is_all: true, ..slot.clone() }.to_json()),
                false => looker.offer(&slot, &json),
            }
            looker.cut_if_stuck();
        }
    }
}
