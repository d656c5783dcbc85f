//! What is new goes to those who watch, at once.
//!
//! Owns the list of watchers, the text of blocks that are still being written, and the gathering of changed rows.
//! Nothing here is stored, and nobody here is waited for: a watcher that cannot keep up is let go, and comes back
//! with its cursor. Deliberately knows nothing of WebSockets and SSE.

mod frame;
mod hub;
mod partial;

mod fleet;
mod listen;

pub use fleet::{Touched, publish as publish_fleet};
pub use frame::{EventBatch, Frame, events_frame, to_text};
pub use hub::{Hub, Watcher};
pub use listen::{Written, listen};
