//! Whether a file is a session, whole and in order: line by line, as a pure machine. Nothing of a file is stored before
//! all of it has passed here.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nats::event::Event;
use nats::{Envelope, stream};
use sha2::{Digest, Sha256};

use super::line::{End, Head, LINE_BYTES_MAX, Line, Part, VERSION, references};

/// What is kept in memory of one object while it is put together.
const OBJECT_BYTES_MAX: u64 = 64 * 1024 * 1024;
const TEXT_CHARS_MAX: usize = 1000;

/// Why a file is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct Bad {
    pub line: u64,
    pub what: String,
}

/// A line that passed, for who stores it.
#[derive(Debug)]
pub enum Passed {
    Head,
    /// More of an object is to come.
    Part,
    Object {
        name: String,
        bytes: Vec<u8>,
        sha256: String,
    },
    Missing,
    Event {
        text: String,
        seq: u64,
        event_type: String,
    },
    End,
}

/// A file that passed.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    pub head: Head,
    pub end: End,
    /// The log ends with the end of the session.
    pub over: bool,
}

#[derive(Default)]
pub struct Check {
    line: u64,
    hash: Sha256,
    head: Option<Head>,
    last: u64,
    over: bool,
    open: Option<(String, u64, Vec<u8>)>,
    /// Objects that were seen, by name: size and hash. None: said to be missing.
    objects: BTreeMap<String, Option<(u64, String)>>,
    /// Of these, those that no event has named yet.
    unnamed: BTreeSet<String>,
    end: Option<End>,
}

impl Check {
    /// Takes the next line, without its line end.
    pub fn take(&mut self, line: &[u8]) -> Result<Passed, Bad> {
        self.line += 1;
        let passed = self.look(line).map_err(|what| Bad {
            line: self.line,
            what,
        })?;
        self.hash.update(line);
        self.hash.update(b"\n");
        Ok(passed)
    }

    /// Nothing follows.
    pub fn finish(self) -> Result<Checked, Bad> {
        match (self.head, self.end) {
            (Some(head), Some(end)) => Ok(Checked {
                head,
                end,
                over: self.over,
            }),
            (None, _) => Err(Bad {
                line: 1,
                what: "the file is empty".to_owned(),
            }),
            (Some(_), None) => Err(Bad {
                line: self.line,
                what: "the file breaks off here, before its end".to_owned(),
            }),
        }
    }

    fn look(&mut self, line: &[u8]) -> Result<Passed, String> {
        if line.len() > LINE_BYTES_MAX {
            return Err(format!("it is longer than {LINE_BYTES_MAX} bytes"));
        }
        if self.end.is_some() {
            return Err("something follows the end of the session".to_owned());
        }
        let read: Line = serde_json::from_slice(line)
            .map_err(|error| format!("this is no line of an exported session ({error})"))?;
        if !matches!(read, Line::Part(_)) && self.open.is_some() {
            return Err("an object breaks off before this line".to_owned());
        }
        let Some(head) = self.head.take() else {
            return match read {
                Line::Session(head) => self.begin(*head),
                Line::Part(_) | Line::Missing(_) | Line::Event(_) | Line::End(_) => {
                    Err("an exported session begins with its head".to_owned())
                }
            };
        };
        let passed = self.look_in(&head, read);
        self.head = Some(head);
        passed
    }

    fn look_in(&mut self, head: &Head, read: Line) -> Result<Passed, String> {
        match read {
            Line::Session(_) => Err("a second session begins".to_owned()),
            Line::Part(part) => self.part(part),
            Line::Missing(missing) => {
                self.note(missing.object, None)?;
                Ok(Passed::Missing)
            }
            Line::Event(event) => self.event(head, event.get()),
            Line::End(end) => self.finish_with(end),
        }
    }

    fn begin(&mut self, head: Head) -> Result<Passed, String> {
        if head.v != VERSION {
            return Err(format!(
                "it is written in version {}, and this build reads version {VERSION}",
                head.v
            ));
        }
        let texts = [&head.project, &head.agent, &head.title];
        if texts
            .iter()
            .any(|text| text.chars().count() > TEXT_CHARS_MAX)
        {
            return Err("a name in the head is too long".to_owned());
        }
        self.head = Some(head);
        Ok(Passed::Head)
    }

    fn part(&mut self, part: Part) -> Result<Passed, String> {
        if part.bytes > OBJECT_BYTES_MAX {
            return Err(format!(
                "the object `{}` is larger than {OBJECT_BYTES_MAX} bytes",
                part.object
            ));
        }
        let (name, bytes, mut so_far) = self
            .open
            .take()
            .unwrap_or_else(|| (part.object.clone(), part.bytes, Vec::new()));
        if name != part.object || bytes != part.bytes || part.at != so_far.len() as u64 {
            return Err(format!(
                "byte {} of `{name}` is missing before this part",
                so_far.len()
            ));
        }
        let data = STANDARD
            .decode(&part.data)
            .map_err(|error| format!("its data is not base64 ({error})"))?;
        so_far.extend_from_slice(&data);
        let there = so_far.len() as u64;
        if there > bytes || data.is_empty() {
            return Err(format!("`{name}` does not have the size that it states"));
        }
        if there < bytes {
            self.open = Some((name, bytes, so_far));
            return Ok(Passed::Part);
        }
        let sha256 = hex::encode(Sha256::digest(&so_far));
        self.note(name.clone(), Some((bytes, sha256.clone())))?;
        Ok(Passed::Object {
            name,
            bytes: so_far,
            sha256,
        })
    }

    fn note(&mut self, name: String, object: Option<(u64, String)>) -> Result<(), String> {
        if self.objects.insert(name.clone(), object).is_some() {
            return Err(format!("the object `{name}` was there already"));
        }
        self.unnamed.insert(name);
        Ok(())
    }

    fn event(&mut self, head: &Head, text: &str) -> Result<Passed, String> {
        let envelope: Envelope = serde_json::from_str(text)
            .map_err(|error| format!("this is no event that can be read ({error})"))?;
        let seq = envelope.seq;
        if seq != self.last + 1 {
            return Err(format!("event {seq} follows event {}", self.last));
        }
        if (envelope.session, &envelope.host, envelope.epoch)
            != (head.session, &head.host, head.epoch)
        {
            return Err(format!("event {seq} is of another session, host or epoch"));
        }
        if self.over {
            return Err(format!("event {seq} follows the end of the session"));
        }
        let event_type = envelope.body.tag().to_owned();
        if !is_type(&event_type) {
            return Err(format!("event {seq} has a type that is none"));
        }
        for reference in references(&head.host, &envelope) {
            let of_session = format!("events/{}/", head.session);
            let is_attachment = reference.name.starts_with("attachments/");
            if reference.bucket != stream::object_bucket(&head.host)
                || !(is_attachment || reference.name.starts_with(&of_session))
            {
                return Err(format!("event {seq} names an object of another session"));
            }
            match self.objects.get(&reference.name) {
                Some(None) => {}
                Some(Some((bytes, sha256)))
                    if (*bytes, sha256) == (reference.bytes, &reference.sha256) => {}
                Some(Some(_)) => {
                    return Err(format!(
                        "the object `{}` is not the one that event {seq} names",
                        reference.name
                    ));
                }
                None => {
                    return Err(format!(
                        "the object `{}` of event {seq} is not in the file",
                        reference.name
                    ));
                }
            }
            self.unnamed.remove(&reference.name);
        }
        self.over = matches!(envelope.event(), Some(Event::SessionEnded(_)));
        self.last = seq;
        Ok(Passed::Event {
            text: text.to_owned(),
            seq,
            event_type,
        })
    }

    fn finish_with(&mut self, end: End) -> Result<Passed, String> {
        if let Some(name) = self.unnamed.first() {
            return Err(format!("no event names the object `{name}`"));
        }
        let objects = self.objects.values().filter(|it| it.is_some()).count() as u64;
        if (end.events, end.objects) != (self.last, objects) {
            return Err(format!(
                "the end speaks of {} events and {} objects, and there are {} and {objects}",
                end.events, end.objects, self.last
            ));
        }
        if end.sha256 != hex::encode(self.hash.clone().finalize()) {
            return Err("the lines before the end are not the ones that were exported".to_owned());
        }
        self.end = Some(end);
        Ok(Passed::End)
    }
}

/// Words with dots between them: it becomes the end of a subject.
fn is_type(text: &str) -> bool {
    text.len() <= 100
        && text.split('.').all(|word| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        })
}

#[cfg(test)]
mod tests;
