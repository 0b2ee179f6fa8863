//! `chatbench`: puts a load on a chat server, checks every line at every receiver, and says what it
//! cost the server.
//!
//! It shares no code with the server and knows it by its protocol alone, as any client does. One
//! thread plays all clients with epoll and reads the server's costs from `/proc`, so it runs on
//! Linux only.

#![forbid(unsafe_code)]

#[cfg(target_os = "linux")]
mod linux;

fn main() -> std::process::ExitCode {
    #[cfg(target_os = "linux")]
    return linux::main();

    #[cfg(not(target_os = "linux"))]
    {
        eprintln!("chatbench runs on Linux only: it needs epoll and /proc.");
        std::process::ExitCode::FAILURE
    }
}
