//! The promises of the shim, each tried on a real shim process holding a real agent process:
//! - no byte of output is lost or doubled, whatever the runner does,
//! - an input is written once, and never blocks output,
//! - the agent ends with the shim, never by reading the end of its stdin,
//! - nothing of the agent's is left when it is ended or nobody comes for it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test's helpers fail as the test does"
)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use runner::shim::{
    self, AgentSignal, ClientError, Exit, FromShim, Hello, LaunchError, LineSplitter, ShimClient,
    ShimHandle, ShimSpec,
};
use tempfile::TempDir;
use testkit::wait;

const BOUND: Duration = Duration::from_secs(60);

/// One agent under one shim. The shim is ended with the test, whatever the test left.
struct Bench {
    folder: TempDir,
    socket: PathBuf,
    hello: Hello,
}

impl Bench {
    /// An agent that is a shell script.
    async fn shell(script: &str) -> Self {
        Self::with(script, |_| {}).await
    }

    async fn with(script: &str, change: impl FnOnce(&mut ShimSpec)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let spec = spec(folder.path(), script, change);
        let hello = shim::launch(&shim_program(), &spec, folder.path())
            .await
            .unwrap();
        Self {
            socket: spec.socket,
            folder,
            hello,
        }
    }

    async fn attach(&self, from: u64) -> ShimClient {
        ShimClient::connect(&self.socket, from).await.unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn until_file(&self, name: &str) -> String {
        let path = self.path(name);
        wait::until(name, BOUND, async || match std::fs::read_to_string(&path) {
            Ok(text) if text.ends_with('\n') => Ok(text),
            other => Err(format!("{other:?}")),
        })
        .await
    }

    async fn until_gone(&self, pid: u32) {
        wait::until("the process to be gone", BOUND, async || {
            match is_running(pid) {
                false => Ok(()),
                true => Err(format!("{pid} still runs")),
            }
        })
        .await;
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        kill(self.hello.shim_pid, rustix::process::Signal::TERM);
    }
}

fn spec(folder: &Path, script: &str, change: impl FnOnce(&mut ShimSpec)) -> ShimSpec {
    let mut spec = ShimSpec::new("sh", folder, folder.join("shim.sock"));
    spec.args = vec!["-c".into(), script.into()];
    spec.env = [("PATH", "/usr/local/bin:/usr/bin:/bin"), ("SHOWN", "yes")]
        .map(|(k, v)| (k.into(), v.into()))
        .into();
    change(&mut spec);
    spec
}

/// Built beside the tests of this crate, where the real one is `flotilla shim`.
fn shim_program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test
        .parent()
        .and_then(Path::parent)
        .unwrap()
        .join("examples/shim");
    assert!(
        path.is_file(),
        "there is no {}: run `cargo build -p runner --examples`",
        path.display()
    );
    path
}

fn kill(pid: u32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).ok();
}

/// Running, and not a zombie that only waits for its parent.
fn is_running(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')')
        .is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

async fn next(client: &mut ShimClient) -> Option<FromShim> {
    tokio::time::timeout(BOUND, client.frames.next())
        .await
        .expect("a frame within the bound")
        .unwrap()
}

/// Reads until the agent's exit, keeping nothing back from the shim; returns the output and the exit.
async fn drain(client: &mut ShimClient, mut position: u64) -> (Vec<u8>, Exit) {
    let mut output = Vec::new();
    loop {
        match next(client)
            .await
            .expect("the exit before the end of the connection")
        {
            FromShim::Output {
                position: at,
                bytes,
            } => {
                assert_eq!(at, position);
                position += bytes.len() as u64;
                output.extend_from_slice(&bytes);
                client.handle.durable(position).await.ok(); // an ending shim may be gone already
            }
            FromShim::Exited(exit) => return (output, exit),
            FromShim::Accepted { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

/// Reads output until it contains `text`.
async fn until_output(client: &mut ShimClient, text: &str) -> String {
    let mut seen = String::new();
    while !seen.contains(text) {
        match next(client).await {
            Some(FromShim::Output { bytes, .. }) => seen.push_str(&String::from_utf8_lossy(&bytes)),
            other => panic!("waiting for {text:?} after {seen:?}: {other:?}"),
        }
    }
    seen
}

async fn until_answer(client: &mut ShimClient) -> FromShim {
    loop {
        match next(client).await.expect("an answer") {
            FromShim::Output { .. } => {}
            answer => return answer,
        }
    }
}

fn accepted(id: &str) -> FromShim {
    FromShim::Accepted { id: id.into() }
}

#[tokio::test]
async fn an_agent_gets_the_environment_and_folder_it_was_given_and_nothing_else() {
    let bench =
        Bench::shell("env | sort; pwd; read line; echo \"got $line\"; echo bad >&2; exit 3").await;
    let mut client = bench.attach(0).await;
    client.handle.input("cmd_1", "hello\n").await.unwrap();
    let (output, exit) = drain(&mut client, 0).await;
    let output = String::from_utf8(output).unwrap();
    let folder = bench.folder.path().canonicalize().unwrap();
    assert!(
        output.contains("SHOWN=yes") && output.contains("got hello"),
        "{output}"
    );
    assert!(
        output.contains(folder.to_str().unwrap()) && !output.contains("CARGO"),
        "{output}"
    );
    assert_eq!(
        (exit.code, exit.signal, exit.stderr_tail.as_str()),
        (Some(3), None, "bad\n")
    );
    assert!(
        !bench.path("shim.json").exists(),
        "the spec is gone once read"
    );
}

#[tokio::test]
async fn output_over_many_disconnects_is_neither_lost_nor_doubled() {
    // 4 MB that say at every place which place it is.
    let script = "i=0; while [ $i -lt 400 ]; do seq -f '%09.0f' $((i*1000)) $((i*1000+999)); i=$((i+1)); done";
    let bench = Bench::shell(script).await;
    let (mut splitter, mut lines, mut random) = (LineSplitter::new(0), 0u64, 42u64);
    let mut connections = 0;
    'connections: loop {
        connections += 1;
        let mut client = bench.attach(splitter.settled()).await;
        // A runner that crashed knows its last durable line and nothing of the half one.
        splitter = LineSplitter::new(splitter.settled());
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        for _ in 0..(random >> 33) % 12 {
            match next(&mut client).await {
                Some(FromShim::Output { position, bytes }) => {
                    for line in splitter.push(position, &bytes) {
                        assert_eq!(&line.unwrap().bytes[..], format!("{lines:09}").as_bytes());
                        lines += 1;
                    }
                    if random & (1 << 40) != 0 {
                        client.handle.durable(splitter.settled()).await.unwrap();
                    }
                }
                Some(FromShim::Exited(exit)) => {
                    assert_eq!(exit.code, Some(0));
                    break 'connections;
                }
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!((lines, splitter.settled()), (400_000, 4_000_000));
    assert!(
        connections > 5,
        "only {connections} connections: the test tried too little"
    );
}

#[tokio::test]
async fn an_agent_that_ended_while_nobody_was_attached_is_told_of_to_whoever_comes() {
    let bench = Bench::shell("echo first; echo second; printf half").await;
    bench.until_gone(bench.hello.agent_pid).await;
    // The process is gone a moment before its shim has heard of it.
    wait::until("the shim to know of the end", BOUND, async || {
        let client = bench.attach(6).await;
        client
            .hello
            .exited
            .then_some(())
            .ok_or_else(|| "it runs".to_owned())
    })
    .await;
    for _ in 0..2 {
        let mut client = bench.attach(6).await;
        assert!(client.hello.exited);
        let (output, exit) = drain_without_durable(&mut client).await;
        assert_eq!(
            (output.as_slice(), exit.code),
            (&b"second\nhalf"[..], Some(0))
        );
    }
}

async fn drain_without_durable(client: &mut ShimClient) -> (Vec<u8>, Exit) {
    let mut output = Vec::new();
    loop {
        match next(client).await.expect("the exit") {
            FromShim::Output { bytes, .. } => output.extend_from_slice(&bytes),
            FromShim::Exited(exit) => return (output, exit),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn the_half_line_of_an_agent_that_ended_is_there() {
    let bench = Bench::shell("printf 'whole\\nhal'; printf f").await;
    let mut client = bench.attach(0).await;
    let (output, _) = drain(&mut client, 0).await;
    let mut splitter = LineSplitter::new(0);
    assert_eq!(splitter.push(0, &output).len(), 1);
    assert_eq!(splitter.rest(), b"half");
}

#[tokio::test]
async fn a_line_of_20_mb_passes_as_bytes_and_is_one_error_as_a_line() {
    let bench = Bench::shell("head -c 20000000 /dev/zero | tr '\\0' x; echo; echo after").await;
    let mut client = bench.attach(0).await;
    let (output, _) = drain(&mut client, 0).await;
    let mut splitter = LineSplitter::new(0);
    let lines = splitter.push(0, &output);
    assert_eq!(lines[0].as_ref().unwrap_err().bytes, 20_000_000);
    assert_eq!(&lines[1].as_ref().unwrap().bytes[..], b"after");
}

#[tokio::test]
async fn output_that_is_not_kept_is_an_error_that_says_what_is() {
    let bench = Bench::shell("echo 0123456789; cat").await;
    let mut client = bench.attach(0).await;
    until_output(&mut client, "9\n").await;
    client.handle.durable(5).await.unwrap();
    client.handle.input("cmd_1", "x\n").await.unwrap();
    assert_eq!(until_answer(&mut client).await, accepted("cmd_1"));
    for from in [4, 99] {
        let refused = ShimClient::connect(&bench.socket, from)
            .await
            .err()
            .unwrap();
        assert!(
            matches!(refused, ClientError::NotKept { oldest: 5, newest: 11.., from: it } if it == from),
            "{refused:?}"
        );
    }
    client
        .handle
        .input("cmd_2", "still attached\n")
        .await
        .unwrap();
    assert_eq!(until_answer(&mut client).await, accepted("cmd_2"));
}

#[tokio::test]
async fn a_newer_runner_replaces_the_older_and_a_look_does_not() {
    let bench = Bench::shell("cat").await;
    let mut older = bench.attach(0).await;
    assert!(shim::is_alive(&bench.socket).await);
    older.handle.input("cmd_1", "one\n").await.unwrap();
    until_answer(&mut older).await;
    let mut newer = bench.attach(0).await;
    while let Some(frame) = next(&mut older).await {
        assert!(matches!(frame, FromShim::Output { .. }), "{frame:?}");
    }
    assert_eq!(until_output(&mut newer, "one\n").await, "one\n");
}

#[tokio::test]
async fn the_same_input_is_written_once_however_often_and_by_whomever_it_is_sent() {
    let bench = Bench::shell("cat > got; echo done").await;
    let mut client = bench.attach(0).await;
    for id in ["cmd_1", "cmd_1", "cmd_2", "cmd_1"] {
        client.handle.input(id, format!("{id}\n")).await.unwrap();
        assert_eq!(until_answer(&mut client).await, accepted(id));
    }
    drop(client);
    let mut again = bench.attach(0).await;
    for id in ["cmd_2", "cmd_3"] {
        again.handle.input(id, format!("{id}\n")).await.unwrap();
        assert_eq!(until_answer(&mut again).await, accepted(id));
    }
    let path = bench.path("got");
    wait::until(
        "the third input",
        BOUND,
        async || match std::fs::read_to_string(&path).unwrap_or_default() {
            got if got == "cmd_1\ncmd_2\ncmd_3\n" => Ok(()),
            got => Err(got),
        },
    )
    .await;
}

#[tokio::test]
async fn an_agent_that_does_not_read_stops_neither_its_output_nor_the_next_signal() {
    let bench =
        Bench::shell("while :; do echo tick; read -t 1 nothing < /dev/null; sleep 0.01; done")
            .await;
    let mut client = bench.attach(0).await;
    // Far more than a socket takes, so most of it waits in the shim.
    client
        .handle
        .input("cmd_1", vec![b'x'; 8 << 20])
        .await
        .unwrap();
    client.handle.input("cmd_2", "y").await.unwrap();
    let mut ticks = 0;
    while ticks < 20 {
        match next(&mut client).await.expect("more ticks") {
            FromShim::Output { bytes, .. } => {
                ticks += bytes.iter().filter(|&&byte| byte == b'\n').count()
            }
            other => panic!("nothing was read, yet {other:?}"),
        }
    }
    client.handle.signal(AgentSignal::Kill).await.unwrap();
    let mut refused = Vec::new();
    let exit = loop {
        match next(&mut client).await.expect("the exit") {
            FromShim::Output { .. } => {}
            FromShim::Refused { id, .. } => refused.push(id),
            FromShim::Exited(exit) => break exit,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        (refused, exit.signal),
        (vec!["cmd_1".to_owned(), "cmd_2".to_owned()], Some(9))
    );
    client.handle.input("cmd_3", "z").await.unwrap();
    let gone = FromShim::Refused {
        id: "cmd_3".into(),
        reason: "the agent has ended".into(),
    };
    assert_eq!(until_answer(&mut client).await, gone);
}

#[tokio::test]
async fn a_shim_that_is_full_says_so_and_takes_the_rest_when_its_agent_reads_on() {
    const INPUTS: usize = 1_024;
    let bench = Bench::shell("until test -e go; do sleep 0.01; done; cat").await;
    let mut client = bench.attach(0).await;
    // More than the agent's socket holds, so that everything after it waits as well.
    let first = vec![b'x'; 2 << 20];
    client.handle.input("cmd_0", first.clone()).await.unwrap();
    for number in 1..=INPUTS {
        let id = format!("cmd_{number}");
        client.handle.input(id, "y").await.unwrap();
    }
    let (last, answer) = (format!("cmd_{INPUTS}"), until_answer(&mut client).await);
    let busy = FromShim::Busy { id: last.clone() };
    assert_eq!(answer, busy);
    std::fs::write(bench.path("go"), "").unwrap();
    let (mut bytes_read, mut written) = (0, 0);
    while bytes_read < first.len() + INPUTS || written <= INPUTS {
        match next(&mut client).await.expect("all of it") {
            FromShim::Output { bytes, .. } => bytes_read += bytes.len(),
            FromShim::Accepted { id } => {
                written += 1;
                if id == "cmd_0" {
                    client.handle.input(last.clone(), "y").await.unwrap();
                }
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((bytes_read, written), (first.len() + INPUTS, INPUTS + 1));
}

#[tokio::test]
async fn a_large_input_reaches_an_agent_that_writes_as_much_as_it_reads() {
    let bench = Bench::shell("cat").await;
    let mut client = bench.attach(0).await;
    let input: Vec<u8> = (0..6_000_000u32).map(|n| (n % 253) as u8).collect();
    client.handle.input("cmd_1", input.clone()).await.unwrap();
    let (mut output, mut acknowledged) = (Vec::new(), false);
    while output.len() < input.len() || !acknowledged {
        match next(&mut client).await.expect("all of it") {
            FromShim::Output { bytes, .. } => output.extend_from_slice(&bytes),
            answer => acknowledged = answer == accepted("cmd_1"),
        }
    }
    assert!(output == input, "what came back is not what was sent");
}

#[tokio::test]
async fn a_flooding_agent_waits_and_nothing_of_the_flood_is_lost() {
    const KEPT: u64 = 300_000;
    let bench = Bench::with("seq 1 300000", |spec| {
        spec.backlog_bytes_max = KEPT as usize
    })
    .await;
    let full = wait::until("the backlog to be full", BOUND, async || match shim::probe(
        &bench.socket,
    )
    .await
    .unwrap()
    {
        hello if hello.newest == KEPT => Ok(hello),
        hello => Err(format!("{hello:?}")),
    })
    .await;
    assert!(!full.exited, "it cannot end before what it says is taken");
    let mut client = bench.attach(0).await;
    let (output, exit) = drain(&mut client, 0).await;
    let expected: String = (1..=300_000).map(|n| format!("{n}\n")).collect();
    assert!(
        output == expected.as_bytes(),
        "{} bytes of {}",
        output.len(),
        expected.len()
    );
    assert_eq!(exit.code, Some(0));
}

/// Says when it is ready, and writes a file when it reads the end of its stdin.
const TELLS_OF_EOF: &str =
    "echo $$ > ready; while read line; do echo \"$line\"; done; echo eof > eof";

#[tokio::test]
async fn a_shim_that_is_killed_takes_the_agent_with_it_before_it_reads_an_end() {
    for _ in 0..100 {
        let bench = Bench::shell(TELLS_OF_EOF).await;
        bench.until_file("ready").await;
        kill(bench.hello.shim_pid, rustix::process::Signal::KILL);
        bench.until_gone(bench.hello.agent_pid).await;
        assert!(
            !bench.path("eof").exists(),
            "the agent took the end of its stdin for an answer"
        );
    }
}

#[tokio::test]
async fn a_shim_that_is_killed_leaves_nothing_of_the_agents_group() {
    let bench = Bench::shell(&format!("sleep 1000 & echo $! > child; {TELLS_OF_EOF}")).await;
    let child: u32 = bench.until_file("child").await.trim().parse().unwrap();
    kill(bench.hello.shim_pid, rustix::process::Signal::KILL);
    bench.until_gone(bench.hello.agent_pid).await;
    bench.until_gone(child).await;
}

#[tokio::test]
async fn a_shim_that_is_told_to_stop_ends_the_whole_group_before_stdin() {
    let bench = Bench::shell(&format!("sleep 1000 & echo $! > child; {TELLS_OF_EOF}")).await;
    bench.until_file("ready").await;
    let child: u32 = bench.until_file("child").await.trim().parse().unwrap();
    kill(bench.hello.shim_pid, rustix::process::Signal::TERM);
    bench.until_gone(bench.hello.shim_pid).await;
    assert!(!is_running(bench.hello.agent_pid) && !is_running(child));
    assert!(!bench.path("eof").exists() && !bench.socket.exists());
}

#[tokio::test]
async fn nobody_coming_ends_the_group_and_a_runner_that_comes_stops_the_clock() {
    let bench = Bench::with(
        &format!("sleep 1000 & echo $! > child; {TELLS_OF_EOF}"),
        |spec| {
            spec.unclaimed_seconds = 2;
        },
    )
    .await;
    bench.until_file("ready").await;
    let child: u32 = bench.until_file("child").await.trim().parse().unwrap();
    let attached = tokio::time::Instant::now();
    let mut client = bench.attach(0).await;
    // Held for longer than the limit: it asks whether anything ended, and nothing did.
    tokio::time::timeout(Duration::from_secs(3), client.frames.next())
        .await
        .unwrap_err();
    assert!(attached.elapsed() > Duration::from_secs(2) && is_running(bench.hello.agent_pid));
    drop(client);
    let left = tokio::time::Instant::now();
    bench.until_gone(bench.hello.shim_pid).await;
    assert!(
        left.elapsed() > Duration::from_millis(1900),
        "{:?}",
        left.elapsed()
    );
    assert!(
        !is_running(bench.hello.agent_pid) && !is_running(child) && !bench.path("eof").exists()
    );
}

#[tokio::test]
async fn ending_gives_the_agent_its_grace_and_the_runner_its_last_words() {
    let bench =
        Bench::shell("trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.05; done")
            .await;
    let mut client = bench.attach(0).await;
    until_output(&mut client, "ready").await;
    client.handle.end(BOUND).await.unwrap();
    let (output, exit) = drain(&mut client, 6).await;
    assert_eq!((output.as_slice(), exit.code), (&b"bye\n"[..], Some(7)));
    assert_eq!(next(&mut client).await, None);
    bench.until_gone(bench.hello.shim_pid).await;
    assert!(!bench.socket.exists() && !shim::is_alive(&bench.socket).await);
}

#[tokio::test]
async fn an_agent_that_will_not_end_is_killed_with_what_it_started_even_outside_its_group() {
    // Agents run shell commands in sessions of their own, which no signal to the group reaches.
    let bench = Bench::shell(
        "trap '' TERM; setsid sh -c 'echo $$ > away; sleep 1000' & while :; do sleep 0.1; done",
    )
    .await;
    let away: u32 = bench.until_file("away").await.trim().parse().unwrap();
    let mut client = bench.attach(0).await;
    client.handle.end(Duration::from_millis(100)).await.unwrap();
    let (_, exit) = drain(&mut client, 0).await;
    assert_eq!(exit.signal, Some(9));
    bench.until_gone(bench.hello.shim_pid).await;
    bench.until_gone(away).await;
}

#[tokio::test]
async fn what_an_agent_leaves_behind_ends_with_it_and_does_not_hold_back_its_exit() {
    let bench =
        Bench::shell("setsid sleep 1000 & sleep 1000 & echo $! > child; echo said; exit 4").await;
    let mut client = bench.attach(0).await;
    let (output, exit) = drain(&mut client, 0).await;
    assert_eq!((output.as_slice(), exit.code), (&b"said\n"[..], Some(4)));
    let child: u32 = bench.until_file("child").await.trim().parse().unwrap();
    bench.until_gone(child).await;
}

#[tokio::test]
async fn an_interrupt_reaches_the_agent() {
    let bench =
        Bench::shell("trap 'echo interrupted' INT; echo ready; while :; do sleep 0.05; done").await;
    let mut client = bench.attach(0).await;
    until_output(&mut client, "ready").await;
    client.handle.signal(AgentSignal::Interrupt).await.unwrap();
    until_output(&mut client, "interrupted").await;
}

#[tokio::test]
async fn a_start_that_fails_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let reason = async |change: fn(&mut ShimSpec)| {
        let spec = spec(folder.path(), "true", change);
        match shim::launch(&shim_program(), &spec, folder.path())
            .await
            .unwrap_err()
        {
            LaunchError::Ended { log_tail, .. } => log_tail,
            other => panic!("{other:?}"),
        }
    };
    let missing = reason(|spec| spec.program = "no-such-agent".into()).await;
    assert!(
        missing.contains("no-such-agent") && missing.contains("No such file"),
        "{missing}"
    );
    let forbidden = reason(|spec| spec.program = "/etc/passwd".into()).await;
    assert!(
        forbidden.contains("/etc/passwd") && forbidden.contains("Permission denied"),
        "{forbidden}"
    );
    assert!(
        !forbidden.contains("no-such-agent"),
        "an older start is not this one's: {forbidden}"
    );
    let nowhere = reason(|spec| spec.cwd = "/nowhere".into()).await;
    assert!(nowhere.contains("/nowhere"), "{nowhere}");
    assert!(!folder.path().join("shim.json").exists());
}

#[tokio::test]
async fn a_second_shim_does_not_take_the_socket_of_one_that_lives() {
    let bench = Bench::shell("cat").await;
    let spec = spec(bench.folder.path(), "cat", |_| {});
    let refused = shim::launch(&shim_program(), &spec, bench.folder.path())
        .await
        .unwrap_err();
    assert!(
        refused.to_string().contains("another shim answers there"),
        "{refused}"
    );
    assert_eq!(
        shim::probe(&bench.socket).await.unwrap().shim_pid,
        bench.hello.shim_pid
    );
}

#[tokio::test]
async fn a_shim_is_out_of_the_runners_session_and_holds_nothing_of_its_environment() {
    let bench = Bench::shell("cat").await;
    let stat = |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields = |pid| {
        stat(pid)
            .rsplit_once(')')
            .unwrap()
            .1
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    // After the name: state, parent, group, session.
    assert_eq!(
        fields(bench.hello.shim_pid)[3],
        bench.hello.shim_pid.to_string()
    );
    assert_eq!(
        fields(bench.hello.agent_pid)[2],
        bench.hello.agent_pid.to_string()
    );
    assert!(
        std::fs::read(format!("/proc/{}/environ", bench.hello.shim_pid))
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_command_of_the_agents_cannot_open_its_stdin() {
    let bench = Bench::shell(
        "(echo forged > /proc/$$/fd/0) 2>/dev/null && echo opened || echo refused; cat",
    )
    .await;
    let mut client = bench.attach(0).await;
    assert_eq!(until_output(&mut client, "\n").await, "refused\n");
}

#[expect(
    dead_code,
    reason = "holds the handle to being shareable between tasks"
)]
fn a_handle_is_cheap_to_share(handle: &ShimHandle) -> impl Clone + Send + Sync + 'static + use<> {
    handle.clone()
}
