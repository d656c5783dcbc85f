//! Everything that must lie in the data folder before the parts are started.

use std::ffi::OsString;
use std::fs::Permissions;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nats::credentials::{Credentials, private_file};
use nats::server;

use super::installation::Installation;
use super::part::Part;
use super::{demo, setup_token};
use crate::command_key;
use crate::configuration::{Configuration, Coordinator, Nats, Runner, Servers, this_program};
use crate::data::DataFolder;
use crate::failure::{Failure, Kind};
use crate::logging;

/// What `up` knows when nothing runs yet.
pub struct Prepared {
    pub setup_token: String,
    pub coordinator_credentials: PathBuf,
    pub observer_credentials: PathBuf,
    pub nats_server: Part,
    pub coordinator: Part,
    /// None when the person wants none here.
    pub runner: Option<Part>,
}

/// What a person asked for.
pub struct Wishes {
    pub configuration: Configuration,
    pub projects: Vec<PathBuf>,
    pub nats_server: PathBuf,
    /// Where browsers connect.
    pub browsers: TcpListener,
    pub log_format: logging::Format,
}

/// Makes credentials, secrets and the parts' own configuration files.
pub fn prepare(
    data: &DataFolder,
    installation: &Installation,
    wishes: Wishes,
) -> Result<Prepared, Failure> {
    for folder in [data.logs(), data.nats(), data.coordinator(), data.runner()] {
        private_file::folder(&folder).map_err(|error| {
            Failure::because(format!("could not make `{}`", folder.display()), &error)
        })?;
    }
    let credentials = Credentials::create(&data.credentials())
        .map_err(|error| Failure::because("the NATS credentials", &error))?;
    let made = |made: Result<PathBuf, nats::credentials::Error>| {
        made.map_err(|error| Failure::because("the NATS credentials", &error))
    };
    let coordinator_credentials = made(credentials.coordinator())?;
    let observer_credentials = made(credentials.observer())?;
    made(credentials.accounts())?;
    let setup_token = setup_token::open(data)?;

    let nats_configuration = data.nats().join("nats-server.conf");
    let server = server::Configuration {
        name: installation.host.to_string(),
        listen: installation.nats,
        store_folder: data.nats().join("jetstream"),
        ports_folder: data.nats(),
        pid_file: data.nats().join("nats-server.pid"),
        accounts_folder: data.nats().join("accounts"),
        trust: credentials.trust().clone(),
    };
    write(&nats_configuration, &server.render())?;

    // As it stands, so that an address of all stands for the one under which the coordinator is found.
    let public_url = wishes
        .configuration
        .nats
        .public_url
        .clone()
        .unwrap_or_else(|| Servers::one(format!("nats://{}", installation.nats)));
    let coordinator = Configuration {
        nats: Nats {
            url: Some(Servers::one(installation.nats_url())),
            public_url: Some(public_url),
            credentials: Some(coordinator_credentials.clone()),
            ..Nats::default()
        },
        coordinator: Coordinator {
            listen: Some(installation.listen),
            public_url: wishes.configuration.coordinator.public_url,
            data: Some(data.coordinator()),
            command_key: Some(data.command_key()),
            authority: Some(data.credentials()),
            command_keys: Vec::new(),
            setup_token: Some(data.setup_token()),
        },
        ..Configuration::default()
    };
    let coordinator_configuration = data.coordinator().join("coordinator.toml");
    write(&coordinator_configuration, &coordinator.render()?)?;

    let runner_configuration = if wishes.configuration.runner.enabled.unwrap_or(true) {
        let mut projects = wishes.configuration.runner.projects;
        projects.extend(wishes.projects);
        let runner = Configuration {
            nats: Nats {
                url: Some(Servers::one(installation.nats_url())),
                credentials: Some(made(credentials.runner(&installation.host))?),
                ..Nats::default()
            },
            runner: Runner {
                host: Some(installation.host.clone()),
                data: Some(data.path().to_owned()),
                command_keys: vec![command_key::public(data)?],
                projects: projects_or_demo(data, projects)?,
                ..wishes.configuration.runner
            },
            agents: wishes.configuration.agents,
            ..Configuration::default()
        };
        let path = data.runner().join("runner.toml");
        write(&path, &runner.render()?)?;
        Some(path)
    } else {
        None
    };

    let flotilla = this_program()
        .map_err(|error| Failure::because("this program does not find itself", &error))?;
    let own = |name: &'static str, configuration: PathBuf| Part {
        name,
        program: flotilla.clone(),
        arguments: vec![
            name.into(),
            "--config".into(),
            configuration.into(),
            "--log-format".into(),
            wishes.log_format.name().into(),
        ],
        log: data.logs().join(format!("{name}.log")),
        listener: None,
    };
    Ok(Prepared {
        setup_token,
        coordinator_credentials,
        observer_credentials,
        nats_server: Part {
            name: "nats-server",
            program: wishes.nats_server,
            arguments: vec![OsString::from("--config"), nats_configuration.into()],
            log: data.logs().join("nats-server.log"),
            listener: None,
        },
        coordinator: Part {
            listener: Some(Arc::new(wishes.browsers)),
            ..own("coordinator", coordinator_configuration)
        },
        runner: runner_configuration.map(|path| own("runner", path)),
    })
}

/// The projects as absolute paths; the demo when none is named. One that is not there is a slip of the pen, and better
/// told now than found missing in a list.
pub fn projects_or_demo(
    data: &DataFolder,
    projects: Vec<PathBuf>,
) -> Result<Vec<PathBuf>, Failure> {
    if projects.is_empty() {
        return Ok(vec![demo::open(data)?]);
    }
    let mut found = Vec::new();
    for project in projects {
        let path = std::fs::canonicalize(&project).map_err(|error| {
            Failure::new(
                Kind::Configuration,
                format!(
                    "the project `{}` cannot be opened: {error}",
                    project.display()
                ),
            )
            .hint("--project takes the folder of a git repository")
        })?;
        if !found.contains(&path) {
            found.push(path);
        }
    }
    Ok(found)
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    private_file::write(path, text)
        .map_err(|error| Failure::because(format!("could not write `{}`", path.display()), &error))
}

/// Makes the data folder itself. One that others may enter is left to who made it so; what is secret lies deeper.
pub fn make_data_folder(data: &DataFolder) -> Result<(), Failure> {
    let path = data.path();
    let made = if path.is_dir() {
        Ok(())
    } else {
        std::fs::create_dir_all(path)
            .and_then(|()| std::fs::set_permissions(path, Permissions::from_mode(0o700)))
    };
    made.map_err(|error| {
        Failure::because(
            format!("could not make the data folder `{}`", path.display()),
            &error,
        )
        .hint("choose another with --data DIR")
    })
}
