//! `verify`: the whole chain on a real installation, one step after the other, as a person would go it.
//!
//! Owns which steps there are and in which order. Speaks to the coordinator alone, as every client verb does: what it
//! proves is what a browser would get. The agent is the rehearsal's, so that it costs nothing and needs no account.

mod drill;
mod fleet;
mod report;
mod tail;

use std::time::Duration;

use super::arguments::Verify;
use super::exit::Error;
use super::output::Output;
use super::server::Server;
use drill::Drill;
use report::Report;

/// Checks the fleet, then one host after the other. What fails on one host is no reason to leave the others out.
pub(super) async fn run(verify: Verify, server: &Server, output: &mut Output) -> Result<(), Error> {
    let mut report = Report::new(output, Duration::from_secs(verify.timeout));
    let hosts = async {
        report.step("reach", fleet::reach(server)).await?;
        report.step("sign in", fleet::sign_in(server)).await?;
        report
            .step("hosts", fleet::hosts(server, &verify.hosts))
            .await
    };
    for host in hosts.await.unwrap_or_default() {
        report.at(&host.name);
        on_host(server, host, &mut report).await;
    }
    report.end()
}

/// `None` where a step failed: those after it would say nothing.
async fn on_host(server: &Server, host: fleet::Host, report: &mut Report<'_>) -> Option<()> {
    let project = report.step("project", host.project()).await?;
    let mut drill = report
        .step("accept", Drill::start(server, &host.name, &project))
        .await?;
    let passed = steps(&mut drill, report).await;
    report.step("clean up", drill.clean_up()).await?;
    passed
}

async fn steps(drill: &mut Drill<'_>, report: &mut Report<'_>) -> Option<()> {
    report.step("session", drill.opened()).await?;
    report.step("stream", drill.stream()).await?;
    let write = report.step("gate", drill.gate("Write")).await?;
    report.step("allow", drill.allow(&write)).await?;
    report.step("file", drill.file(&write)).await?;
    let touch = report.step("second gate", drill.gate("Bash")).await?;
    report.step("deny", drill.deny(&touch)).await?;
    report.step("rest", drill.rest()).await?;
    report.step("replay", drill.replay()).await?;
    report.step("audit", drill.audit(&[&write, &touch])).await
}
