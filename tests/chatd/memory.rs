//! A control group's limit on memory, as a container or systemd sets it: as many come in as fit, and it holds whatever
//! they do. Where it is too low all the same, the kernel kills chatd, and nothing that anybody was shown is lost.

use crate::{
    harness::{Client, Folder, Server, skip},
    start::is_let_in,
};
use std::{
    fs,
    path::{Path, PathBuf},
};

const MIB: usize = 1024 * 1024;

/// A control group of the test's own, which goes with it.
struct Group {
    folder: PathBuf,
    /// The names of its files: the limit, the most that was used, and where kills are counted.
    files: [&'static str; 3],
}

impl Group {
    /// Below the group of this process; `None`: it cannot be made here.
    fn new(name: &str) -> Option<Group> {
        let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let new = ("", "/sys/fs/cgroup", ["memory.max", "memory.peak", "memory.events"]);
        let files = ["memory.limit_in_bytes", "memory.max_usage_in_bytes", "memory.oom_control"];
        let old = ("memory", "/sys/fs/cgroup/memory", files);
        for (controller, root, files) in [new, old] {
            let own = |line: &str| {
                let (controllers, path) = line.split_once(':')?.1.split_once(":/")?;
                (controllers == controller).then(|| path.to_owned())
            };
            let Some(own) = groups.lines().find_map(own) else { continue };
            let name = format!("chatd-test-{}-{name}", std::process::id());
            let folder = Path::new(root).join(own).join(name);
            if fs::create_dir(&folder).is_ok() {
                let group = Group { folder, files }; // it is taken away if it is none
                if files.iter().all(|file| group.folder.join(file).exists()) {
                    return Some(group);
                }
            }
        }
        skip("no control group with a limit on memory can be made here (it takes root)");
        None
    }

    fn limit(&self, bytes: usize) {
        fs::write(self.folder.join(self.files[0]), bytes.to_string()).unwrap();
    }

    /// The most that was used, in KiB.
    fn peak(&self) -> usize {
        let bytes = fs::read_to_string(self.folder.join(self.files[1])).unwrap();
        bytes.trim().parse::<usize>().unwrap() / 1024
    }

    /// How many processes the kernel has killed for want of memory.
    fn kills(&self) -> usize {
        let counts = fs::read_to_string(self.folder.join(self.files[2])).unwrap();
        let kills = counts.lines().find_map(|line| line.strip_prefix("oom_kill "));
        kills.unwrap().parse().unwrap()
    }

    /// Starts a server in it, with a database in the folder.
    fn start(&self, folder: &Folder, options: &str) -> Server {
        let enter = format!("echo $$ > '{}'", self.folder.join("cgroup.procs").display());
        Server::start_in_after(folder, &enter, &format!("--db chatd.db {options}"))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.folder); // whoever was in it has ended
    }
}

/// More come than there is memory for. Those who are let in do what takes most of it: they read nothing while much is said,
/// until each outbox is full, and others register, which takes 19 MiB each.
#[test]
fn a_control_groups_limit_on_memory_is_said_and_held() {
    let Some(group) = Group::new("held") else { return };
    group.limit(100 * MIB);
    let folder = Folder::new();
    let mut server = group.start(&folder, "--flood off --write-deadline 3600");
    let [mut talker, mut reader] = server.enter(["talker", "reader"]);
    let narrow = |i| Client::connect_narrow(server.address, &format!("n{i}"));
    let mut clients: Vec<Client> = (0..400).map(narrow).collect();
    for (i, client) in clients.iter_mut().enumerate() {
        client.sends(format!("n{i}\n/quiet on\n")); // who is refused may be gone
    }
    let mut stuck: Vec<&mut Client> = clients.iter_mut().filter_map(is_let_in).collect();
    let count = stuck.len() + 2;
    server.logs(&format!(
        "this machine can hold {count} clients, not 512: its limit on KiB of memory"
    ));
    let idle = group.peak();
    stuck.iter_mut().take(20).for_each(|client| client.says("/register correct-horse"));
    for i in 0..1300 {
        talker.says(&format!("{i} {}", "x".repeat(900)));
        reader.hears_until(&format!("<talker> {i} "));
    }
    println!("{count} clients: {idle} KiB; at the peak {} KiB", group.peak());
    let totals = talker.asks_until("/threads", "*** In ");
    assert!(totals.contains(&format!(", {} clients too slow,", stuck.len())), "{totals}");
    assert_eq!(group.kills(), 0);
    server.stop();
    assert_eq!(server.exit_code(), Some(0), "{}", server.log());
}

/// As by `kill -9`; here it is the kernel that chooses the moment.
#[test]
fn who_is_killed_for_want_of_memory_has_lost_nothing() {
    let Some(group) = Group::new("killed") else { return };
    let folder = Folder::new();
    let mut server = group.start(&folder, "--flood off --write-deadline 3600");
    let [mut talker, mut reader] = server.enter(["talker", "reader"]);
    for i in 0..1000 {
        talker.says(&format!("{i} {}", "x".repeat(900)));
        reader.hears_until(&format!("<talker> {i} "));
    }
    let narrow = |i| Client::connect_narrow(server.address, &format!("n{i}"));
    let mut clients: Vec<Client> = (0..40).map(narrow).collect();
    group.limit(group.peak() * 1024 + 8 * MIB);
    for (i, client) in clients.iter_mut().enumerate() {
        client.sends(format!("n{i}\n/history 1000\n/history 1000\n/history 1000\n"));
    }
    let mut shown = 1000;
    while hears(&mut talker, &mut reader, shown) {
        shown += 1;
    }
    assert_eq!(server.exit_code(), None, "{}", server.log());
    assert!(group.kills() > 0);
    let stored: Vec<String> = folder.select("SELECT body FROM line ORDER BY id");
    println!("{shown} lines were shown, and {} are in the file", stored.len());
    assert!(stored.len() >= shown);
    for (i, line) in stored.iter().enumerate() {
        assert!(line.split(' ').next() == Some(&i.to_string()), "{line} is number {i}");
    }
    group.limit(200 * MIB);
    let server = group.start(&folder, "");
    server.lets_in("talker").asks_until("/history 1", "*** The last 1 line of lobby");
}

/// Whether the line that has this number is shown to somebody else; not, if the server is gone.
fn hears(talker: &mut Client, reader: &mut Client, number: usize) -> bool {
    talker.tries_to_say(&number.to_string());
    let is_it = |line: String| (line == format!("<talker> {number}")).then_some(true);
    std::iter::from_fn(|| Some(reader.reads_whole().map_or(Some(false), is_it)))
        .flatten()
        .next()
        .unwrap_or(false)
}
