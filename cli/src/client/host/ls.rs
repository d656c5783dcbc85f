//! `host ls`: the machines of the fleet.

use serde_json::json;

use super::super::clock::Clock;
use super::super::exit::Error;
use super::super::output::Output;
use super::super::server::Server;
use super::super::table::table;
use super::super::view::{HostState, HostView, Word};
use super::super::visible::one_line;

pub(super) async fn ls(server: &Server, output: &mut Output) -> Result<(), Error> {
    let rows = server.list(&["api", "hosts"], &[]).await?;
    let hosts: Vec<HostView> = rows
        .iter()
        .map(|row| server.view(row))
        .collect::<Result<_, _>>()?;
    if hosts.is_empty() && !output.json {
        output.say("No host has reported yet. `flotilla up` makes this machine one.");
        return Ok(());
    }
    output.answer(&json!({ "items": rows, "next": null }), |clock| {
        listing(&hosts, clock)
    })
}

fn listing(hosts: &[HostView], clock: &Clock) -> String {
    let rows: Vec<Vec<String>> = hosts.iter().map(|host| row(host, clock)).collect();
    table(
        &[
            "HOST",
            "STATE",
            "RUNNING",
            "LOAD",
            "MEMORY FREE",
            "AGENTS",
            "PROJECTS",
            "VERSION",
        ],
        &rows,
    )
}

fn row(host: &HostView, clock: &Clock) -> Vec<String> {
    let agents = host
        .agents
        .iter()
        .filter(|agent| agent.available)
        .map(|agent| agent.name.as_str());
    let projects = host.projects.iter().map(|project| project.name.as_str());
    let isolation = if host.isolated { "" } else { ", not isolated" };
    let refused = match host.commands_refused {
        0 => String::new(),
        1 => ", refused 1 command".to_owned(),
        count => format!(", refused {count} commands"),
    };
    let draining = host
        .draining
        .as_ref()
        .map(|drain| {
            let since = clock.moment(drain.since);
            one_line(&format!(", draining since {since} by {}", drain.by_name))
        })
        .unwrap_or_default();
    let waiting = match host.waiting_for_slot {
        0 => String::new(),
        count => format!(", {count} wait"),
    };
    vec![
        one_line(&host.host),
        format!("{}{draining}{isolation}{refused}", state(host, clock)),
        format!("{} of {}{waiting}", host.sessions, host.slots),
        host.load
            .map_or_else(|| "?".to_owned(), |load| format!("{load:.1}")),
        memory(host),
        listed(agents),
        listed(projects),
        one_line(&host.version),
    ]
}

fn state(host: &HostView, clock: &Clock) -> String {
    if let Some(revoked) = host.revoked_at {
        return format!("revoked {} ago", clock.ago(revoked));
    }
    match (&host.state, host.heard_at) {
        (Word::Known(HostState::Online), _) => "online".to_owned(),
        (Word::Known(HostState::Silent), Some(heard)) => {
            format!("last heard {} ago", clock.ago(heard))
        }
        (Word::Known(HostState::Silent), None) => "silent".to_owned(),
        (Word::Known(HostState::Unknown), _) => "not known yet".to_owned(),
        (Word::New(word), _) => one_line(word),
    }
}

fn memory(host: &HostView) -> String {
    let gib = |bytes: u64| format!("{:.1}", bytes as f64 / f64::from(1 << 30));
    let free = host.memory_free_bytes.map_or_else(|| "?".to_owned(), gib);
    format!("{free} of {} GiB", gib(host.memory_bytes))
}

/// A few names, and how many more there are.
fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    const SHOWN: usize = 4;
    let names: Vec<String> = names.map(one_line).collect();
    match names.len() {
        0 => "none".to_owned(),
        all if all > SHOWN => format!("{} and {} more", names[..SHOWN].join(", "), all - SHOWN),
        _ => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_host_says_since_when() {
        let hosts: Vec<HostView> = serde_json::from_value(json!([
            { "host": "vps-1", "state": "online", "version": "0.1.0", "slots": 4, "sessions": 1, "load": 0.52, "isolated": true, "commands_refused": 2,
              "memory_bytes": 8_589_934_592_u64, "memory_free_bytes": 4_294_967_296_u64,
              "agents": [{ "name": "claude", "title": "Claude Code", "available": true },
                         { "name": "codex", "title": "Codex", "available": false }],
              "projects": [{ "id": "p", "name": "shop", "path": "/srv/shop" }] },
            { "host": "vps-2", "state": "silent", "heard_at": "2026-11-20T14:29:20Z", "slots": 2, "sessions": 2, "waiting_for_slot": 1,
              "draining": { "since": "2026-11-20T14:02:00Z", "by_name": "Ada" } },
        ]))
        .expect("two hosts");
        let clock = Clock::at("2026-11-20T14:30:00Z");
        assert_eq!(
            listing(&hosts, &clock),
            "HOST   STATE                                                           RUNNING         LOAD  MEMORY FREE     AGENTS  PROJECTS  VERSION\n\
             vps-1  online, refused 2 commands                                      1 of 4          0.5   4.0 of 8.0 GiB  claude  shop      0.1.0\n\
             vps-2  last heard 40 s ago, draining since 14:02 by Ada, not isolated  2 of 2, 1 wait  ?     ? of 0.0 GiB    none    none"
        );
    }
}
