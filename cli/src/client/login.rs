//! `login`: a password once, an API token from then on.

use std::io::{BufRead, IsTerminal, Write};

use serde_json::json;

use super::arguments::Login;
use super::credentials::{Credentials, Environment, plain};
use super::exit::Error;
use super::output::Output;
use super::password;
use super::server::Server;

pub(super) async fn run(
    arguments: &Login,
    environment: &Environment,
    output: &mut Output,
) -> Result<(), Error> {
    let url = plain(&arguments.url);
    let mut server = Server::anonymous(&url)?;
    let email = match &arguments.email {
        Some(email) => email.clone(),
        None => ask_email(arguments.password_stdin)?,
    };
    let password = if arguments.password_stdin {
        password::from_stdin()?
    } else {
        password::ask(&format!("Password of {email} at {url}: "))?
    };
    let me = server.sign_in(&email, &password).await?;
    let made = server
        .post(&["api", "tokens"], &json!({ "name": token_name() }))
        .await;
    // The browser's kind of session was only the way to the token; a token that was not made changes nothing of that.
    let left = server.post(&["api", "auth", "logout"], &json!({})).await;
    let made = made?;
    let token = made["token"]
        .as_str()
        .ok_or_else(|| server.not_understood("no token in the answer"))?;
    let file = environment.keep(&Credentials {
        url: url.clone(),
        token: token.to_owned(),
    })?;
    if let Err(error) = left {
        output.say(&format!(
            "The password's own session could not be closed: {}",
            error.sentence()
        ));
    }
    let name = me["name"].as_str().unwrap_or(&email).to_owned();
    if environment.token.is_some() {
        output.say("FLOTILLA_TOKEN is set and wins over what was kept.");
    }
    output.say(&format!(
        "Signed in to {url} as {name}. The token is in {}.",
        file.display()
    ));
    if output.json {
        let token = json!({ "url": url, "user": me, "token_id": made["id"], "file": file });
        return output.answer(&token, |_| String::new());
    }
    Ok(())
}

/// What the token is called in the list of tokens, so that its owner knows which one to take back.
fn token_name() -> String {
    let machine = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    format!("flotilla on {machine}")
}

fn ask_email(stdin_is_taken: bool) -> Result<String, Error> {
    let missing = || Error::Usage {
        message: "whose password is it?".to_owned(),
        hint: Some("say it with --email EMAIL".to_owned()),
    };
    if stdin_is_taken || !std::io::stdin().is_terminal() {
        return Err(missing());
    }
    let mut stderr = std::io::stderr();
    let mut line = String::new();
    let read = write!(stderr, "Email: ")
        .and_then(|()| stderr.flush())
        .and_then(|()| std::io::stdin().lock().read_line(&mut line));
    read.map_err(Error::local("could not ask for the email"))?;
    let email = line.trim();
    if email.is_empty() {
        Err(missing())
    } else {
        Ok(email.to_owned())
    }
}
