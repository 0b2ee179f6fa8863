//! Everything that was said in rooms, for people and programs outside. Never what was said in private: the query does
//! not name that table. Blocks on the disk; knows no thread.

pub use super::write::Form;
use super::{Store, StoreError, read, write::fold};
use jiff::Timestamp;
use std::ops::ControlFlow;

/// A line of a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportedLine {
    /// When it was said.
    pub at: Timestamp,
    /// Where.
    pub room: String,
    /// In which form.
    pub form: Form,
    /// By whom.
    pub author: String,
    /// The words alone.
    pub body: String,
}

impl ExportedLine {
    /// As it was shown, with its line end.
    pub fn shown(&self) -> String {
        self.form.show(&self.author, &self.body)
    }
}

impl Store {
    /// Hands over every line of a room, or of all, in the order they were said, until `each` breaks off with a value.
    ///
    /// # Errors
    /// As [`Store::find`].
    pub fn export<B>(
        &self,
        room: Option<&str>,
        mut each: impl FnMut(ExportedLine) -> ControlFlow<B>,
    ) -> Result<Option<B>, StoreError> {
        let mut run = || {
            let mut statement = self.connection.prepare(
                "SELECT at, room.name, form, author, body FROM line JOIN room ON room.id = line.room
                 WHERE ?1 IS NULL OR room.folded = ?1 ORDER BY line.id",
            )?;
            let mut rows = statement.query([room.map(fold)])?;
            while let Some(row) = rows.next()? {
                let line = ExportedLine {
                    at: read::time(row, 0)?,
                    room: read::text(row, 1)?,
                    form: Form::from_number(row.get(2)?),
                    author: read::text(row, 3)?,
                    body: read::text(row, 4)?,
                };
                if let ControlFlow::Break(value) = each(line) {
                    return Ok(Some(value));
                }
            }
            Ok(None)
        };
        run().map_err(|e| self.error(&e))
    }

    /// Whether anything is remembered of a room of this name.
    ///
    /// # Errors
    /// As [`Store::find`].
    pub fn knows_room(&self, name: &str) -> Result<bool, StoreError> {
        read::room_id(&self.connection, name).map(|id| id.is_some()).map_err(|e| self.error(&e))
    }
}
