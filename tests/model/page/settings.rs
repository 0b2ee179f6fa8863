//! What somebody sets for themselves: echo and times, who is away, whom they ignore.

use super::{
    ANY, Chat,
    people::{is_good, rows},
};

impl Chat {
    pub(super) fn sets(&mut self, place: usize, word: &str, rest: &str) -> Option<Vec<String>> {
        let person = self.person_mut(place);
        let (setting, off, on) = match word {
            "echo" => (
                &mut person.has_echo,
                "You no longer read your own lines.",
                "You read your own lines from now on.",
            ),
            "timestamps" => (
                &mut person.has_times,
                "Live lines no longer have their time in front.",
                "Live lines have their time in front from now on.",
            ),
            _ => (
                &mut person.is_quiet,
                "You read who comes and goes again.",
                "You no longer read who comes and goes.",
            ),
        };
        *setting = match &*rest.to_ascii_lowercase() {
            "on" => true,
            "off" => false,
            "" => !*setting,
            _ => return None,
        };
        Some(vec![format!("*** {}", if *setting { on } else { off })])
    }

    pub(super) fn away(&mut self, place: usize, why: &str) -> Vec<String> {
        if let (false, Err(refusal)) = (why.is_empty(), self.may_speak(place)) {
            return vec![format!("*** {refusal}")];
        }
        self.person_mut(place).away =
            Some(if why.is_empty() { ANY.to_string() } else { why.to_owned() });
        match why {
            "" => vec![format!("*** You are away{ANY}")],
            why => vec![format!("*** You are away: {why}. /back ends it.")],
        }
    }

    pub(super) fn ignore(&mut self, place: usize, name: &str) -> Vec<String> {
        if name.is_empty() {
            let ignored = &self.person(place).ignored;
            let names: Vec<String> =
                ignored.iter().map(|it| self.names_ignored(it).remove(0)).collect();
            return match names.is_empty() {
                true => vec!["*** You ignore nobody.".to_owned()],
                false => rows("You ignore:", &names, "."),
            };
        }
        let found = self.called(name);
        let bare = name.strip_prefix('@').unwrap_or(name);
        let bare = bare.strip_suffix('?').unwrap_or(bare);
        let ignored = match found {
            Some(it) if it == place => return vec!["*** You cannot ignore yourself.".to_owned()],
            Some(it) => (self.person(it).name.clone(), Some(self.person(it).connection)),
            None if is_good(bare) => (bare.to_owned(), None),
            None => return vec![format!("*** Nobody here is called {ANY}")],
        };
        let told = format!("*** You no longer read what {} says.", ignored.0);
        let all = &mut self.person_mut(place).ignored;
        all.retain(|it| {
            !it.0.eq_ignore_ascii_case(&ignored.0) && (it.1 != ignored.1 || it.1.is_none())
        });
        all.push(ignored);
        vec![told]
    }

    pub(super) fn unignore(&mut self, place: usize, name: &str) -> Vec<String> {
        let bare = name.strip_prefix('@').unwrap_or(name);
        let bare = bare.strip_suffix('?').unwrap_or(bare);
        let found = self.called(name).map(|it| self.person(it).connection);
        let ignored = self.person(place).ignored.clone();
        let is_kept = |it: &(String, Option<u64>)| {
            let is_named =
                self.names_ignored(it).iter().any(|other| other.eq_ignore_ascii_case(bare));
            !(is_named || (found.is_some() && it.1 == found))
        };
        let kept: Vec<_> = ignored.iter().filter(|it| is_kept(it)).cloned().collect();
        let said = if kept.len() == ignored.len() { "You do not ignore" } else { "You read what" };
        let end = if kept.len() == ignored.len() { "." } else { " says again." };
        self.person_mut(place).ignored = kept;
        vec![format!("*** {said} {bare}{end}")]
    }
}
