//! Which session or gate is meant: an id, its last digits, or a word such as `latest`.

use nats::ids::{GateId, SessionId};

use super::exit::Error;
use super::server::Server;
use super::view::{GateView, HostView, SessionView};

/// Finds the session that a person means.
pub(super) async fn session(server: &Server, text: &str) -> Result<SessionId, Error> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let rows = server.list(&["api", "sessions"], &[]).await?;
    let mut rows: Vec<SessionView> = rows
        .iter()
        .map(|row| server.view(row))
        .collect::<Result<_, _>>()?;
    rows.sort_by_key(|row| row.created_at);
    if text == "latest" {
        let latest = rows.last().map(|row| row.id);
        return latest.ok_or_else(|| Error::usage("there is no session yet"));
    }
    let named = rows
        .iter()
        .map(|row| (row.id, row.id.to_string(), row.title.as_str()));
    by_suffix("session", SessionId::PREFIX, text, named)
}

/// Finds the gate that a person means, among those that wait before all others.
pub(super) async fn gate(server: &Server, text: &str) -> Result<GateId, Error> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let pending = gates(server, &[("state", "pending")]).await?;
    match text {
        "oldest" | "latest" => {
            let meant = if text == "oldest" {
                pending.first()
            } else {
                pending.last()
            };
            return meant
                .map(|gate| gate.id)
                .ok_or_else(|| Error::usage("nothing waits for you"));
        }
        _ => {}
    }
    let named = |gates: &[GateView]| {
        by_suffix(
            "gate",
            GateId::PREFIX,
            text,
            gates
                .iter()
                .map(|gate| (gate.id, gate.id.to_string(), gate.summary.as_str())),
        )
    };
    match named(&pending) {
        Err(Error::Usage { hint: None, .. }) => named(&gates(server, &[]).await?),
        found => found,
    }
}

/// Gates, oldest first.
pub(super) async fn gates(server: &Server, query: &[(&str, &str)]) -> Result<Vec<GateView>, Error> {
    let rows = server.list(&["api", "gates"], query).await?;
    let mut gates: Vec<GateView> = rows
        .iter()
        .map(|row| server.view(row))
        .collect::<Result<_, _>>()?;
    gates.sort_by_key(|gate| gate.opened_at);
    Ok(gates)
}

/// The host of a session, if the server can say how it stands: what is shown stands without it, too.
pub(super) async fn host(server: &Server, name: &str) -> Option<HostView> {
    let row = server.get(&["api", "hosts", name], &[]).await.ok()?;
    server.view(&row).ok()
}

/// The one whose id ends so. Without a hint: none does; with one: several do.
fn by_suffix<'a, Id: Copy>(
    noun: &str,
    prefix: &str,
    text: &str,
    all: impl Iterator<Item = (Id, String, &'a str)>,
) -> Result<Id, Error> {
    let digits = text
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('_'))
        .unwrap_or(text)
        .to_lowercase();
    let sound = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let fitting: Vec<_> = all
        .filter(|(_, id, _)| sound && id.ends_with(&digits))
        .collect();
    match fitting.as_slice() {
        [(id, _, _)] => Ok(*id),
        [] => Err(Error::usage(format!(
            "no {noun} has an id that ends with `{text}`"
        ))),
        several => {
            let names: Vec<String> = several
                .iter()
                .map(|(_, id, title)| format!("{id} {title}"))
                .collect();
            Err(Error::Usage {
                message: format!("`{text}` fits {} {noun}s", several.len()),
                hint: Some(format!("give more digits: {}", names.join(", "))),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: [&str; 3] = [
        "ses_00000000000070008000000000001a2b",
        "ses_00000000000070008000000000003a2b",
        "ses_00000000000070008000000000000fff",
    ];

    fn find(text: &str) -> Result<usize, Error> {
        by_suffix(
            "session",
            "ses",
            text,
            IDS.iter()
                .enumerate()
                .map(|(at, id)| (at, (*id).to_owned(), "a title")),
        )
    }

    #[test]
    fn the_last_digits_are_enough_when_they_fit_one() {
        assert_eq!(find("fff").ok(), Some(2));
        assert_eq!(find("1a2b").ok(), Some(0));
        assert_eq!(find("1A2B").ok(), Some(0));
        assert_eq!(find("ses_1a2b").ok(), Some(0));
    }

    #[test]
    fn digits_that_fit_several_or_none_are_refused() {
        let Err(error) = find("a2b") else {
            unreachable!("it fits two")
        };
        assert!(
            error
                .hint()
                .is_some_and(|hint| hint.contains(IDS[0]) && hint.contains(IDS[1]))
        );
        for bad in ["1234", "", "%", "xyz"] {
            assert!(
                matches!(find(bad), Err(Error::Usage { hint: None, .. })),
                "{bad}"
            );
        }
    }
}
