//! Servers that end with this process, also when it is killed: the kernel sees to that. The process that is to end has to
//! ask for it, so chatbench starts itself once more, asks, and becomes the server.

use rustix::process::{Signal, set_parent_process_death_signal};
use std::{
    env, io,
    os::unix::process::{CommandExt as _, parent_id},
    process::{self, Command},
};

/// The first argument of a chatbench that becomes a server. The number of its parent follows, and the server's command.
const BECOMES: &str = "becomes";

/// The exit code if there is no such program.
pub const NO_PROGRAM: u8 = 127;

/// A command that runs this program, which ends with this process. To the kernel the thread that spawns it is its
/// parent, so that has to be one that lives as long as the process.
pub fn command(program: &str) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.args([BECOMES, &process::id().to_string(), program]);
    command
}

/// Becomes a server, if this process was started for that. Returns only if it was not, or why it cannot.
pub fn become_server() -> Option<io::Error> {
    let mut words = env::args_os().skip(1);
    words.next().filter(|word| word == BECOMES)?;
    let (parent, program) = (words.next()?, words.next()?);
    let asked = set_parent_process_death_signal(Some(Signal::KILL));
    let is_orphan = parent != *parent_id().to_string(); // it was killed before we asked
    let ready = asked.map_err(io::Error::from).and_then(|()| match is_orphan {
        true => Err(io::Error::other("chatbench has ended")),
        false => Ok(()),
    });
    Some(ready.err().unwrap_or_else(|| Command::new(program).args(words).exec()))
}
