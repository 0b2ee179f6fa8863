//! Address space and memory, where they are limited: what the server takes, what a client takes,
//! and so how many clients there is room for. Runs on thread `main`, once, at the start.
//!
//! An allocation that fails ends the process, and everybody is out. So there must be room for all
//! of them: a client for whom there is none is refused in a sentence.

use anyhow::ensure;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// Address space of the server itself, beyond what it has when it starts: the stacks of nine
/// threads (18 MiB), two hashes at once (38), answers and records that wait to be shown or written
/// (16), SQLite (10), the rooms' past and everything else.
const SERVER_SPACE: usize = 90 * MIB;
/// The least with which it starts: one client.
const LEAST: usize = SERVER_SPACE + CLIENT_SPACE;
/// Address space of one client with a thread: its stack and what belongs to it (280 KiB, as
/// measured with 260 clients), an outbox that is full to the usual mark, and two events.
const CLIENT_SPACE: usize = (280 + 64 + 40) * KIB;
/// The same without a thread.
const CLIENT_SPACE_IN_A_LOOP: usize = (40 + 64) * KIB;
/// Memory of the server itself, two hashes among it (59 MiB, as measured with 260 clients).
const SERVER_MEMORY: usize = 64 * MIB;
/// Memory of one client: 40 KiB, as measured, and an outbox that is full to the usual mark.
const CLIENT_MEMORY: usize = (40 + 64) * KIB;

/// A limit: its name, its value, and how many clients it leaves room for.
pub(super) type Found = (&'static str, usize, usize);

/// The limits on address space, data and memory. `cgroup`: that of the control group in bytes, if
/// there is one.
pub(super) fn limits(has_threads: bool, cgroup: Option<usize>) -> Vec<Found> {
    let each = if has_threads { CLIENT_SPACE } else { CLIENT_SPACE_IN_A_LOOP };
    let room = |value: usize, own: usize, each: usize| value.saturating_sub(own) / each;
    let space = |(value, used): (usize, usize), arenas: usize| {
        let own = SERVER_SPACE.saturating_add(used).saturating_add(arenas);
        (value / KIB, room(value, own, each))
    };
    let memory = |value| (value / KIB, room(value, SERVER_MEMORY, CLIENT_MEMORY));
    let found = [
        (
            "KiB of address space (ulimit -v)",
            address_space().map(|found| space(found, arenas_space())),
        ),
        ("KiB of data (ulimit -d)", data().map(|found| space(found, 0))),
        ("KiB of memory (memory.max of its cgroup)", cgroup.map(memory)),
    ];
    let known =
        |(name, limit): (_, Option<(usize, usize)>)| limit.map(|(value, n)| (name, value, n));
    found.into_iter().filter_map(known).collect()
}

/// Sees to it that a limit on address space is not used up by nothing: to be called first of all,
/// because it may begin the program anew.
///
/// glibc's allocator reserves 64 MiB of address space for each of up to 8 arenas for each core, and
/// takes one for nearly every new thread. With two cores and 260 clients, chatd takes 1,091 MiB in
/// this way, and 135 MiB with one arena; under a limit of 1 GB it was out of space after 104
/// clients. How many arenas there are can only be said before the program begins.
///
/// # Errors
/// The limit leaves too little for a server. The sentence has the number to give.
pub fn begin() -> anyhow::Result<()> {
    use_one_arena();
    for (limit, flag) in [(address_space(), "-v"), (data(), "-d")] {
        if let Some((value, used)) = limit {
            let least = used + LEAST;
            ensure!(
                value >= least,
                "the limit of {} KiB (ulimit {flag}) is too low for a server. Give {} or more: ulimit {flag} {}",
                value / KIB,
                least.div_ceil(KIB),
                least.div_ceil(KIB)
            );
        }
    }
    Ok(())
}

/// The environment variable that says how many arenas there may be.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const ARENAS: &str = "MALLOC_ARENA_MAX";

/// What more arenas than one may reserve, if somebody wants more: 64 MiB each, and as much again
/// for a moment when one is made. (As data counts only what is in use of them.)
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn arenas_space() -> usize {
    let arenas = std::env::var(ARENAS).ok().and_then(|arenas| arenas.parse().ok());
    let usual = || 8 * std::thread::available_parallelism().map_or(1, usize::from);
    match arenas.unwrap_or_else(usual) {
        0 | 1 => 0,
        arenas => arenas.saturating_mul(64 * MIB),
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn arenas_space() -> usize {
    0
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn use_one_arena() {
    use std::{env, os::unix::process::CommandExt as _, process::Command};
    if address_space().is_none() || env::var_os(ARENAS).is_some() {
        return;
    }
    let mut arguments = env::args_os();
    let (Ok(program), Some(name)) = (env::current_exe(), arguments.next()) else { return };
    // It returns only if it fails. Then there is the limit to fear, and nothing to do about it.
    let _ = Command::new(program).arg0(name).args(arguments).env(ARENAS, "1").exec();
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn use_one_arena() {}

/// The limit on address space, and how much is used; both in bytes.
#[cfg(target_os = "linux")]
fn address_space() -> Option<(usize, usize)> {
    use rustix::process::{Resource, getrlimit};
    let value = getrlimit(Resource::As).current? as usize;
    Some((value, used("VmSize:")))
}

/// The same for data, which stacks belong to.
#[cfg(target_os = "linux")]
fn data() -> Option<(usize, usize)> {
    use rustix::process::{Resource, getrlimit};
    let value = getrlimit(Resource::Data).current? as usize;
    Some((value, used("VmData:")))
}

#[cfg(not(target_os = "linux"))]
fn address_space() -> Option<(usize, usize)> {
    None
}

#[cfg(not(target_os = "linux"))]
fn data() -> Option<(usize, usize)> {
    None
}

/// A figure of `/proc/self/status`, in bytes.
#[cfg(target_os = "linux")]
fn used(field: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
    kib.unwrap_or(0) * KIB
}

#[cfg(test)]
mod tests {
    use super::*;

    /// KiB, and clients.
    fn memory(has_threads: bool, cgroup: usize) -> (usize, usize) {
        let found = limits(has_threads, Some(cgroup));
        let memory = found.iter().find(|(name, ..)| name.contains("memory.max"));
        memory.map_or((0, 0), |&(_, value, clients)| (value, clients))
    }

    #[test]
    fn the_memory_of_a_control_group_has_room_for_a_number_of_clients() {
        for (mib, room) in [(0, 0), (64, 0), (65, 9), (100, 354), (128, 630)] {
            let (kib, found) = memory(true, mib * MIB);
            assert_eq!(kib, 1024 * mib, "as the sentence will say");
            assert!(found.abs_diff(room) <= 16, "{mib} MiB: {found} clients, not {room}");
            let without = memory(false, mib * MIB);
            assert_eq!((kib, found), without, "a thread takes addresses, not memory");
        }
    }
}
