//! No picture.

use super::head::Request;
use crate::server::page_at::PageAt;

pub(super) fn picture(_: &Request, _: PageAt) -> String {
    String::new()
}
