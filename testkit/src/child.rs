//! Child processes that cannot outlive the test that started them.
//!
//! The kernel kills such a child when the *thread* that started it ends, so they are all started
//! by one thread that lives as long as the process: neither a finished test nor a runtime that
//! drops its threads ends a child too early, and a test killed from outside leaves none behind.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::{LazyLock, mpsc};
use std::thread;

use rustix::process::{Signal, set_parent_process_death_signal};

struct Order {
    command: Command,
    reply: mpsc::Sender<io::Result<Child>>,
}

static STARTER: LazyLock<mpsc::Sender<Order>> = LazyLock::new(|| {
    let (orders, inbox) = mpsc::channel::<Order>();
    thread::Builder::new()
        .name("child-starter".to_owned())
        .spawn(move || {
            for mut order in inbox {
                // A caller that is gone has no use for the answer.
                let _ = order.reply.send(order.command.spawn());
            }
        })
        .expect("a thread can be started");
    orders
});

/// Starts `command` as a process that is killed when this one ends, however it ends.
pub fn spawn(mut command: Command) -> io::Result<Child> {
    die_with_parent(&mut command);
    let (reply, answer) = mpsc::channel();
    STARTER
        .send(Order { command, reply })
        .expect("the starter lives as long as the process");
    answer.recv().expect("the starter answers every order")
}

#[expect(
    unsafe_code,
    reason = "the only way to run something between fork and exec"
)]
fn die_with_parent(command: &mut Command) {
    // SAFETY: the closure makes one system call and touches no memory of the parent.
    unsafe {
        command.pre_exec(|| Ok(set_parent_process_death_signal(Some(Signal::KILL))?));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn a_child_outlives_the_thread_that_asked_for_it() {
        let mut command = Command::new("sleep");
        command.arg("600");
        let mut child = thread::spawn(move || spawn(command))
            .join()
            .unwrap()
            .unwrap();
        // Were it tied to that thread, it would be dead by now: `wait` gives it time to be.
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_millis(5)).await;
            assert!(
                child.try_wait().unwrap().is_none(),
                "the child ended with the thread"
            );
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_program_that_does_not_exist_is_an_error() {
        assert_eq!(
            spawn(Command::new("/no/such/program")).unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
    }
}
