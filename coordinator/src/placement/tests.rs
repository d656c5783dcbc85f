use std::collections::{BTreeMap, HashMap};

use nats::Timestamp;
use nats::event::State;
use nats::ids::{HostName, SessionId, UserId};
use nats::record::{AgentReport, DrainRecord, HostRecord, Presence, ProjectReport};
use proptest::prelude::*;

use super::*;
use crate::api::HostState;
use crate::hosts::{Host, View};

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
        drain: None,
        revoked: None,
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

fn view(hosts: Vec<Host>) -> View {
    View {
        hosts: hosts
            .into_iter()
            .map(|host| (host.record.host.clone(), host))
            .collect(),
        drains_known: true,
    }
}

/// So many sessions on each host, each of somebody else.
fn loads(busy: &[(&str, u32)]) -> Loads {
    let held = |(host, count): &(&str, u32)| {
        let host: HostName = host.parse().unwrap();
        (0..*count)
            .map(move |_| held(host.clone(), Holding::Busy))
            .collect::<Vec<_>>()
    };
    Loads::of(&busy.iter().flat_map(held).collect::<Vec<_>>())
}

fn held(host: HostName, holding: Holding) -> Held {
    Held {
        host,
        by: UserId::new(),
        holding,
    }
}

fn asks(project: &str, on: Option<&str>) -> Wanted {
    Wanted {
        project: project.to_owned(),
        agent: "claude".to_owned(),
        only_on: on.map(|on| on.parse().unwrap()),
        host_labels: BTreeMap::new(),
    }
}

fn on(choice: Result<Choice, Refused>) -> String {
    match choice {
        Ok(Choice::On(placed)) => placed.host.to_string(),
        other => panic!("{other:?}"),
    }
}

fn waits(choice: Result<Choice, Refused>) -> String {
    match choice {
        Ok(Choice::Waits(hosts)) => hosts
            .iter()
            .map(|(host, obstacle)| format!("{host}: {obstacle}"))
            .collect::<Vec<_>>()
            .join("; "),
        other => panic!("{other:?}"),
    }
}

fn one(name: &str) -> Host {
    host(
        name,
        HostState::Online,
        &[("shop", None)],
        &[("claude", true)],
    )
}

fn two() -> Vec<Host> {
    vec![one("a"), one("b")]
}

fn drain(host: &mut Host) {
    host.drain = Some(DrainRecord {
        host: host.record.host.clone(),
        since: Timestamp::now(),
        by: UserId::new(),
        by_name: "Ada".to_owned(),
    });
}

#[test]
fn the_emptiest_host_for_its_size_gets_the_next_one_and_says_why() {
    let mut hosts = two();
    let choose = |hosts: &[Host], busy: &[(&str, u32)]| {
        choose(&asks("shop", None), &view(hosts.to_vec()), &loads(busy))
    };
    assert_eq!(on(choose(&hosts, &[])), "a");
    assert_eq!(on(choose(&hosts, &[("a", 2), ("b", 1)])), "b");
    hosts[0].record.slots = 16;
    assert_eq!(on(choose(&hosts, &[("a", 2), ("b", 1)])), "a");
    let Ok(Choice::On(placed)) = choose(&hosts, &[("a", 2), ("b", 1)]) else {
        panic!("a fits")
    };
    assert_eq!(
        placed.reason,
        "the emptiest of 2 hosts that have the project and the agent: 14 of its 16 slots were free"
    );
}

#[test]
fn a_full_a_draining_and_a_silent_host_are_each_told_as_what_they_are() {
    let mut hosts = vec![one("a"), one("b"), one("c"), one("d")];
    drain(&mut hosts[1]);
    hosts[2].state = HostState::Silent;
    hosts[3].presence = Some(Presence {
        host: "d".parse().unwrap(),
        at: Timestamp::now(),
        load: 0.0,
        memory_free_bytes: 1 << 20,
        sessions: 0,
        commands_refused: 0,
        slots: None,
        memory_pressure: None,
    });
    let choice = choose(&asks("shop", None), &view(hosts), &loads(&[("a", 4)]));
    assert_eq!(
        waits(choice),
        "a: no free slot, 4 of 4 taken; b: draining; c: silent; d: short of memory"
    );
}

#[test]
fn a_host_that_was_asked_for_is_waited_for_when_it_is_full() {
    let view = view(two());
    let choose = |busy| choose(&asks("shop", Some("a")), &view, &loads(busy));
    assert_eq!(on(choose(&[("a", 3)])), "a");
    assert_eq!(waits(choose(&[("a", 4)])), "a: no free slot, 4 of 4 taken");
}

#[test]
fn a_resting_agent_makes_room_but_an_empty_slot_is_better() {
    let resting = |host: &str| held(host.parse().unwrap(), Holding::Resting);
    let mut sessions: Vec<Held> = (0..4).map(|_| resting("a")).collect();
    let view = view(two());
    assert_eq!(
        on(choose(&asks("shop", None), &view, &Loads::of(&sessions))),
        "b"
    );
    sessions.extend((0..4).map(|_| held("b".parse().unwrap(), Holding::Busy)));
    assert_eq!(
        on(choose(&asks("shop", None), &view, &Loads::of(&sessions))),
        "a"
    );
}

#[test]
fn a_host_that_has_refused_is_left_alone_until_it_shows_room() {
    let mut loads = loads(&[]);
    loads.say_full(&"a".parse().unwrap());
    let alone = view(vec![one("a")]);
    assert_eq!(
        waits(choose(&asks("shop", None), &alone, &loads)),
        "a: no free slot, it said a moment ago"
    );
    assert_eq!(on(choose(&asks("shop", None), &view(two()), &loads)), "b");
}

#[test]
fn labels_are_matched_and_a_pool_is_for_those_who_ask_for_it() {
    let mut hosts = two();
    hosts[0].record.labels = BTreeMap::from([("pool".into(), "gpu".into())]);
    let view = view(hosts);
    let plain = asks("shop", None);
    assert_eq!(on(choose(&plain, &view, &loads(&[]))), "b");
    let mut pooled = plain.clone();
    pooled.host_labels = BTreeMap::from([("pool".into(), "gpu".into())]);
    assert_eq!(on(choose(&pooled, &view, &loads(&[]))), "a");
    pooled.host_labels = BTreeMap::from([("zone".into(), "eu".into())]);
    assert_eq!(
        waits(choose(&pooled, &view, &loads(&[]))),
        "a: it has no label zone=eu; b: it has no label zone=eu"
    );
    assert_eq!(
        on(choose(&asks("shop", Some("a")), &view, &loads(&[]))),
        "a"
    );
}

#[test]
fn a_session_that_sleeps_or_was_stopped_while_it_waits_takes_nothing() {
    for (told, has_reason, holding) in [
        (None, false, Holding::Busy),
        (Some(State::Starting), true, Holding::Busy),
        (Some(State::Working), false, Holding::Busy),
        (Some(State::Waiting), false, Holding::Busy),
        (Some(State::Waiting), true, Holding::Nothing),
        (Some(State::Idle), false, Holding::Resting),
        (Some(State::Idle), true, Holding::Resting),
        (Some(State::Asleep), true, Holding::Nothing),
    ] {
        assert_eq!(Holding::of(told, has_reason), holding, "{told:?}");
    }
}

#[test]
fn a_name_that_nobody_knows_is_refused_with_what_there_is() {
    let view = view(two());
    let resolve = |project, agent, host| resolve(project, agent, host, BTreeMap::new(), &view);
    assert_eq!(
        resolve("shpo", "claude", None).unwrap_err(),
        Refused::UnknownProject {
            asked: "shpo".to_owned(),
            known: vec!["shop".to_owned()]
        }
    );
    assert_eq!(
        resolve("shop", "cluade", None).unwrap_err(),
        Refused::UnknownAgent {
            asked: "cluade".to_owned(),
            known: vec!["claude".to_owned()]
        }
    );
    let refused = resolve("shop", "claude", Some("c")).unwrap_err();
    assert!(matches!(refused, Refused::UnknownHost { known, .. } if known == ["a", "b"]));
}

#[test]
fn a_missing_agent_is_refused_with_how_to_get_it_and_does_not_wait() {
    let hosts = vec![host(
        "a",
        HostState::Online,
        &[("shop", None)],
        &[("claude", false)],
    )];
    let refused = choose(&asks("shop", None), &view(hosts), &loads(&[])).unwrap_err();
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
    let refused = choose(&asks("shop", None), &view(hosts), &loads(&[])).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "No session can start in `shop` on a: it has no commit yet."
    );
}

#[test]
fn a_name_that_two_projects_share_is_not_guessed() {
    let view = view(vec![host(
        "a",
        HostState::Online,
        &[("shop1", None), ("shop2", None)],
        &[("claude", true)],
    )]);
    let resolve = |project| resolve(project, "claude", None, BTreeMap::new(), &view);
    let refused = resolve("shop").unwrap_err();
    assert!(matches!(refused, Refused::AmbiguousProject { ids, .. } if ids == ["shop1", "shop2"]));
    assert_eq!(resolve("shop2").unwrap().project, "shop2");
}

#[test]
fn somebody_who_asks_for_one_does_not_stand_behind_somebody_who_asks_for_thirty() {
    let (many, few) = (UserId::new(), UserId::new());
    let mut requests: Vec<Request> = (0..30)
        .map(|age| request(many, age, asks("shop", None)))
        .collect();
    requests.push(request(few, 99, asks("shop", None)));
    let plan = plan(&requests, &view(vec![one("a")]), &loads(&[("a", 2)]));
    let first: Vec<SessionId> = plan.placed.iter().map(|(session, _)| *session).collect();
    assert_eq!(first, [requests[0].session, requests[30].session]);
    // And of one person's the oldest waits in front.
    assert_eq!(plan.waits[0].0, requests[1].session);
    assert_eq!(plan.waits[0].1.words(), "a: no free slot, 4 of 4 taken");
}

#[test]
fn one_that_waits_for_a_host_keeps_nobody_from_another() {
    let ada = UserId::new();
    let requests = [
        request(ada, 1, asks("shop", Some("a"))),
        request(ada, 2, asks("shop", None)),
    ];
    let plan = plan(&requests, &view(two()), &loads(&[("a", 4)]));
    assert_eq!(plan.placed[0].0, requests[1].session);
    assert_eq!(plan.placed[0].1.host.as_str(), "b");
    assert_eq!(plan.waits[0].0, requests[0].session);
}

fn request(by: UserId, age: i64, wanted: Wanted) -> Request {
    Request {
        session: SessionId::new(),
        by,
        since: Timestamp::from_milliseconds(1_795_000_000_000 + age),
        wanted,
    }
}

/// A fleet in any state, and any number of sessions that want to be in it.
fn fleets() -> impl Strategy<Value = (View, Loads, Vec<Request>)> {
    let host = (
        0_u32..5,
        0_u32..6,
        0_u32..3,
        any::<bool>(),
        0_u8..4,
        any::<bool>(),
    );
    let hosts = prop::collection::vec(host, 1..5);
    let asking = (0_usize..3, 0_i64..50, prop::option::of(0_usize..4));
    (hosts, prop::collection::vec(asking, 0..30)).prop_map(|(hosts, requests)| {
        let mut held_by = Vec::new();
        let mut machines = Vec::new();
        for (index, (slots, busy, resting, drains, silent, pooled)) in hosts.iter().enumerate() {
            let name: HostName = format!("vps-{index}").parse().unwrap();
            let mut machine = one(name.as_str());
            machine.record.slots = *slots;
            if *drains {
                drain(&mut machine);
            }
            if *silent == 0 {
                machine.state = HostState::Silent;
            }
            if *pooled {
                machine.record.labels = BTreeMap::from([("pool".into(), "gpu".into())]);
            }
            held_by.extend((0..*busy).map(|_| held(name.clone(), Holding::Busy)));
            held_by.extend((0..*resting).map(|_| held(name.clone(), Holding::Resting)));
            machines.push(machine);
        }
        let people: Vec<UserId> = (0..3).map(|_| UserId::new()).collect();
        let requests = requests
            .into_iter()
            .map(|(person, age, on)| {
                let only = on.filter(|index| *index < machines.len());
                let only = only.map(|index| format!("vps-{index}"));
                request(people[person], age, asks("shop", only.as_deref()))
            })
            .collect();
        (view(machines), Loads::of(&held_by), requests)
    })
}

proptest! {
    #[test]
    fn nothing_is_placed_beyond_a_hosts_slots_nor_where_it_may_not_be((view, loads, requests) in fleets()) {
        let plan = plan(&requests, &view, &loads);
        let mut placed: HashMap<HostName, u32> = HashMap::new();
        for (session, there) in &plan.placed {
            *placed.entry(there.host.clone()).or_default() += 1;
            let host = &view.hosts[&there.host];
            prop_assert!(host.drain.is_none(), "on a draining host");
            prop_assert!(host.state != HostState::Silent, "on a silent host");
            let wanted = &requests.iter().find(|it| it.session == *session).unwrap().wanted;
            prop_assert!(wanted.only_on.as_ref().is_none_or(|only| *only == there.host));
            prop_assert!(wanted.only_on.is_some() || !host.record.labels.contains_key("pool"));
        }
        for (host, count) in placed {
            prop_assert!(loads.host(&host).busy + count <= view.hosts[&host].record.slots);
        }
    }

    #[test]
    fn everybody_is_placed_or_waits_once_and_the_same_question_has_the_same_answer((view, loads, requests) in fleets()) {
        let first = plan(&requests, &view, &loads);
        let mut all: Vec<SessionId> = first.placed.iter().map(|(session, _)| *session).collect();
        all.extend(first.waits.iter().map(|(session, _)| *session));
        all.sort_unstable();
        let mut asked: Vec<SessionId> = requests.iter().map(|request| request.session).collect();
        asked.sort_unstable();
        prop_assert_eq!(all, asked);
        // In whatever order they are told.
        let mut turned = requests.clone();
        turned.reverse();
        prop_assert_eq!(&plan(&turned, &view, &loads), &first);
        // Whoever waits fits nowhere even after that.
        for (session, waits) in &first.waits {
            prop_assert!(!waits.words().is_empty(), "{session} waits for nothing");
        }
    }

    #[test]
    fn nobody_gets_two_more_than_somebody_who_waits_for_the_same((view, loads, requests) in fleets()) {
        let requests: Vec<Request> = requests.into_iter().filter(|it| it.wanted.only_on.is_none()).collect();
        let plan = plan(&requests, &view, &loads);
        let by = |session: &SessionId| requests.iter().find(|it| it.session == *session).unwrap().by;
        let mut got: HashMap<UserId, u32> = HashMap::new();
        for (session, _) in &plan.placed {
            *got.entry(by(session)).or_default() += 1;
        }
        for (session, _) in &plan.waits {
            let theirs = got.get(&by(session)).copied().unwrap_or_default();
            for count in got.values() {
                prop_assert!(*count <= theirs + 1, "{count} beside {theirs}");
            }
        }
    }
}
