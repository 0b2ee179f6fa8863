//! The course, step by step: each program with a client as the tutorial would write it, its flaw where it has one, and
//! its page, whose code has to stand in the compiled file.

#[path = "../chatd/harness.rs"]
#[allow(dead_code, reason = "the conversations of chatd need more of it")]
mod chatd_harness;
mod harness;

mod consoles;
mod files;
mod loops;
mod pages;
mod reactor;
mod rooms;
mod threads;
mod tutorial;
