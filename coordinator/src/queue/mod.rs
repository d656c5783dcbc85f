//! The sessions that wait for a host: where each stands in line, and why; placed as soon as something fits.
//!
//! What is decided here is written by compare-and-set, so any number of coordinators may decide at once. Owns nothing
//! that lasts: the line is made anew from the projection and from what hosts report.

mod full;
mod line;
mod picture;
mod refusals;
mod run;

pub use full::Full;
pub use line::{Line, Place};
pub use picture::Picture;
pub use refusals::hear as hear_refusals;
pub use run::run;
