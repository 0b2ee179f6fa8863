//! `/set`, `/save` and `/bell`: what a person changes while they chat. Runs on `main`.

use crate::{
    config,
    input::Typing,
    keyboard::Keyboard,
    settings::{Key, Source, Value},
};

impl<T: Typing> Keyboard<T> {
    /// Shows all settings, or one of them; or changes it until the person leaves.
    pub(crate) fn set(&self, what: Option<(&str, Option<&str>)>) {
        let settings = self.shared.settings();
        match what {
            None => {
                let heading = format!("the settings; lines are those of {}:", settings.file());
                self.notice(heading);
                settings.rows().iter().for_each(|row| self.notice(format!("  {row}")));
                self.notice("/set KEY VALUE changes one until you leave; /save keeps it.");
            }
            Some((name, value)) => self.notice(match Key::named(name) {
                Ok(key) => match value.map(|value| key.value(value)) {
                    None => format!("{}: {}", settings.row(key), key.help()),
                    Some(value) => match value.and_then(|value| self.change(key, value)) {
                        Ok(row) if key.holds_at_once() => {
                            format!("{row}, until you leave; /save keeps it.")
                        }
                        Ok(row) => format!("{row}, from the next start on, if you /save it."),
                        Err(why) => format!("{why}."),
                    },
                },
                Err(why) => format!("{why}."),
            }),
        }
    }

    pub(crate) fn bell(&self, wish: Option<bool>) {
        let is_on = wish.unwrap_or(!self.shared.settings().is_on(Key::Bell));
        match self.change(Key::Bell, Value::Switch(is_on)) {
            Ok(_) if is_on => self.notice("the bell is on."),
            Ok(_) => self.notice("the bell is off."),
            Err(why) => self.notice(why),
        }
    }

    /// Changes a setting; returns it as it is now.
    fn change(&self, key: Key, value: Value) -> Result<String, String> {
        let mut settings = (*self.shared.settings()).clone();
        settings.set(key, value, Source::Typed)?;
        let row = format!("{} = {}", key.name(), settings.get(key));
        self.shared.set_settings(settings);
        Ok(row)
    }

    /// Keeps what was changed.
    pub(crate) fn save(&self) {
        let mut settings = (*self.shared.settings()).clone();
        let Some(file) = &self.file else {
            return self.notice("nothing is kept: this system has no folder for settings.");
        };
        let kept = match config::save(file, &mut settings) {
            Ok(kept) if kept.is_empty() => return self.notice("nothing was changed by /set."),
            Ok(kept) => kept,
            Err(why) => return self.notice(why),
        };
        let names: Vec<&str> = kept.iter().map(|key| key.name()).collect();
        self.notice(format!("{}: kept in {}.", names.join(", "), settings.file()));
        self.shared.set_settings(settings);
    }
}
