//! The sections of the file and what may stand in them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use nats::ids::HostName;
use nats::seal::CommandPublicKey;
use runner::agent::AgentConfiguration;
use serde::Serialize;
use toml::Table;

use super::minutes::Minutes;
use super::section::{Problems, Section};
use super::servers::{Replicas, Servers};
use crate::failure::{Failure, Kind};

/// Everything that can be configured. What a file does not say is empty here, and decided by the part that needs it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Configuration {
    #[serde(skip_serializing_if = "is_default")]
    pub nats: Nats,
    #[serde(skip_serializing_if = "is_default")]
    pub coordinator: Coordinator,
    #[serde(skip_serializing_if = "is_default")]
    pub runner: Runner,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub agents: BTreeMap<String, AgentConfiguration>,
}

/// `[nats]`: the server that carries the fleet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Nats {
    /// Where to find it: one address, or each server of a cluster.
    pub url: Option<Servers>,
    /// The `.creds` file to sign in with.
    pub credentials: Option<PathBuf>,
    /// Where the one that `flotilla up` starts takes clients, for runners on other machines.
    pub listen: Option<SocketAddr>,
    /// Where hosts find it, when that is elsewhere than a coordinator does.
    pub public_url: Option<Servers>,
    /// Copies that a coordinator has the servers keep of everything.
    pub replicas: Option<Replicas>,
}

/// `[coordinator]`: the part that browsers speak to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Coordinator {
    pub listen: Option<SocketAddr>,
    /// The address people use, when a proxy stands in between: `https://fleet.example.org`.
    pub public_url: Option<String>,
    /// The folder of its projection.
    pub data: Option<PathBuf>,
    /// The file with the key that seals commands; without one it is `command.nk` in that folder.
    pub command_key: Option<PathBuf>,
    /// The folder of the keys that let hosts in; without one this coordinator lets none in.
    pub authority: Option<PathBuf>,
    /// The public keys of other coordinators, whose commands a host that joins takes as well.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub command_keys: Vec<CommandPublicKey>,
    /// The file with the token that makes the first person.
    pub setup_token: Option<PathBuf>,
}

/// `[runner]`: the part that runs agents on this machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Runner {
    /// Whether `flotilla up` starts one.
    pub enabled: Option<bool>,
    /// What this machine is called in the fleet.
    pub host: Option<HostName>,
    /// The folder of its sessions and worktrees.
    pub data: Option<PathBuf>,
    /// Where its coordinator is, when NATS does not let it in any more.
    pub coordinator: Option<String>,
    /// The public keys whose commands it carries out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub command_keys: Vec<CommandPublicKey>,
    /// Sessions that may run at once.
    pub slots: Option<NonZeroU32>,
    /// Minutes after which an agent with nothing to do is stopped, and the next message wakes it; 0 = never.
    pub sleep_after_minutes: Option<Minutes>,
    /// Minutes after which a gate that waits is told of again; 0 = never.
    pub remind_after_minutes: Option<Minutes>,
    /// Whether sessions go on by themselves once a usage limit is over.
    pub resume_after_limit: Option<bool>,
    /// Repositories that sessions may work on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub projects: Vec<PathBuf>,
    /// What placement can ask for: `gpu = "a100"`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

impl Configuration {
    /// Reads a file. Relative paths in it start at its own folder.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Failure::new(
                Kind::Configuration,
                format!("could not read `{}`: {error}", path.display()),
            )
        })?;
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let folder = absolute.parent().unwrap_or(Path::new("/"));
        Self::parse(&text, folder).map_err(|problems| {
            let list: String = problems.iter().map(|it| format!("\n  - {it}")).collect();
            Failure::new(
                Kind::Configuration,
                format!("`{}` cannot be used:{list}", path.display()),
            )
        })
    }

    /// Reads the text of a file in `folder`, or tells all that is wrong with it.
    fn parse(text: &str, folder: &Path) -> Result<Self, Vec<String>> {
        let table: Table = text
            .parse()
            .map_err(|error: toml::de::Error| vec![error.to_string().trim_end().to_owned()])?;
        let mut problems = Problems::default();
        let mut root = Section::root(table, &mut problems);
        let path = |path: PathBuf| resolve(folder, &path);

        let mut section = root.section("nats");
        let nats = Nats {
            url: section.take("url"),
            credentials: section.take("credentials").map(path),
            listen: section.take("listen"),
            public_url: section.take("public_url"),
            replicas: section.take("replicas"),
        };
        section.end();

        let mut section = root.section("coordinator");
        let coordinator = Coordinator {
            listen: section.take("listen"),
            public_url: section.take("public_url"),
            data: section.take("data").map(path),
            command_key: section.take("command_key").map(path),
            authority: section.take("authority").map(path),
            command_keys: section.take("command_keys").unwrap_or_default(),
            setup_token: section.take("setup_token").map(path),
        };
        section.end();

        let mut section = root.section("runner");
        let projects: Vec<PathBuf> = section.take("projects").unwrap_or_default();
        let runner = Runner {
            enabled: section.take("enabled"),
            host: section.take("host"),
            data: section.take("data").map(path),
            coordinator: section.take("coordinator"),
            command_keys: section.take("command_keys").unwrap_or_default(),
            slots: section.take("slots"),
            sleep_after_minutes: section.take("sleep_after_minutes"),
            remind_after_minutes: section.take("remind_after_minutes"),
            resume_after_limit: section.take("resume_after_limit"),
            projects: projects.into_iter().map(path).collect(),
            labels: section.take("labels").unwrap_or_default(),
        };
        section.end();

        let mut section = root.section("agents");
        let mut agents = BTreeMap::new();
        for name in section.keys() {
            if let Some(mut agent) = section.take::<AgentConfiguration>(&name) {
                agent.home = agent.home.map(path);
                agents.insert(name, agent);
            }
        }
        section.end();
        root.end();

        if problems.0.is_empty() {
            Ok(Self {
                nats,
                coordinator,
                runner,
                agents,
            })
        } else {
            Err(problems.0)
        }
    }

    /// The text of a file that reads back into this.
    pub fn render(&self) -> Result<String, Failure> {
        toml::to_string(self)
            .map_err(|error| Failure::because("the configuration cannot be written", &error))
    }

    /// The same for a person to look at: an agent's environment is where its keys are.
    pub fn render_without_secrets(&self) -> Result<String, Failure> {
        let mut shown = self.clone();
        for value in shown
            .agents
            .values_mut()
            .flat_map(|agent| agent.env.values_mut())
        {
            "(hidden)".clone_into(value);
        }
        shown.render()
    }
}

/// An absolute path: `~` is the user's home, anything relative starts at `folder`.
fn resolve(folder: &Path, path: &Path) -> PathBuf {
    if let Ok(below_home) = path.strip_prefix("~")
        && let Some(home) = std::env::var_os("HOME")
    {
        return Path::new(&home).join(below_home);
    }
    folder.join(path)
}

fn is_default<T: Default + PartialEq>(section: &T) -> bool {
    *section == T::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"
        [nats]
        url = "nats://127.0.0.1:4222"
        credentials = "coordinator.creds"
        [coordinator]
        listen = "127.0.0.1:4242"
        public_url = "https://fleet.example.org"
        data = "/var/lib/flotilla/coordinator"
        setup_token = "setup-token"
        [runner]
        host = "vps-1"
        data = "/var/lib/flotilla"
        slots = 4
        sleep_after_minutes = 0
        remind_after_minutes = 0.5
        resume_after_limit = false
        projects = ["/srv/shop", "two words"]
        labels = { pool = "fast" }
        [agents.claude]
        command = "/opt/claude"
        env = { ANTHROPIC_API_KEY = "secret" }
    "#;

    fn parse(text: &str) -> Result<Configuration, Vec<String>> {
        Configuration::parse(text, Path::new("/etc/flotilla"))
    }

    #[test]
    fn a_file_survives_being_written_and_read_again() {
        let read = parse(WHOLE).unwrap();
        assert_eq!(parse(&read.render().unwrap()).unwrap(), read);
        assert_eq!(
            read.runner.projects[1],
            Path::new("/etc/flotilla/two words")
        );
        assert_eq!(parse("").unwrap().render().unwrap(), "");
    }

    #[test]
    fn every_problem_is_told_at_once() {
        let problems = parse(
            r#"
            verbose = true
            [coordinator]
            listen = "everywhere"
            lisen = "127.0.0.1:1"
            [runner]
            host = "VPS 1"
            slots = 0
            [nats]
            replicas = 2
            [agents.claude]
            commnd = "/opt/claude"
            [agents.codex]
            args = "one"
            "#,
        )
        .unwrap_err();
        for expected in [
            "verbose: ",
            "[coordinator] listen: ",
            "[coordinator] lisen: is not something",
            "[runner] host: `VPS 1` is not a host name",
            "[runner] slots: ",
            "[nats] replicas: 2 copies are not possible",
            "[agents] claude: unknown field `commnd`",
            "[agents] codex: ",
        ] {
            assert!(
                problems.iter().any(|it| it.starts_with(expected)),
                "{expected} is missing in {problems:#?}"
            );
        }
        assert_eq!(problems.len(), 8);
    }

    #[test]
    fn a_file_that_is_not_toml_is_told_with_its_line() {
        let problems = parse("[nats\nurl = 1").unwrap_err();
        assert!(problems[0].contains("line 1"), "{problems:?}");
    }

    #[test]
    fn the_servers_of_a_cluster_are_shown_as_they_will_be_tried() {
        let cluster = r#"nats = { url = "nats://10.0.0.1:4222,nats://10.0.0.2:4222" }"#;
        let shown = parse(cluster).unwrap().render_without_secrets().unwrap();
        let list = r#"url = ["nats://10.0.0.1:4222", "nats://10.0.0.2:4222"]"#;
        assert!(shown.contains(list), "{shown}");
        assert_eq!(parse(&shown).unwrap(), parse(cluster).unwrap());
    }

    #[test]
    fn what_is_shown_holds_no_secret() {
        let shown = parse(WHOLE).unwrap().render_without_secrets().unwrap();
        assert!(shown.contains("ANTHROPIC_API_KEY") && !shown.contains("secret\""));
    }
}
