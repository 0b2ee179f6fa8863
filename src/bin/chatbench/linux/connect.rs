//! Many clients connect at once: how soon are they served, and what does each cost while it idles?
//!
//! The clients send at once what they have to say and do not wait for a greeting. They read, and
//! what they read is not checked.

use super::{
    crowd::{Crowd, Role},
    figures::Figures,
    load::{Load, Settings},
    proc::Holdings,
    server::{Server, Target},
    wire::Wire,
};
use anyhow::Result;
use argh::FromArgs;
use std::time::Duration;

/// Bytes of the line sent on entering: short, because every client reads those of all.
const SIZE: usize = 24;
/// The server is idle when no client has read anything for this long.
const IDLE: Duration = Duration::from_millis(300);

/// Many clients at once: how soon they are served, what each costs while it idles.
#[derive(FromArgs, Clone, Copy)]
#[argh(subcommand, name = "connect")]
pub struct Connect {
    /// how many connect at once (default: 1000)
    #[argh(option, default = "1000")]
    clients: usize,
}

impl Load for Connect {
    fn clients(&self) -> usize {
        self.clients
    }

    fn run(&self, target: &Target, settings: &Settings) -> Result<Figures> {
        let server = Server::start(target, settings.pin)?;
        let wire = Wire { peer: target.peer, size: SIZE };
        let mut crowd = Crowd::new((server.address, server.others.clone()), wire, Role::Ignored)?;
        let before = Holdings::of(server.pid)?;
        let roles = vec![Role::Ignored; self.clients];
        let (all, slowest) = crowd.enter(&roles, self.clients, settings.wait())?;
        while crowd.read_round(IDLE)? > 0 {}
        let idle = Holdings::of(server.pid)?;
        let each = |now: f64, before: f64| (now - before) / self.clients as f64;
        Ok(Figures(vec![
            ("clients_per_s", self.clients as f64 / all.as_secs_f64()),
            ("slowest_ms", 1e3 * slowest.as_secs_f64()),
            ("memory_kib_per_client", each(idle.resident_kib, before.resident_kib)),
            ("addresses_kib_per_client", each(idle.addresses_kib, before.addresses_kib)),
            ("kernel_kib_per_client", each(idle.kernel_kib, before.kernel_kib)),
            ("threads_per_client", each(idle.threads, before.threads)),
        ]))
    }
}
