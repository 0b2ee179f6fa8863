//! Step 9, reactor: says how many connections are open, then echoes. Port 1200.

use reactor::{Factory, Protocol, Transport};
use std::{cell::Cell, net::SocketAddr, rc::Rc};

mod client;
mod reactor;

/// Counts the connections. One thread: an `Rc` and no lock.
#[derive(Default)]
struct EchoFactory {
    open: Rc<Cell<usize>>,
}

struct Echo {
    open: Rc<Cell<usize>>,
}

impl Factory for EchoFactory {
    type Protocol = Echo;

    fn build_protocol(&self, _peer: SocketAddr) -> Echo {
        Echo { open: Rc::clone(&self.open) }
    }
}

impl Protocol for Echo {
    fn connection_made(&mut self, transport: &mut Transport<'_>) {
        self.open.set(self.open.get() + 1);
        transport.write(format!("Open connections: {}\n", self.open.get()));
    }

    fn data_received(&mut self, transport: &mut Transport<'_>, data: &[u8]) {
        transport.write(data);
    }

    fn connection_lost(&mut self) {
        self.open.set(self.open.get() - 1);
    }
}

fn main() -> anyhow::Result<()> {
    reactor::run("127.0.0.1:1200", &EchoFactory::default())
}
