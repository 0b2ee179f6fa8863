//! Step 5, a pool: four threads for everybody, and the same upper case. The fifth client waits. Port 18001.

use chatd::socketserver::{Pool, program};

#[path = "upper.rs"]
mod upper;

fn main() -> anyhow::Result<()> {
    program::run("127.0.0.1:18001", upper::Upper, Pool::new(4, 4)?)
}
