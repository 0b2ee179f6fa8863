//! `/connect`: to another server, or to this one again, now. Runs on `main`.

use crate::{
    address::{Address, Target},
    connection::{Stream, connect},
    ending::Ending,
    input::Typing,
    keyboard::{ANSWER_LIMIT, Keyboard},
    socket::ClientCommand,
};

impl<T: Typing> Keyboard<T> {
    /// Goes to another server, if that one answers and is trusted; or tries this one again, now.
    pub(crate) fn connect(&mut self, target: Option<Target>) {
        let command = match target {
            None => ClientCommand::Retry,
            Some(target) => {
                let address = target.address(self.shared.settings().wants_tls());
                match self.connect_to(&address) {
                    Ok(stream) => ClientCommand::Go(address, stream),
                    Err(why) => return self.notice(why),
                }
            }
        };
        self.connects += 1;
        let number = self.connects;
        let _ = self.commands.send(command);
        self.shared.link.hang_up_before(number);
        // Others know a room, too: the one before, and one that a try to come back has just made.
        self.shared.wait(ANSWER_LIMIT, |known| known.connects >= number);
        self.wait_for_welcome();
    }

    /// A server of which nothing says whether it is to be trusted is so when it is asked for again.
    fn connect_to(&mut self, address: &Address) -> Result<Stream, String> {
        let trust = &self.shared.trust;
        let doubted = self.doubted_server.take();
        match connect(address, trust) {
            Err(Ending::Unknown { presented, .. })
                if doubted.is_some_and(|it| it == (address.clone(), presented.clone())) =>
            {
                trust.accept(address, &presented)?;
                connect(address, trust).map_err(|ending| ending.to_string())
            }
            Err(Ending::Unknown { why, presented, .. }) => {
                self.doubted_server = Some((address.clone(), presented.clone()));
                Err(format!(
                    "not connected: the certificate of {address} is not trusted: {why}. Its \
                     fingerprint is {presented}. If the server's operator tells you the same, type \
                     the command again: then it is trusted, and remembered."
                ))
            }
            result => result.map_err(|ending| ending.to_string()),
        }
    }

    /// Waits until we are in, or asked for something. A chatd greets at once.
    pub(crate) fn wait_for_welcome(&self) {
        self.shared.wait_for_welcome();
        let is_plain = self.shared.link.stream().is_ok_and(|stream| !stream.has_tls());
        if is_plain && self.shared.known().heard_at.is_none() {
            self.notice(
                "the server says nothing. If it speaks TLS at that port, start with --tls.",
            );
        }
    }
}
