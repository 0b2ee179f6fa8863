//! State and descriptors on their way to another process, through a socket that it has as its standard
//! input. Descriptors that are on their way stay open, also while a process becomes another program.

use crate::core::rooms::handover::VERSION;
use anyhow::bail;
use rustix::{
    fs::{MemfdFlags, memfd_create},
    net::{
        RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
        SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
    },
};
use std::{
    fs::File,
    io::{self, IoSlice, IoSliceMut, Read as _, Seek as _, Write as _},
    mem::MaybeUninit,
    os::{
        fd::{AsFd as _, BorrowedFd, OwnedFd},
        unix::net::UnixStream,
    },
};
use zeroize::Zeroizing;

/// What every message begins with; then the version, and the number of descriptors of all messages.
const MAGIC: &[u8; 8] = b"chatd up";
const HEAD: usize = MAGIC.len() + 8;
/// The most descriptors in one message: the kernel takes 253.
const BATCH: usize = 128;

/// Sends a state and descriptors. Nobody need read them at once.
pub(super) fn send(
    socket: &UnixStream,
    state: &str,
    descriptors: &[BorrowedFd<'_>],
) -> io::Result<()> {
    let mut file = File::from(memfd_create("chatd-state", MemfdFlags::CLOEXEC)?);
    file.write_all(state.as_bytes())?;
    file.rewind()?;
    let mut all = vec![file.as_fd()];
    all.extend(descriptors);
    let head = [&MAGIC[..], &VERSION.to_le_bytes(), &(all.len() as u32).to_le_bytes()].concat();
    for batch in all.chunks(BATCH) {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(BATCH))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        control.push(SendAncillaryMessage::ScmRights(batch));
        sendmsg(socket, &[IoSlice::new(&head)], &mut control, SendFlags::NOSIGNAL)?;
    }
    Ok(())
}

/// Receives what [`send`] has sent. Of the state, nothing is left in the file: half a password may be in
/// it.
///
/// # Errors
/// It is of another version, or not whole.
pub(super) fn receive(socket: &UnixStream) -> anyhow::Result<(Zeroizing<String>, Vec<OwnedFd>)> {
    let (mut descriptors, mut count) = (Vec::new(), 1);
    while descriptors.len() < count {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(BATCH))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut head = [0; HEAD];
        let parts = &mut [IoSliceMut::new(&mut head)];
        let got = recvmsg(socket, parts, &mut control, RecvFlags::CMSG_CLOEXEC)?;
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(some) = message {
                descriptors.extend(some);
            }
        }
        let number = |at: usize| {
            head[at..].first_chunk().map_or(0, |bytes: &[u8; 4]| u32::from_le_bytes(*bytes))
        };
        let (version, all) = (number(MAGIC.len()), number(MAGIC.len() + 4));
        if got.bytes < HEAD || !head.starts_with(MAGIC) {
            bail!("what was handed over is not chatd's");
        }
        if version != VERSION {
            bail!("what was handed over is of version {version}, and this program knows {VERSION}");
        }
        count = all as usize;
    }
    let mut file = File::from(descriptors.remove(0));
    let length = file.metadata()?.len();
    // With room for all of it: a string that grew would leave copies behind.
    let mut state = Zeroizing::new(String::with_capacity(length as usize + 1));
    file.rewind()?;
    file.read_to_string(&mut state)?;
    file.rewind()?;
    io::copy(&mut io::repeat(0).take(length), &mut file)?;
    Ok((state, descriptors))
}
