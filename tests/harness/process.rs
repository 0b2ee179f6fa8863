//! A program that runs, what it prints and what is typed into it; killed when it is dropped.

use super::{matches, raise_descriptors, wait_for, wait_until};
use std::{
    fs,
    io::{Read, Write as _},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
};

/// What a thread of the test's own reads from the program. That thread has let go of it when the program has ended.
type Text = Arc<Mutex<Vec<u8>>>;

pub struct Process {
    child: Child,
    keyboard: Option<ChildStdin>,
    printed: Text,
    log: Text,
    /// Bytes of `printed` that [`Process::prints_line`] has passed.
    looked_at: usize,
}

impl Process {
    /// Starts a program that is there.
    #[track_caller]
    pub fn start(mut command: Command) -> Process {
        raise_descriptors();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}"));
        let keyboard = child.stdin.take();
        let printed = gather(child.stdout.take().unwrap());
        let log = gather(child.stderr.take().unwrap());
        Process { child, keyboard, printed, log, looked_at: 0 }
    }

    /// A program that has ended, or wants no input, misses it.
    pub fn types(&mut self, text: &str) {
        if let Some(keyboard) = &mut self.keyboard {
            let _ = keyboard.write_all(text.as_bytes());
        }
    }

    pub fn closes_its_keyboard(&mut self) {
        self.keyboard = None;
    }

    /// What it has printed so far.
    pub fn printed(&self) -> String {
        show(&self.printed)
    }

    /// Its standard error so far.
    pub fn log(&self) -> String {
        show(&self.log)
    }

    /// What it printed until it closed its standard output.
    #[track_caller]
    pub fn printed_to_the_end(&self) -> String {
        to_the_end(&self.printed)
    }

    /// Its standard error until it closed it.
    #[track_caller]
    pub fn log_to_the_end(&self) -> String {
        to_the_end(&self.log)
    }

    #[track_caller]
    pub fn prints(&self, text: &str) {
        let is_there = || self.printed().contains(text);
        wait_until(is_there, || format!("it never prints {text:?}:\n{}", self.printed()));
    }

    #[track_caller]
    pub fn logs(&self, text: &str) {
        let is_there = || self.log().contains(text);
        wait_until(is_there, || format!("the log never says {text:?}:\n{}", self.log()));
    }

    /// The next line that it prints, whatever it is; `None` if it has closed its standard output.
    #[track_caller]
    pub fn next_line(&mut self) -> Option<String> {
        let look = || {
            let is_closed = Arc::strong_count(&self.printed) == 1;
            let rest = &self.printed.lock().unwrap()[self.looked_at..];
            match memchr::memchr(b'\n', rest) {
                Some(end) => Some(Some(rest[..end].to_vec())),
                None => is_closed.then_some(None),
            }
        };
        let line = wait_for(look, || format!("it prints nothing more after {:?}", self.printed()))?;
        self.looked_at += line.len() + 1;
        Some(String::from_utf8_lossy(&line).into_owned())
    }

    /// The next line that it prints is this one. `{…}` stands for anything.
    #[track_caller]
    pub fn prints_line(&mut self, expected: &str) {
        let line = self.next_line();
        let is_expected = line.as_deref().is_some_and(|line| matches(expected, line));
        assert!(is_expected, "it should print {expected:?}, but prints {line:?}: {}", self.log());
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal, by name.
    #[track_caller]
    pub fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        let status = Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap();
        assert!(status.success(), "kill -{name} {pid}");
    }

    /// Sends it SIGTERM, and takes no time for that.
    #[track_caller]
    pub fn stop(&self) {
        use rustix::process::{Pid, Signal, kill_process};
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
    }

    /// Has all its threads stand still, until SIGCONT.
    #[track_caller]
    pub fn stands_still(&self) {
        self.signal("STOP");
        let is_still = |task: std::io::Result<fs::DirEntry>| {
            let stat = task.and_then(|task| fs::read_to_string(task.path().join("stat")));
            stat.is_ok_and(|stat| stat.rsplit_once(") ").unwrap().1.starts_with('T'))
        };
        let are_still = || fs::read_dir(self.proc("task")).unwrap().all(is_still);
        wait_until(are_still, || "its threads do not stand still".to_owned());
    }

    /// Waits for its end and returns its exit code; `None`: a signal ended it.
    #[track_caller]
    pub fn exit_code(&mut self) -> Option<i32> {
        let (child, log) = (&mut self.child, &self.log);
        let complaint = || format!("it did not exit; its log:\n{}", show(log));
        wait_for(|| child.try_wait().unwrap(), complaint).code()
    }

    /// With exit code 0; returns all that it has printed.
    #[track_caller]
    pub fn ends(&mut self) -> String {
        let code = self.exit_code();
        assert_eq!(code, Some(0), "it printed {}\nand logged {}", self.printed(), self.log());
        self.printed_to_the_end()
    }

    /// Ctrl-C ends it with exit code 0. Returns the lines that nobody has looked at.
    #[track_caller]
    pub fn ends_on_ctrl_c(&mut self) -> Vec<String> {
        self.signal("INT");
        let looked_at = self.looked_at;
        self.ends()[looked_at..].lines().map(str::to_owned).collect()
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Whether it has ended; its numbers can still be read until [`Process::exit_code`] is called.
    pub fn has_ended(&self) -> bool {
        let stat = fs::read_to_string(self.proc("stat")).unwrap();
        stat.rsplit_once(") ").unwrap().1.starts_with('Z')
    }

    /// Names of its threads, as the kernel has them.
    pub fn thread_names(&self) -> Vec<String> {
        let tasks = fs::read_dir(self.proc("task")).unwrap();
        let name = |task: std::io::Result<fs::DirEntry>| {
            fs::read_to_string(task.ok()?.path().join("comm")).ok().map(|n| n.trim_end().to_owned())
        };
        tasks.filter_map(name).collect()
    }

    pub fn descriptors(&self) -> usize {
        fs::read_dir(self.proc("fd")).unwrap().count()
    }

    /// A line of `/proc/PID/status`, in KiB: `VmRSS`, `VmHWM`.
    pub fn memory_kib(&self, field: &str) -> u64 {
        let status = fs::read_to_string(self.proc("status")).unwrap();
        let field = format!("{field}:");
        let line = status.lines().find_map(|line| line.strip_prefix(&field)).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// The processor time it has taken, in clock ticks of the kernel (1/100 s).
    pub fn cpu_ticks(&self) -> u64 {
        let stat = fs::read_to_string(self.proc("stat")).unwrap();
        let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }

    fn proc(&self, file: &str) -> String {
        format!("/proc/{}/{file}", self.pid())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn gather(mut from: impl Read + Send + 'static) -> Text {
    let text = Text::default();
    let into = Arc::clone(&text);
    thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(n @ 1..) = from.read(&mut bytes) {
            into.lock().unwrap().extend(&bytes[..n]);
        }
    });
    text
}

#[track_caller]
fn to_the_end(text: &Text) -> String {
    let is_closed = || Arc::strong_count(text) == 1;
    wait_until(is_closed, || format!("it prints on after {:?}", show(text)));
    show(text)
}

fn show(text: &Text) -> String {
    String::from_utf8_lossy(&text.lock().unwrap()).into_owned()
}
