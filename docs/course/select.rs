//! `select` with sets in the place of bit fields, and its wall: descriptor 1024. Used by step 6 and step 10.

use rustix::{
    event::{FdSetElement, FdSetIter, fd_set_insert, fd_set_num_elements},
    fd::{AsRawFd as _, BorrowedFd, RawFd},
    io::Errno,
};
use std::{collections::BTreeSet, io};

/// C's `fd_set` is a field of bits, one for each descriptor from 0 to 1023. The bit of descriptor 1024 would be
/// in the memory behind it: C programs write it there. (The kernel itself would take a longer field.)
pub const FD_SETSIZE: i32 = 1024;

/// Whether a descriptor has a bit in an `fd_set`. (On Windows there are no bits, but a list of handles.)
pub fn fits(fd: RawFd) -> bool {
    cfg!(windows) || fd < FD_SETSIZE as RawFd
}

/// Waits until one of `readable` can be read, one of `writable` written, or something exceptional happened to one of
/// `exceptional`. Returns which, in this order. Every descriptor must fit.
pub fn select(sockets: [Vec<BorrowedFd<'_>>; 3]) -> io::Result<[BTreeSet<RawFd>; 3]> {
    let mut fields = sockets.each_ref().map(|sockets| {
        let mut field =
            vec![FdSetElement::default(); fd_set_num_elements(sockets.len(), FD_SETSIZE as RawFd)];
        for socket in sockets {
            assert!(fits(socket.as_raw_fd()), "descriptor {} has no bit", socket.as_raw_fd());
            fd_set_insert(&mut field, socket.as_raw_fd());
        }
        field
    });
    let [readable, writable, exceptional] = &mut fields;
    // SAFETY: every descriptor in the fields is open: `sockets` borrows them until we return.
    match unsafe {
        rustix::event::select(FD_SETSIZE, Some(readable), Some(writable), Some(exceptional), None)
    } {
        Ok(_) => Ok(fields.map(|field| FdSetIter::new(&field).collect())),
        Err(Errno::INTR) => Ok(Default::default()), // a signal: nothing is ready, ask again
        Err(e) => Err(e.into()),
    }
}
