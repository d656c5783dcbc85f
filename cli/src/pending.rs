//! Stands in for the parts that are not there yet.

pub mod coordinator {
    use std::net::SocketAddr;
    use std::path::PathBuf;

    use tokio_util::sync::CancellationToken;

    #[derive(Debug)]
    pub struct Configuration {
        pub listen: SocketAddr,
        pub data: PathBuf,
        pub nats_url: String,
        pub nats_credentials: Option<PathBuf>,
        pub setup_token_file: Option<PathBuf>,
    }

    pub async fn run(
        configuration: Configuration,
        token: CancellationToken,
    ) -> Result<(), std::io::Error> {
        tracing::info!(?configuration, "not built yet");
        token.cancelled().await;
        Ok(())
    }
}

pub mod runner {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use nats::ids::HostName;
    use runner::agent::AgentConfiguration;
    use tokio_util::sync::CancellationToken;

    #[derive(Debug)]
    pub struct Configuration {
        pub host: HostName,
        pub data: PathBuf,
        pub nats_url: String,
        pub nats_credentials: Option<PathBuf>,
        pub projects: Vec<PathBuf>,
        pub agents: BTreeMap<String, AgentConfiguration>,
        pub slots: u32,
        pub labels: BTreeMap<String, String>,
        pub flotilla: PathBuf,
        pub environment: BTreeMap<String, String>,
    }

    pub async fn run(
        configuration: Configuration,
        token: CancellationToken,
    ) -> Result<(), std::io::Error> {
        tracing::info!(?configuration, "not built yet");
        token.cancelled().await;
        Ok(())
    }
}
