//! Every frame there and back, and what a peer of another version may say.

use super::*;

#[test]
fn every_frame_of_a_runner_comes_back_as_it_was() {
    for frame in [
        ToShim::Attach { from: 7 },
        ToShim::Probe,
        ToShim::Durable { position: u64::MAX },
        ToShim::Input {
            id: "cmd_ä".into(),
            bytes: Bytes::from_static(b"\0\n{}"),
        },
        ToShim::Input {
            id: String::new(),
            bytes: Bytes::new(),
        },
        ToShim::Signal(AgentSignal::Interrupt),
        ToShim::End { grace_ms: 5 },
    ] {
        assert_eq!(ToShim::decode(frame.encode()).unwrap(), frame);
    }
}

#[test]
fn every_frame_of_a_shim_comes_back_as_it_was() {
    let exit = Exit {
        code: None,
        signal: Some(9),
        stderr_tail: "oh\u{fffd}".into(),
    };
    let hello = Hello {
        version: 1,
        shim_pid: 1,
        agent_pid: 2,
        oldest: 3,
        newest: 4,
        exited: true,
    };
    for frame in [
        FromShim::Hello(hello),
        FromShim::NotKept {
            from: 1,
            oldest: 2,
            newest: 3,
        },
        FromShim::Output {
            position: 9,
            bytes: Bytes::from_static(&[0, 255]),
        },
        FromShim::Accepted { id: "a".into() },
        FromShim::Refused {
            id: "a".into(),
            reason: "gone".into(),
        },
        FromShim::Busy { id: "a".into() },
        FromShim::Exited(exit),
        FromShim::Garbled {
            message: "what?".into(),
        },
    ] {
        assert_eq!(FromShim::decode(frame.encode()).unwrap(), frame);
    }
}

#[test]
fn a_newer_peers_field_is_ignored_and_its_new_kind_is_told_apart_from_a_broken_frame() {
    let grown = Bytes::from_static(b"\x06{\"grace_ms\":5,\"reason\":\"drain\"}");
    assert_eq!(ToShim::decode(grown).unwrap(), ToShim::End { grace_ms: 5 });
    assert!(matches!(
        ToShim::decode(Bytes::from_static(b"\x2a{}")),
        Err(Undecodable::UnknownKind(42))
    ));
    assert!(matches!(
        ToShim::decode(Bytes::from_static(b"\x06{}")),
        Err(Undecodable::Body { .. })
    ));
    assert!(matches!(
        ToShim::decode(Bytes::from_static(b"\x04\0\x09ab")),
        Err(Undecodable::Short(4))
    ));
    assert!(matches!(
        ToShim::decode(Bytes::new()),
        Err(Undecodable::Empty)
    ));
}
