//! A session as a file: taken out of a fleet whole, and put into another one as something that is over.
//!
//! A file is lines of JSON: a head, each object in parts before the event that names it, each event, and an end that holds
//! the hash of all lines before it. What names the place where a session lives is the only thing that is changed.

mod check;
mod export;
mod import;
mod line;
mod rehome;
mod spool;

pub use export::Exporter;
pub use import::{Error as ImportError, Importer};
pub use line::references;
pub use spool::Error as SpoolError;
