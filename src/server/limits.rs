//! What the machine can hold, compared with what was asked. Runs on thread `main`, once, at the
//! start.
//!
//! A server that promises 512 places and fails at the 60th with "too many open files" has promised
//! too much. So the server reads the limits first, raises what it may, and otherwise says the true
//! number and keeps to it.

use super::{space, web::CONNECTIONS_MAX};
use crate::core::places::RESERVED;
use std::{fs, path::Path};

/// Descriptors other than the clients': standard streams, listeners, the flusher's and the signals'
/// pipes, the database's four files, the places kept for an administrator, and refused connections
/// on their way out.
const OTHER_DESCRIPTORS: usize = 32;
/// Of these, what the server itself needs.
const SERVER_DESCRIPTORS: usize = 20;
/// Connections of browsers that are no WebSockets, where descriptors are scarce.
const BROWSERS_LEAST: usize = 8;
/// What the web port needs beside them: two listeners and a pipe.
const WEB_DESCRIPTORS: usize = 4 + BROWSERS_LEAST;
/// The most connections that are kept open at once while they are not let in, if there are
/// descriptors for them: a class that came too late, or too early.
const REFUSED_MAX: usize = 1280;
/// Threads other than the clients'.
const OTHER_THREADS: usize = 16;
/// Memory maps of one thread: its stack, the guard page below, and its signal stack with a guard
/// page.
const MAPS_PER_THREAD: usize = 4;

/// One limit of the machine.
#[derive(Debug, PartialEq)]
pub struct Limit {
    /// Its name, as an operator knows it.
    pub name: &'static str,
    /// Its value.
    pub value: usize,
    /// The number of clients that it leaves room for.
    pub(crate) clients: usize,
}

/// Raises what may be raised. Returns how many of `wanted` clients the machine can hold; and, if
/// that is fewer, the limit that is the reason.
pub fn clients_possible(wanted: usize, serves_browsers: bool) -> (usize, Option<Limit>) {
    let (web, browsers) = if serves_browsers { (WEB_DESCRIPTORS, CONNECTIONS_MAX) } else { (0, 0) };
    raise_descriptors(wanted.saturating_add(OTHER_DESCRIPTORS + REFUSED_MAX + web + browsers));
    let mut limits =
        vec![threads_limit("threads-max", fs::read_to_string("/proc/sys/kernel/threads-max").ok())];
    limits.push(threads_limit("pid_max", fs::read_to_string("/proc/sys/kernel/pid_max").ok()));
    limits.push(
        cgroup_min("pids", ["pids.max"; 2]).map(|value| threads("pids.max of its cgroup", value)),
    );
    limits.push(number(fs::read_to_string("/proc/sys/vm/max_map_count").ok()).map(|value| Limit {
        name: "max_map_count",
        value,
        clients: (value / MAPS_PER_THREAD).saturating_sub(OTHER_THREADS),
    }));
    limits.push(
        descriptors_limit()
            .map(|limit| Limit { clients: limit.clients.saturating_sub(web), ..limit }),
    );
    limits.push(processes_limit());
    limits.extend(memory_limits(true));
    smallest(wanted, limits)
}

/// How many connections of browsers that are no WebSockets can be kept open beside `clients`, and
/// beside those that are refused.
pub(crate) fn browsers_possible(clients: usize) -> usize {
    let descriptors = descriptors_limit().map_or(usize::MAX, |limit| limit.value);
    let others = clients.saturating_add(OTHER_DESCRIPTORS + REFUSED_MAX + WEB_DESCRIPTORS);
    descriptors.saturating_sub(others).clamp(BROWSERS_LEAST, CONNECTIONS_MAX)
}

/// How many refused connections can be kept open beside `clients`.
pub fn refused_possible(clients: usize, serves_browsers: bool) -> usize {
    let descriptors = descriptors_limit().map_or(usize::MAX, |limit| limit.value);
    let web = if serves_browsers { WEB_DESCRIPTORS } else { 0 };
    let others = clients.saturating_add(SERVER_DESCRIPTORS + RESERVED + web);
    descriptors.saturating_sub(others).clamp(2, REFUSED_MAX)
}

/// The same for a server whose clients have no threads: what each needs is a descriptor. `wall`:
/// how many descriptors such a server can watch, and the name of that limit, if there is one.
pub fn clients_possible_in_a_loop(
    wanted: usize,
    wall: Option<(&'static str, usize)>,
) -> (usize, Option<Limit>) {
    raise_descriptors(wanted.saturating_add(OTHER_DESCRIPTORS));
    let below = |value: usize| value.saturating_sub(OTHER_DESCRIPTORS);
    let wall = wall.map(|(name, value)| Limit { name, value, clients: below(value) });
    let mut limits = memory_limits(false);
    limits.extend([descriptors_limit(), wall]);
    smallest(wanted, limits)
}

fn memory_limits(has_threads: bool) -> Vec<Option<Limit>> {
    let group = cgroup_min("memory", ["memory.max", "memory.limit_in_bytes"]);
    let found = space::limits(has_threads, group);
    found.into_iter().map(|(name, value, clients)| Some(Limit { name, value, clients })).collect()
}

fn smallest(wanted: usize, limits: Vec<Option<Limit>>) -> (usize, Option<Limit>) {
    match limits.into_iter().flatten().min_by_key(|limit| limit.clients) {
        Some(limit) if limit.clients < wanted => (limit.clients.max(1), Some(limit)),
        _ => (wanted, None),
    }
}

fn threads_limit(name: &'static str, text: Option<String>) -> Option<Limit> {
    number(text).map(|value| threads(name, value))
}

fn threads(name: &'static str, value: usize) -> Limit {
    Limit { name, value, clients: value.saturating_sub(OTHER_THREADS) }
}

/// `max`, like anything else that is not a number, means that there is no limit.
fn number(text: Option<String>) -> Option<usize> {
    text?.trim().parse().ok()
}

/// The smallest limit of this controller's on the way from this process's control group to the root.
/// `files`: its name in version 2, and in version 1, where each controller has a tree of its own.
fn cgroup_min(controller: &str, files: [&str; 2]) -> Option<usize> {
    let root = Path::new("/sys/fs/cgroup");
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let smallest = |line: &str| {
        let (_, line) = line.split_once(':')?; // a number
        let (controllers, path) = line.split_once(":/")?;
        let is_ours = controllers.split(',').any(|name| name == controller);
        let file = if is_ours { files[1] } else { files[0] };
        let mut folder = root.join(controllers).join(path);
        let mut smallest: Option<usize> = None;
        while (is_ours || controllers.is_empty()) && folder.starts_with(root) {
            let limit = number(fs::read_to_string(folder.join(file)).ok());
            smallest = [smallest, limit].into_iter().flatten().min();
            folder.pop();
        }
        smallest
    };
    groups.lines().filter_map(smallest).min()
}

#[cfg(unix)]
fn raise_descriptors(needed: usize) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let needed = needed as u64;
    if current.is_some_and(|current| current < needed) {
        let raised = maximum.map_or(needed, |maximum| needed.min(maximum));
        // Read again below.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum });
    }
}

#[cfg(unix)]
fn descriptors_limit() -> Option<Limit> {
    let value = rustix::process::getrlimit(rustix::process::Resource::Nofile).current? as usize;
    Some(Limit {
        name: "open files (ulimit -n)",
        value,
        clients: value.saturating_sub(OTHER_DESCRIPTORS),
    })
}

/// The limit on a user's processes and threads. Root is exempt. Users share it with whatever else
/// they run, so it is an upper bound: a client whose thread cannot start is refused.
#[cfg(unix)]
fn processes_limit() -> Option<Limit> {
    if rustix::process::geteuid().is_root() {
        return None;
    }
    let value = rustix::process::getrlimit(rustix::process::Resource::Nproc).current? as usize;
    Some(Limit {
        name: "processes (ulimit -u)",
        value,
        clients: value.saturating_sub(OTHER_THREADS),
    })
}

#[cfg(not(unix))]
fn raise_descriptors(_needed: usize) {}

#[cfg(not(unix))]
fn descriptors_limit() -> Option<Limit> {
    None
}

#[cfg(not(unix))]
fn processes_limit() -> Option<Limit> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_limit_decides() {
        let limit = |value| Some(Limit { name: "x", value, clients: value });
        assert_eq!(smallest(512, vec![limit(600), limit(512), None]), (512, None));
        assert_eq!(smallest(512, vec![limit(600), limit(48), None]), (48, limit(48)));
        assert_eq!(smallest(512, vec![limit(0)]).0, 1, "one client is always tried");
    }

    /// What is promised to clients and to browsers is not there for those who are refused.
    #[cfg(unix)]
    #[test]
    fn no_descriptor_is_promised_twice() {
        let limit = descriptors_limit().expect("a limit on open files").value;
        let refused = |clients, serves_browsers| refused_possible(clients, serves_browsers);
        let many = limit - 500;
        assert_eq!(refused(many, false), refused(many + 1, false) + 1);
        assert_eq!(refused(many, false), refused(many, true) + WEB_DESCRIPTORS);
        assert_eq!(refused(limit, true), 2, "at the least");
    }

    #[test]
    fn max_is_no_limit() {
        assert_eq!(number(Some("max\n".into())), None);
        assert_eq!(number(Some("100\n".into())), Some(100));
        assert_eq!(threads_limit("x", Some("max\n".into())), None);
        assert_eq!(threads_limit("x", Some("100\n".into())), Some(threads("x", 100)));
    }
}
