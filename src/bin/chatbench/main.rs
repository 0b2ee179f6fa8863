//! `chatbench`: the load generator, and the floor every figure stands beside.
//!
//! It plays a crowd of clients against one server on this machine, checks that every line came once, whole and in one
//! order, and says what that cost the server. It is not a part of the server and shares no code with it: it knows
//! chatd by its protocol alone, as any client does.
//!
//! One thread plays all clients, by epoll; see `crowd.rs`. It reads the server's costs from `/proc`. So it is for Linux.

#![forbid(unsafe_code)]

// A module found by `path` looks for its own modules in the same folder, so one `cfg` here serves all files.
#[cfg(target_os = "linux")]
#[path = "cli.rs"]
mod cli;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    cli::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> std::process::ExitCode {
    eprintln!(
        "chatbench runs on Linux only: it is built on epoll and reads a server's costs from /proc."
    );
    std::process::ExitCode::FAILURE
}
