//! What a program did with its files, call by call, and what a disk may have after the power failed
//! behind any of these calls.
//!
//! The disk is as mean as POSIX allows. Of each file, what was done since its last `fsync` may be there or
//! not, each write for itself and each of its sectors for itself. Of the folder, names that were made,
//! changed or taken away since *its* last `fsync` are there up to any one of them: file systems keep a
//! journal of those.

use crate::Dice;
use std::{
    collections::{BTreeMap, HashMap},
    fs,
    os::unix::fs::MetadataExt as _,
    path::Path,
};

/// Bytes that a disk writes wholly or not at all.
const SECTOR: usize = 512;

/// One call, in the order in which they returned.
#[derive(Debug)]
pub enum Op {
    Create(u64, String),
    Write(u64, usize, Vec<u8>),
    Truncate(u64, usize),
    Sync(u64),
    Rename(String, String),
    Link(String, String),
    Unlink(String),
    /// A file that is there was opened.
    Open,
    /// A call failed, for it had to.
    Failed,
    /// Sent on a socket, or printed: people see it.
    Shown(i32, Vec<u8>),
}

/// The files of a folder, by their names.
pub type Files = BTreeMap<String, Vec<u8>>;

/// All that a program did, and what its folder had before.
pub struct Trace {
    folder: u64,
    before: Vec<(u64, String, Vec<u8>)>,
    pub ops: Vec<Op>,
}

impl Trace {
    /// Notes what the folder has. Then the program may run.
    pub fn begin(folder: &Path) -> Trace {
        let inode = |path: &Path| fs::metadata(path).unwrap().ino();
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let before = files.map(|path| (inode(&path), name(&path), fs::read(&path).unwrap()));
        Trace { folder: inode(folder), before: before.collect(), ops: Vec::new() }
    }

    /// Reads what disk.c wrote.
    pub fn read(&mut self, file: &Path) {
        let bytes = fs::read(file).unwrap();
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let line = take_line(&mut rest);
            let (kind, about) = line.split_once(' ').unwrap();
            let number = |at: usize| about.split(' ').nth(at).unwrap().parse::<u64>().unwrap();
            let mut payload = |length: u64| {
                let (bytes, behind) = rest.split_at(length as usize);
                rest = behind;
                bytes.to_vec()
            };
            let op = match kind {
                "C" => Op::Create(number(0), name(Path::new(about.split_once(' ').unwrap().1))),
                "W" => Op::Write(number(0), number(1) as usize, payload(number(2))),
                "T" => Op::Truncate(number(0), number(1) as usize),
                "F" => Op::Sync(number(0)),
                "U" => Op::Unlink(name(Path::new(about))),
                "R" => Op::Rename(name(Path::new(about)), name(Path::new(&take_line(&mut rest)))),
                "L" => Op::Link(name(Path::new(about)), name(Path::new(&take_line(&mut rest)))),
                "O" => Op::Open,
                "E" => Op::Failed,
                "S" => Op::Shown(number(0) as i32, payload(number(1))),
                kind => panic!("{kind}"),
            };
            self.ops.push(op);
        }
    }

    /// A folder as the disk may have it if the power fails behind the first `count` calls.
    /// `keeps`: of how many hundred calls that the disk has not been told to keep it has kept some.
    pub fn cut(&self, count: usize, keeps: usize, dice: &mut Dice) -> Files {
        let mut disk = Disk::default();
        for (inode, name, bytes) in &self.before {
            disk.by_inode.insert(*inode, disk.files.len());
            disk.names.insert(name.clone(), disk.files.len());
            disk.files.push((bytes.clone(), Vec::new()));
        }
        disk.lasting = disk.names.clone();
        self.ops[..count].iter().for_each(|op| disk.does(op, self.folder));
        disk.after_the_cut(keeps, dice)
    }

    /// The lines that anybody was shown by the first `count` calls, of each connection in order.
    pub fn shown(&self, count: usize) -> BTreeMap<i32, String> {
        let mut shown = BTreeMap::<i32, Vec<u8>>::new();
        for op in &self.ops[..count] {
            if let Op::Shown(to, bytes) = op {
                shown.entry(*to).or_default().extend(bytes);
            }
        }
        let whole = |bytes: Vec<u8>| {
            let end = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
            String::from_utf8_lossy(&bytes[..end]).into_owned()
        };
        shown.into_iter().map(|(to, bytes)| (to, whole(bytes))).collect()
    }
}

/// A disk while a program works.
#[derive(Default)]
struct Disk<'a> {
    /// What it keeps of each file, whatever happens, and what was done to that since.
    files: Vec<(Vec<u8>, Vec<&'a Op>)>,
    by_inode: HashMap<u64, usize>,
    /// The names as the program sees them, and as they are on the disk whatever happens.
    names: BTreeMap<String, usize>,
    lasting: BTreeMap<String, usize>,
    /// The names after each change since.
    since: Vec<BTreeMap<String, usize>>,
}

impl<'a> Disk<'a> {
    fn does(&mut self, op: &'a Op, folder: u64) {
        match op {
            Op::Create(inode, name) => {
                self.by_inode.insert(*inode, self.files.len());
                self.names.insert(name.clone(), self.files.len());
                self.files.push((Vec::new(), Vec::new()));
                self.since.push(self.names.clone());
            }
            Op::Write(inode, ..) | Op::Truncate(inode, _) => {
                // The index of SQLite's log is not written, but mapped: it does not outlive a cut.
                if let Some(&file) = self.by_inode.get(inode) {
                    self.files[file].1.push(op);
                }
            }
            Op::Sync(inode) if *inode == folder => {
                self.lasting = self.names.clone();
                self.since.clear();
            }
            Op::Sync(inode) => {
                if let Some(&file) = self.by_inode.get(inode) {
                    let (bytes, since) = &mut self.files[file];
                    since.drain(..).for_each(|op| apply(bytes, op, |_| true));
                }
            }
            Op::Rename(from, to) => {
                let file = self.names.remove(from);
                self.names.extend(file.map(|file| (to.clone(), file)));
                self.since.push(self.names.clone());
            }
            Op::Link(from, to) => {
                let file = self.names.get(from).copied();
                self.names.extend(file.map(|file| (to.clone(), file)));
                self.since.push(self.names.clone());
            }
            Op::Unlink(name) => {
                self.names.remove(name);
                self.since.push(self.names.clone());
            }
            Op::Shown(..) | Op::Open | Op::Failed => {}
        }
    }

    fn after_the_cut(mut self, keeps: usize, dice: &mut Dice) -> Files {
        for (bytes, since) in &mut self.files {
            for op in since.drain(..) {
                match dice.roll(100) < keeps {
                    // Most of the kept ones are whole.
                    true if dice.roll(4) > 0 => apply(bytes, op, |_| true),
                    true => apply(bytes, op, |_| dice.roll(2) == 0),
                    false => {}
                }
            }
        }
        let until = match keeps {
            0 => 0,
            100 => self.since.len(),
            _ => dice.roll(self.since.len() + 1),
        };
        let names = if until == 0 { self.lasting } else { self.since.swap_remove(until - 1) };
        names.into_iter().map(|(name, file)| (name, self.files[file].0.clone())).collect()
    }
}

/// Does to a file what a call did, as far as the sectors are written.
fn apply(file: &mut Vec<u8>, op: &Op, mut is_written: impl FnMut(usize) -> bool) {
    match op {
        Op::Write(_, at, bytes) => {
            let mut done = 0;
            while done < bytes.len() {
                let place = at + done;
                let length = (SECTOR - place % SECTOR).min(bytes.len() - done);
                if is_written(place / SECTOR) {
                    file.resize(file.len().max(place + length), 0);
                    file[place..place + length].copy_from_slice(&bytes[done..done + length]);
                }
                done += length;
            }
        }
        Op::Truncate(_, size) => file.resize(*size, 0),
        _ => {}
    }
}

fn take_line(rest: &mut &[u8]) -> String {
    let end = memchr::memchr(b'\n', rest).unwrap();
    let line = String::from_utf8_lossy(&rest[..end]).into_owned();
    *rest = &rest[end + 1..];
    line
}

/// The folder is one, so the last part of a path is enough.
fn name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// Writes files to a folder that is there.
pub fn lay_out(files: &Files, folder: &Path) {
    files.iter().for_each(|(name, bytes)| fs::write(folder.join(name), bytes).unwrap());
}
