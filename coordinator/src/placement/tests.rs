use std::collections::BTreeMap;

use nats::Timestamp;
use nats::record::{AgentReport, HostRecord, ProjectReport};

use super::*;

fn host(
    name: &str,
    state: HostState,
    projects: &[(&str, Option<&str>)],
    agents: &[(&str, bool)],
) -> Host {
    Host {
        record: HostRecord {
            host: name.parse().unwrap(),
            version: "1".to_owned(),
            operating_system: "Linux".to_owned(),
            started_at: Timestamp::now(),
            isolated: false,
            agents: agents
                .iter()
                .map(|(name, available)| agent(name, *available))
                .collect(),
            projects: projects
                .iter()
                .map(|(id, problem)| checkout(id, *problem))
                .collect(),
            slots: 4,
            labels: BTreeMap::new(),
            memory_bytes: 1 << 30,
        },
        presence: None,
        heard_at: None,
        state,
    }
}

fn agent(name: &str, available: bool) -> AgentReport {
    AgentReport {
        name: name.to_owned(),
        title: name.to_owned(),
        version: None,
        command: None,
        available,
        hint: (!available).then(|| format!("install {name}")),
    }
}

fn checkout(id: &str, problem: Option<&str>) -> ProjectReport {
    ProjectReport {
        id: id.to_owned(),
        name: id.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned(),
        path: format!("/srv/{id}"),
        remote: None,
        branch: None,
        head: None,
        uncommitted: 0,
        problem: problem.map(str::to_owned),
    }
}

fn placed(
    hosts: Vec<Host>,
    project: &str,
    agent: &str,
    on: Option<&str>,
    sessions: &[(&str, u32)],
) -> Result<Placed, Refused> {
    let view = View {
        hosts: hosts
            .into_iter()
            .map(|host| (host.record.host.clone(), host))
            .collect(),
    };
    let sessions = sessions
        .iter()
        .map(|(host, count)| (host.parse().unwrap(), *count))
        .collect();
    let wanted = Wanted {
        project,
        agent,
        host: on,
    };
    place(wanted, &view, &sessions)
}

fn two() -> Vec<Host> {
    vec![
        host(
            "a",
            HostState::Online,
            &[("shop", None)],
            &[("claude", true)],
        ),
        host(
            "b",
            HostState::Online,
            &[("shop", None)],
            &[("claude", true)],
        ),
    ]
}

#[test]
fn the_host_with_the_fewest_sessions_gets_the_next_one() {
    let on = |sessions| {
        placed(two(), "shop", "claude", None, sessions)
            .unwrap()
            .host
            .to_string()
    };
    assert_eq!(on(&[]), "a");
    assert_eq!(on(&[("a", 2), ("b", 1)]), "b");
}

#[test]
fn a_host_that_was_asked_for_is_taken_however_full() {
    let placed = placed(two(), "shop", "claude", Some("a"), &[("a", 9)]).unwrap();
    assert_eq!(placed.host.as_str(), "a");
}

#[test]
fn a_silent_host_is_passed_over_and_named_when_it_is_the_only_one() {
    let mut hosts = two();
    hosts[0].state = HostState::Silent;
    assert_eq!(
        placed(hosts.clone(), "shop", "claude", None, &[("b", 7)])
            .unwrap()
            .host
            .as_str(),
        "b"
    );
    hosts.truncate(1);
    assert!(matches!(
        placed(hosts, "shop", "claude", None, &[]),
        Err(Refused::HostSilent { .. })
    ));
}

#[test]
fn a_refusal_names_what_there_is() {
    let refused = placed(two(), "shpo", "claude", None, &[]).unwrap_err();
    assert_eq!(
        refused,
        Refused::UnknownProject {
            asked: "shpo".to_owned(),
            known: vec!["shop".to_owned()]
        }
    );
    let refused = placed(two(), "shop", "cluade", None, &[]).unwrap_err();
    assert_eq!(
        refused,
        Refused::UnknownAgent {
            asked: "cluade".to_owned(),
            known: vec!["claude".to_owned()]
        }
    );
    let refused = placed(two(), "shop", "claude", Some("c"), &[]).unwrap_err();
    assert!(matches!(refused, Refused::UnknownHost { known, .. } if known == ["a", "b"]));
}

#[test]
fn a_missing_agent_comes_with_how_to_get_it() {
    let hosts = vec![host(
        "a",
        HostState::Online,
        &[("shop", None)],
        &[("claude", false)],
    )];
    let refused = placed(hosts, "shop", "claude", None, &[]).unwrap_err();
    assert!(
        matches!(refused, Refused::AgentMissing { hint: Some(hint), .. } if hint == "install claude")
    );
}

#[test]
fn a_repository_without_a_commit_says_so() {
    let hosts = vec![host(
        "a",
        HostState::Online,
        &[("shop", Some("it has no commit yet."))],
        &[("claude", true)],
    )];
    let refused = placed(hosts, "shop", "claude", None, &[]).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "No session can start in `shop` on a: it has no commit yet."
    );
}

#[test]
fn a_name_that_two_projects_share_is_not_guessed() {
    let hosts = vec![host(
        "a",
        HostState::Online,
        &[("shop1", None), ("shop2", None)],
        &[("claude", true)],
    )];
    let refused = placed(hosts.clone(), "shop", "claude", None, &[]).unwrap_err();
    assert!(matches!(refused, Refused::AmbiguousProject { ids, .. } if ids == ["shop1", "shop2"]));
    assert_eq!(
        placed(hosts, "shop2", "claude", None, &[]).unwrap().project,
        "shop2"
    );
}
