//! A disk that becomes slow: the library of the storage tests, loaded into a server before the C
//! library. It needs the C compiler with which SQLite was built.

use super::server::Target;
use anyhow::{Context as _, Result, ensure};
use std::{
    env, fs, iter,
    path::{Path, PathBuf},
    process::{self, Command},
};

const SOURCE: &str = include_str!("../../../../tests/storage/disk.c");
/// Milliseconds that each `fsync` takes, as on a memory card, or on a disk that others keep busy.
pub const SYNC: u32 = 100;

/// A folder that is on such a disk. It is there as long as this.
pub struct SlowDisk {
    folder: PathBuf,
}

impl SlowDisk {
    /// At first it is as quick as memory.
    pub fn new() -> Result<SlowDisk> {
        let folder = env::temp_dir().join(format!("chatbench-disk-{}", process::id()));
        // Not one that is there: anybody may have made that.
        fs::create_dir(&folder).with_context(|| format!("no folder {}", folder.display()))?;
        let disk = SlowDisk { folder };
        fs::write(disk.file("disk.c"), SOURCE)?;
        fs::write(disk.well(), "")?;
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(disk.file("disk.so"));
        compiler.arg(disk.file("disk.c")).args(["-ldl", "-lpthread"]);
        let built = compiler.output().context("there is no C compiler (cc)")?;
        ensure!(built.status.success(), "cc: {}", String::from_utf8_lossy(&built.stderr));
        Ok(disk)
    }

    pub fn becomes_slow(&self) -> Result<()> {
        fs::remove_file(self.well()).context("the disk was slow before")
    }

    /// The server with its history here, each transaction of which is synced.
    pub fn target(&self, target: &Target) -> Target {
        let path = |file: &Path| file.display().to_string();
        let variables = [
            format!("LD_PRELOAD={}", path(&self.file("disk.so"))),
            format!("DISK_FOLDER={}", path(&self.folder)),
            format!("DISK_WELL={}", path(&self.well())),
            format!("DISK_SLOW={SYNC}"),
        ];
        let before: Vec<String> = iter::once("env".to_owned()).chain(variables).collect();
        target.with_history(&before, &path(&self.file("history.db")))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// As long as there is this file, the disk is quick.
    fn well(&self) -> PathBuf {
        self.file("well")
    }
}

impl Drop for SlowDisk {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder); // what is left of it is in the temporary folder
    }
}
