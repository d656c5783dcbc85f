//! Every list: some items, and where to go on.

use serde::Serialize;
use ts_rs::TS;
use utoipa::ToSchema;

#[derive(Debug, Clone, Serialize, TS, ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Send it back as `cursor` (events: `after`, or `before`) for what follows; null at the end.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A list that is whole.
    #[must_use]
    pub const fn whole(items: Vec<T>) -> Self {
        Self { items, next: None }
    }
}
