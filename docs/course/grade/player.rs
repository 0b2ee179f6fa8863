//! Plays a check: some terminals, and what is typed and read in each. Terminal 0 is the server's.
//!
//! | line | means |
//! | --- | --- |
//! | `1 $ nc` | a client connects |
//! | `1 > text`, `1 >> text` | it sends a line; it sends text without a line end |
//! | `1   text` | it reads this line next, in which `{n}` stands for anything |
//! | `1 …` | it reads nothing for now |
//! | `1 ^C` | it goes |
//! | `1 ends` | the server closes its connection |
//! | `1 waits 300 ms` | time passes |
//! | `1 floods x` | it sends a megabyte without a line end, as far as that goes |
//! | `1 talks 2000 hello` | it sends 2,000 lines, while the next line of the check is played |
//! | `1 hears 2000 text` | it reads 2,000 such lines |
//! | `3 talks and 2 hears 1000 lines of 900 bytes` | each is read before the next is sent |
//! | `1 and 2 talk and read the same 500 lines each` | both send 500 lines at once, and read all of them in one order |
//! | `1 talks on x` | it sends `x` without end, and what it reads is thrown away |
//! | `2 counts 500 lines` | it reads 500 lines, each of which begins with the number after that of the one before |
//! | `0   text` | the server prints this line next |
//! | `0 idle` | the server takes no CPU time (Linux) |
//! | `0 threads 4`, `0 has 4 threads` | it soon has at most, or at least, this many threads (Linux) |
//! | `time < 600 ms`, `time > 600 ms` | since the beginning of the check |

use anyhow::{Context as _, bail, ensure};
use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader, ErrorKind, Read, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

/// How long to wait for what has to come, and for what must not.
const DEADLINE: Duration = Duration::from_secs(5);
const SILENCE: Duration = Duration::from_millis(300);

/// The student's server; it is killed when the check is over.
struct Server {
    child: Child,
    /// Its lines, and those of its standard error.
    printed: Receiver<String>,
    complained: Receiver<String>,
    address: String,
}

/// The lines of a pipe, read by a thread of their own, so that waiting for one can end.
fn lines_of(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (lines, receiver) = mpsc::channel();
    thread::spawn(move || {
        let read = BufReader::new(pipe).lines().map_while(Result::ok);
        read.for_each(|line| drop(lines.send(line)));
    });
    receiver
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Check {
    server: Server,
    began: Instant,
    clients: BTreeMap<String, BufReader<TcpStream>>,
}

/// Plays all lines; the error says which one failed, what was expected, and what was seen.
pub fn plays(program: &Path, lines: &[String]) -> anyhow::Result<()> {
    let server = Server::start(program)?;
    let mut check = Check { server, began: Instant::now(), clients: BTreeMap::new() };
    for line in lines {
        if let Err(why) = check.plays(line) {
            let complaints: Vec<String> = check.server.complained.try_iter().take(5).collect();
            let complaints = complaints.iter().map(|line| format!("\nit said   {line}"));
            bail!("at        {line}\n{why}{}", complaints.collect::<String>());
        }
    }
    Ok(())
}

impl Server {
    fn start(program: &Path) -> anyhow::Result<Server> {
        let mut command = Command::new(program);
        command.arg("127.0.0.1:0").stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().context("the program cannot be started")?;
        let printed = lines_of(child.stdout.take().context("no output")?);
        let complained = lines_of(child.stderr.take().context("no output")?);
        let mut server = Server { child, printed, complained, address: String::new() };
        let line = server.next_line()?;
        let address =
            line.strip_prefix("listening on ").context("it does not say where it listens")?;
        address.clone_into(&mut server.address);
        Ok(server)
    }

    fn next_line(&self) -> anyhow::Result<String> {
        let line = self.printed.recv_timeout(DEADLINE).ok();
        line.context("expected  a line from the server\nseen      nothing")
    }

    fn proc(&self, file: &str) -> anyhow::Result<String> {
        let file = format!("/proc/{}/{file}", self.child.id());
        fs::read_to_string(file).context("this check needs Linux")
    }

    fn threads(&self) -> anyhow::Result<usize> {
        let status = self.proc("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("Threads:"));
        Ok(line.context("no number of threads")?.trim().parse()?)
    }

    /// In hundredths of a second.
    fn cpu_time(&self) -> anyhow::Result<u64> {
        let stat = self.proc("stat")?;
        let fields: Vec<&str> = stat.rsplit_once(") ").context("no times")?.1.split(' ').collect();
        Ok(fields[11].parse::<u64>()? + fields[12].parse::<u64>()?)
    }
}

impl Check {
    fn plays(&mut self, line: &str) -> anyhow::Result<()> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["time", than, ms, "ms"] => return self.took(than, ms.parse()?),
            ["0", "idle"] => return self.takes_no_cpu_time(),
            ["0", "threads", most] => return self.counts_threads("at most", most.parse()?),
            ["0", "has", least, "threads"] => {
                return self.counts_threads("at least", least.parse()?);
            }
            ["0", ..] => return expects(line[1..].trim(), &self.server.next_line()?),
            [who, "$", "nc"] => return self.connects(who),
            [who, "^C"] => {
                self.clients.remove(who);
                return Ok(());
            }
            [who, "talks", "and", reader, "hears", count, "lines", "of", bytes, "bytes"] => {
                return self.talks_in_step(who, reader, count.parse()?, bytes.parse()?);
            }
            [one, "and", other, "talk", "and", "read", "the", "same", count, "lines", "each"] => {
                return self.talk_at_once([one, other], count.parse()?);
            }
            _ => {}
        }
        let (who, rest) = line.split_once(' ').context("no terminal")?;
        let client = self.clients.get_mut(who).context("nobody is connected there")?;
        if let Some(text) = rest.strip_prefix(">> ") {
            return Ok(client.get_mut().write_all(text.as_bytes())?);
        }
        if let Some(text) = rest.strip_prefix('>') {
            let text = text.strip_prefix(' ').unwrap_or(text);
            return Ok(client.get_mut().write_all(format!("{text}\n").as_bytes())?);
        }
        match rest.split_once(' ').unwrap_or((rest, "")) {
            ("…", _) => hears_nothing(client),
            ("ends", _) => ends(client),
            ("waits", time) => {
                thread::sleep(Duration::from_millis(time.trim_end_matches(" ms").parse()?));
                Ok(())
            }
            ("floods", text) => floods(client, text),
            ("reads", count) => (0..count.parse()?).try_for_each(|_| reads(client).map(drop)),
            ("talks", what) => talks(client.get_ref(), what),
            ("hears", what) => {
                let (count, text) = what.split_once(' ').context("how many of what?")?;
                (0..count.parse()?).try_for_each(|_| expects(text, &reads(client)?))
            }
            ("counts", what) => counts(client, what.trim_end_matches(" lines").parse()?),
            _ => expects(rest.trim_start(), &reads(client)?),
        }
    }

    fn connects(&mut self, who: &str) -> anyhow::Result<()> {
        let stream = TcpStream::connect(&self.server.address).context("nobody listens any more")?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        stream.set_write_timeout(Some(DEADLINE))?;
        self.clients.insert(who.to_owned(), BufReader::new(stream));
        Ok(())
    }

    fn took(&self, than: &str, ms: u128) -> anyhow::Result<()> {
        let took = self.began.elapsed().as_millis();
        let is_so = if than == "<" { took < ms } else { took > ms };
        ensure!(is_so, "expected  {than} {ms} ms\nseen      {took} ms");
        Ok(())
    }

    fn takes_no_cpu_time(&self) -> anyhow::Result<()> {
        let before = self.server.cpu_time()?;
        thread::sleep(2 * SILENCE);
        let took = self.server.cpu_time()? - before;
        ensure!(
            took < 10,
            "expected  no CPU time\nseen      {took} hundredths of a second: it spins"
        );
        Ok(())
    }

    fn counts_threads(&self, bound: &str, number: usize) -> anyhow::Result<()> {
        let end = Instant::now() + DEADLINE;
        loop {
            let threads = self.server.threads()?;
            if if bound == "at most" { threads <= number } else { threads >= number } {
                return Ok(());
            }
            ensure!(
                Instant::now() < end,
                "expected  {bound} {number} threads\nseen      {threads}"
            );
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Each line is read before the next is sent, so no reader is slow, but for those that do not read at all.
    fn talks_in_step(
        &mut self,
        who: &str,
        reader: &str,
        count: usize,
        bytes: usize,
    ) -> anyhow::Result<()> {
        let line = format!("{}\n", "x".repeat(bytes));
        for number in 1..=count {
            let talker = self.clients.get_mut(who).context("nobody talks")?;
            talker.get_mut().write_all(line.as_bytes()).context("it takes no lines any more")?;
            let reader = self.clients.get_mut(reader).context("nobody reads")?;
            reads(reader).with_context(|| {
                format!("expected  line {number}\nseen      nothing: it waits for somebody")
            })?;
        }
        Ok(())
    }
}

impl Check {
    /// Two send at the same time, and all read the same.
    fn talk_at_once(&mut self, talkers: [&str; 2], count: usize) -> anyhow::Result<()> {
        let mut readers = Vec::new();
        for who in talkers {
            let client = self.clients.remove(who).context("nobody is connected there")?;
            let (mut talks, line) = (client.get_ref().try_clone()?, format!("from {who}\n"));
            thread::spawn(move || (0..count).try_for_each(|_| talks.write_all(line.as_bytes())));
            readers.push((who.to_owned(), thread::spawn(move || read_many(client, 2 * count))));
        }
        let mut all = Vec::new();
        for (who, reader) in readers {
            let (client, lines) = reader.join().map_err(|_| anyhow::anyhow!("a panic"))??;
            self.clients.insert(who, client);
            all.push(lines);
        }
        let differs = (0..2 * count).find(|&at| all[0][at] != all[1][at]);
        if let Some(at) = differs {
            let [one, other] = [&all[0][at], &all[1][at]];
            bail!("expected  the same lines\nseen      line {}: {one:?} and {other:?}", at + 1);
        }
        Ok(())
    }
}

/// Sends lines while the check goes on: `2000 hello`, or `on hello`, without end.
fn talks(stream: &TcpStream, what: &str) -> anyhow::Result<()> {
    let (count, text) = what.split_once(' ').unwrap_or((what, ""));
    let mut talks = stream.try_clone()?;
    if count == "on" {
        let (line, mut reads) = (format!("{text}\n"), stream.try_clone()?);
        thread::spawn(move || while talks.write_all(line.as_bytes()).is_ok() {});
        thread::spawn(move || std::io::copy(&mut reads, &mut std::io::sink()));
    } else {
        let lines = format!("{text}\n").repeat(count.parse()?);
        thread::spawn(move || talks.write_all(lines.as_bytes()));
    }
    Ok(())
}

type Client = BufReader<TcpStream>;

fn read_many(mut client: Client, count: usize) -> anyhow::Result<(Client, Vec<String>)> {
    let lines = (0..count).map(|_| reads(&mut client)).collect::<anyhow::Result<_>>()?;
    Ok((client, lines))
}

/// Reads numbered lines, behind one that says which are gone perhaps.
fn counts(client: &mut Client, count: u64) -> anyhow::Result<()> {
    let mut before = None;
    while before.is_none_or(|(first, last)| last < first + count - 1) {
        let line = reads(client)?;
        if before.is_none() && line.starts_with("lines ") {
            continue;
        }
        let number = line.split(' ').next().and_then(|number| number.parse::<u64>().ok());
        let number = number.with_context(|| format!("expected  a number\nseen      {line:?}"))?;
        before = match before {
            None => Some((number, number)),
            Some((first, last)) if number == last + 1 => Some((first, number)),
            Some((_, last)) => bail!("expected  line {}\nseen      line {number}", last + 1),
        };
    }
    Ok(())
}

/// The next line of a client, without its end.
fn reads(client: &mut BufReader<TcpStream>) -> anyhow::Result<String> {
    let mut line = Vec::new();
    match client.read_until(b'\n', &mut line) {
        Ok(0) => bail!("expected  a line\nseen      the end of the connection"),
        Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            let so_far = String::from_utf8_lossy(&line).into_owned();
            bail!("expected  a line\nseen      {so_far:?}, and nothing more for {DEADLINE:?}")
        }
        Err(e) => bail!("expected  a line\nseen      {e}"),
        Ok(_) => Ok(String::from_utf8_lossy(&line).trim_end_matches('\n').to_owned()),
    }
}

fn expects(expected: &str, seen: &str) -> anyhow::Result<()> {
    let is_so = match expected.split_once('{') {
        Some((before, rest)) => {
            let after = rest.split_once('}').map_or("", |(_, after)| after);
            seen.strip_prefix(before).is_some_and(|rest| rest.ends_with(after))
        }
        None => expected == seen,
    };
    ensure!(is_so, "expected  {expected:?}\nseen      {seen:?}");
    Ok(())
}

fn hears_nothing(client: &mut BufReader<TcpStream>) -> anyhow::Result<()> {
    client.get_ref().set_read_timeout(Some(SILENCE))?;
    let seen = client.fill_buf().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    client.get_ref().set_read_timeout(Some(DEADLINE))?;
    match seen {
        Err(_) => Ok(()),
        Ok(seen) => bail!("expected  nothing for now\nseen      {seen:?}"),
    }
}

fn ends(client: &mut BufReader<TcpStream>) -> anyhow::Result<()> {
    let mut rest = Vec::new();
    match client.read_to_end(&mut rest) {
        Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            bail!(
                "expected  the end of the connection\nseen      it is still there after {DEADLINE:?}"
            )
        }
        _ => Ok(()), // in order, or by force
    }
}

/// A server that does not take it, or cuts it off, may do so.
fn floods(client: &mut BufReader<TcpStream>, text: &str) -> anyhow::Result<()> {
    let stream = client.get_mut();
    stream.set_write_timeout(Some(SILENCE))?;
    let block = text.repeat(1024);
    (0..1024).try_for_each(|_| stream.write_all(block.as_bytes())).unwrap_or_default();
    Ok(stream.set_write_timeout(Some(DEADLINE))?)
}
