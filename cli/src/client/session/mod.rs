//! `session …`: one file for each verb.

mod control;
mod event;
mod export;
mod follow;
mod ls;
mod send;
mod show;
mod start;
mod text;
mod verify;
mod wait;

use super::arguments::{OnOff, SessionVerb};
use super::exit::Error;
use super::output::Output;
use super::reference;
use super::server::Server;

pub(super) async fn run(
    verb: SessionVerb,
    server: &Server,
    output: &mut Output,
) -> Result<(), Error> {
    match verb {
        SessionVerb::Ls { all } => ls::run(all, server, output).await,
        SessionVerb::Start(start) => start::run(start, server, output).await,
        SessionVerb::Show {
            session,
            events,
            follow,
        } => {
            let session = reference::session(server, &session).await?;
            show::run(session, events, follow, server, output).await
        }
        SessionVerb::Export {
            session,
            output: file,
        } => {
            let session = reference::session(server, &session).await?;
            export::export(session, file, server, output).await
        }
        SessionVerb::Import { file } => export::import(&file, server, output).await,
        SessionVerb::Verify { session } => {
            let session = reference::session(server, &session).await?;
            verify::run(session, server, output).await
        }
        SessionVerb::Send {
            session,
            text,
            steer,
        } => {
            let session = reference::session(server, &session).await?;
            send::run(session, &text, steer, server, output).await
        }
        SessionVerb::Wait {
            session,
            state,
            timeout,
        } => {
            let session = reference::session(server, &session).await?;
            wait::run(session, state, timeout, server, output).await
        }
        SessionVerb::Stop { session } => {
            control::run(
                &session,
                "stop",
                "It is asked to end; its worktree and branch stay.",
                server,
                output,
            )
            .await
        }
        SessionVerb::Interrupt { session } => {
            control::run(
                &session,
                "interrupt",
                "The turn that runs is asked to stop.",
                server,
                output,
            )
            .await
        }
        SessionVerb::ResumeAtReset { wish, session } => {
            let enabled = wish == OnOff::On;
            control::resume_at_reset(&session, enabled, server, output).await
        }
        SessionVerb::Resume { session } => {
            control::run(&session, "resume", "It is asked to go on.", server, output).await
        }
    }
}
