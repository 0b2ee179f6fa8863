//! Leaving the chat to another server.

use crate::{
    core::Chat,
    server::{client::outbox::WriterHandle, parking::Rest},
};
use std::sync::Arc;

/// That it is wanted: in JSON, with its epoch.
pub(super) type Asked = Rest<Result<(String, u64), String>>;

/// Leaves the chat, and waits whether it is wanted again. Everything is delivered and written.
#[inline(never)]
pub(super) fn leave(chat: &Chat<Arc<WriterHandle>>, asked: &Asked) {
    let epoch = match chat.check_rest() {
        Ok(epoch) => epoch,
        Err(why) => return asked.decline(Err(why.to_owned())),
    };
    match serde_json::to_string(chat) {
        Ok(json) => asked.wait(Ok((json, epoch))),
        Err(error) => asked.decline(Err(error.to_string())),
    }
}
