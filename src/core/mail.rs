//! What is said to one alone: at once if it is here, kept in its mailbox if it has an account and is away. Part of
//! [`Rooms`].

use super::{
    event::{Answer, ClientId},
    held::{Deed, Written},
    recall::Recall,
    record::{AccountId, LineId, Party, Query, What},
    requests::{Sentence, say},
    rooms::Rooms,
};

/// Messages in one mailbox. More would not be read, and a stranger could fill the disk.
pub const MAILBOX_MAX: usize = 100;
/// Of those, from clients without an account: a stranger must not be able to keep everybody else's mail out.
pub const GUEST_MAIL_MAX: usize = 50;

impl<H: Clone> Rooms<H> {
    /// `/msg`. `Ok(None)`: the answer comes when it is written.
    pub(super) fn message(
        &mut self,
        from: usize,
        to: &str,
        text: String,
    ) -> Result<Option<Answer>, Sentence> {
        self.may_write(from)?;
        let nobody = match self.find_member(to) {
            Ok(reader) => return Ok(self.tell_alone(from, &[reader], text, false)),
            Err(nobody) => nobody,
        };
        let account = self
            .config
            .names
            .check(to, "name")
            .ok()
            .and_then(|name| self.accounts.named(&name))
            .ok_or(nobody)?;
        let (id, name, mail) = (account.id, account.name.clone(), account.mail);
        if let Some((reader, _)) =
            self.members.iter().find(|(_, member)| member.account == Some(id))
        {
            return Ok(self.tell_alone(from, &[reader], text, false)); // under another name
        }
        if mail >= MAILBOX_MAX {
            return Err(Sentence(format!(
                "{name} is away, and {MAILBOX_MAX} messages wait there, which is the most."
            )));
        }
        let is_guests = self.members[from].account.is_none();
        let of_guests = self.accounts.guest_mail.entry(id).or_default();
        if is_guests && *of_guests >= GUEST_MAIL_MAX {
            return Err(Sentence(format!(
                "{name} is away, and {GUEST_MAIL_MAX} messages wait there from people who are not registered, which is the most."
            )));
        }
        *of_guests += usize::from(is_guests);
        let what = What::Told {
            id: self.take_line_ids(1),
            from: self.party(from),
            to: Party { name, account: Some(id) },
            text,
            is_mail: true,
        };
        // It counts from now on, so that those that are being written cannot be too many.
        self.accounts.get_mut(id).into_iter().for_each(|account| account.mail += 1);
        self.hold_deed(from, what, Deed::KeepMail { to: id, is_guests });
        Ok(None)
    }

    pub(super) fn mail_is_kept(
        &mut self,
        to: AccountId,
        is_guests: bool,
        written: &Written,
    ) -> String {
        if let (Err(_), true, Some(of_guests)) =
            (written, is_guests, self.accounts.guest_mail.get_mut(&to))
        {
            *of_guests = of_guests.saturating_sub(1);
        }
        let Some(account) = self.accounts.get_mut(to) else {
            return "*** That account is gone.\n".to_owned();
        };
        match written {
            Ok(()) => format!("*** {} is away: your message is kept.\n", account.name),
            Err(why) => {
                account.mail = account.mail.saturating_sub(1);
                format!("*** {} is away, and your message is not kept: {why}\n", account.name)
            }
        }
    }

    /// Answers the client that wrote, and never another one that has taken its name.
    pub(super) fn reply(&mut self, asker: usize, text: String) -> Result<Option<Answer>, Sentence> {
        self.may_write(asker)?;
        let Some(correspondent) = self.members[asker].correspondent.clone() else {
            return Err("Nobody has written to you yet.".to_owned().into());
        };
        let (client, name) = *correspondent;
        match self.member_of(client) {
            Some(reader) => Ok(self.tell_alone(asker, &[reader], text, false)),
            None => Err(format!("{}, who wrote to you last, has left.", name.shown()).into()),
        }
    }

    /// Tells some clients, and nobody else. `None`: the answer comes when it is written.
    pub(super) fn tell_alone(
        &mut self,
        from: usize,
        readers: &[usize],
        text: String,
        is_question: bool,
    ) -> Option<Answer> {
        let (author, client) = (self.party(from), self.members[from].client);
        let id = self.take_line_ids(readers.len());
        let to = |&reader: &usize| {
            (self.members[reader].client, self.members[reader].name.shown().to_owned())
        };
        let to: Vec<(ClientId, String)> = readers.iter().map(to).collect();
        if !self.config.keeps_talk {
            return Some(Answer::text(self.tell_in_private(
                client,
                to,
                &author,
                &text,
                id,
                is_question,
            )));
        }
        let told = |(&reader, id)| What::Told {
            id,
            from: author.clone(),
            to: self.party(reader),
            text: text.clone(),
            is_mail: false,
        };
        let mut whats: Vec<What> = readers.iter().zip(id..).map(told).collect();
        let last = whats.pop()?;
        whats.into_iter().for_each(|what| self.note(what));
        self.hold_deed(from, last, Deed::Tell { to, from: author, text, id, is_question });
        None
    }

    /// Lays out a private line for its readers. Returns what its author reads.
    pub(super) fn tell_in_private(
        &mut self,
        client: ClientId,
        to: Vec<(ClientId, String)>,
        from: &Party,
        text: &str,
        id: LineId,
        is_question: bool,
    ) -> String {
        let author = self.member_of(client);
        let kind = if is_question { "question " } else { "" };
        let line = format!("[{kind}from {}] {text}\n", from.name);
        let mut notes = String::new();
        for (id, (reader, name)) in (id..).zip(&to) {
            let Some(reader) = self.member_of(*reader) else {
                notes.push_str(&format!("*** {name} has left before that was told.\n"));
                continue;
            };
            if let Some(why) = &self.members[reader].away {
                notes.push_str(&format!("*** {name} is away: {why}\n"));
            }
            if author.is_some_and(|author| self.ignores(reader, author)) {
                continue;
            }
            self.tell(reader, &line);
            self.members[reader].private.remember(id, self.now, &line, 1);
            if let Some(author) = author {
                let name = self.members[author].name.clone();
                self.members[reader].correspondent = Some(Box::new((client, name)));
            }
        }
        let names: Vec<&str> = to.iter().map(|(_, name)| &**name).collect();
        let told = format!("[{kind}to {}] {text}\n", names.join(", "));
        if let Some(author) = author {
            self.members[author].private.remember(id, self.now, &told, 1);
        }
        told + &notes
    }

    // --- The mailbox ---

    /// For a greeting: whether anything waits.
    pub(super) fn describe_mail(&self, member: usize) -> String {
        match self.account_of(member).map_or(0, |account| account.mail) {
            0 => String::new(),
            1 => "*** 1 message waits for you: /mail reads it.\n".to_owned(),
            n => format!("*** {n} messages wait for you: /mail reads them.\n"),
        }
    }

    /// `/mail`: the session fetches it.
    pub(super) fn mail(&self, asker: usize) -> Result<Answer, Sentence> {
        let Some(account) = self.members[asker].account else {
            return say(
                "You have no mailbox: /register keeps your name, and what is written to you.",
            )
            .map(Answer::text);
        };
        let recall = Recall {
            heading: "{} in your mailbox".to_owned(),
            if_none: "*** Your mailbox is empty.\n".to_owned(),
            lines: Vec::new(),
            query: Some(Query::Mail(account)),
            most: MAILBOX_MAX,
            hidden: Vec::new(),
            is_mail: true,
            now: self.now,
            zone: self.config.zone.clone(),
        };
        Ok(Answer { recall: Some(Box::new(recall)), ..Answer::default() })
    }

    /// `None`: the answer comes when it is written.
    pub(super) fn delete_mail(
        &mut self,
        asker: usize,
        up_to: LineId,
        count: usize,
    ) -> Option<Answer> {
        let account = self.members[asker].account?;
        self.hold_deed(
            asker,
            What::MailDeleted(account, up_to),
            Deed::DeleteMail { account, count },
        );
        None
    }

    pub(super) fn mail_is_deleted(
        &mut self,
        account: AccountId,
        count: usize,
        written: &Written,
    ) -> String {
        if let Err(why) = written {
            return format!("*** Your mail is still there: {why}\n");
        }
        self.accounts.guest_mail.remove(&account);
        let Some(account) = self.accounts.get_mut(account) else { return String::new() };
        account.mail = account.mail.saturating_sub(count);
        match account.mail {
            0 => "*** Your mailbox is empty now.\n".to_owned(),
            left => format!("*** What you have read is struck out; {left} came since.\n"),
        }
    }
}
