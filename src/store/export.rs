//! Everything that was said in rooms, for people and programs outside. Never what was said in
//! private: the query does not name that table. Blocks on the disk; knows no thread.

use super::{
    Store, StoreError,
    row::{Form, fold, room_id, text, time},
};
use jiff::Timestamp;
use std::ops::ControlFlow;

/// A line of a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportedLine {
    /// When it was said.
    pub at: Timestamp,
    /// The room's name.
    pub room: String,
    /// How it began.
    pub form: Form,
    /// The author's name.
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
    /// Hands over every line of one room, or of all, in the order in which they were said, until
    /// `each` breaks off with a value.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn export<B>(
        &self,
        room: Option<&str>,
        mut each: impl FnMut(ExportedLine) -> ControlFlow<B>,
    ) -> Result<Option<B>, StoreError> {
        let mut run = || {
            let mut statement = self.connection.prepare(
                "SELECT at, room.name, form, author, body
                 FROM line JOIN room ON room.id = line.room
                 WHERE ?1 IS NULL OR room.folded = ?1 ORDER BY line.id",
            )?;
            let mut rows = statement.query([room.map(fold)])?;
            while let Some(row) = rows.next()? {
                let line = ExportedLine {
                    at: time(row, 0)?,
                    room: text(row, 1)?,
                    form: Form::from_number(row.get(2)?),
                    author: text(row, 3)?,
                    body: text(row, 4)?,
                };
                if let ControlFlow::Break(value) = each(line) {
                    return Ok(Some(value));
                }
            }
            Ok(None)
        };
        run().map_err(|e| self.error(e))
    }

    /// Whether the history has a room of this name.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn has_room(&self, name: &str) -> Result<bool, StoreError> {
        room_id(&self.connection, name).map(|id| id.is_some()).map_err(|e| self.error(e))
    }
}
