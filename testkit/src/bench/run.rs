//! A run: one topic after the other, each on an installation of its own, so that none carries what another left.

use super::figure::Figure;
use super::stage::Stage;
use super::{
    decisions, deltas, fan_out, first_text, memory, rebuild, recovery, reload, throughput,
};

/// What is measured together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    Deltas,
    Decisions,
    FirstText,
    Reload,
    FanOut,
    Throughput,
    Memory,
    Rebuild,
    Recovery,
}

impl Topic {
    pub const ALL: [Self; 9] = [
        Self::Deltas,
        Self::Decisions,
        Self::FirstText,
        Self::Reload,
        Self::FanOut,
        Self::Throughput,
        Self::Memory,
        Self::Rebuild,
        Self::Recovery,
    ];

    /// What a person types after `ONLY=`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deltas => "deltas",
            Self::Decisions => "decisions",
            Self::FirstText => "first-text",
            Self::Reload => "reload",
            Self::FanOut => "fan-out",
            Self::Throughput => "throughput",
            Self::Memory => "memory",
            Self::Rebuild => "rebuild",
            Self::Recovery => "recovery",
        }
    }

    /// The one with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.name() == name)
    }

    /// Its letter in the report, and what it is about.
    pub(super) const fn title(self) -> (&'static str, &'static str) {
        match self {
            Self::Deltas => ("a", "Text on its way"),
            Self::Decisions => ("b", "From a decision to its effect"),
            Self::FirstText => ("c", "Until the first word"),
            Self::Reload => ("d", "A long session, read anew"),
            Self::FanOut => ("e", "Many sessions, many readers"),
            Self::Throughput => ("f", "Durable events each second"),
            Self::Memory => ("g", "Memory"),
            Self::Rebuild => ("h", "The projection, built anew"),
            Self::Recovery => ("i", "Recovery"),
        }
    }
}

/// How much is measured.
#[derive(Debug, Clone)]
pub struct Settings {
    pub topics: Vec<Topic>,
    /// Turns, sessions or kills of each kind.
    pub rounds: usize,
    /// Most that stream at once.
    pub sessions: usize,
}

/// Measures, and tells each topic's figures when they are there.
pub async fn run(settings: &Settings, mut tell: impl FnMut(Topic, &[Figure])) -> Vec<Figure> {
    let mut all = Vec::new();
    for &topic in &settings.topics {
        let stage = Stage::set().await;
        let figures = match topic {
            Topic::Deltas => deltas::measure(settings, &stage).await,
            Topic::Decisions => decisions::measure(settings, &stage).await,
            Topic::FirstText => first_text::measure(settings, &stage).await,
            Topic::Reload => reload::measure(settings, &stage).await,
            Topic::FanOut => fan_out::measure(settings, &stage).await,
            Topic::Throughput => throughput::measure(settings, &stage).await,
            Topic::Memory => memory::measure(settings, &stage).await,
            Topic::Rebuild => rebuild::measure(settings, &stage).await,
            Topic::Recovery => recovery::measure(settings, &stage).await,
        };
        tell(topic, &figures);
        all.extend(figures);
    }
    all
}
