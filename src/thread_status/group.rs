//! Who a thread works for, which its name says.

/// Who a thread works for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Group {
    /// The server's own.
    Server,
    /// A client: `c7:alice`.
    Client,
    /// Somebody who looks at the view: `v1`.
    Looker,
    /// A demonstration: `demo:holder`.
    Demonstration,
}

impl Group {
    pub(super) fn of(name: &str) -> Group {
        let is_numbered = |letter| {
            name.strip_prefix(letter)
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        };
        match name {
            _ if is_numbered('c') => Group::Client,
            _ if is_numbered('v') => Group::Looker,
            _ if name.starts_with("demo:") => Group::Demonstration,
            _ => Group::Server,
        }
    }
}
