//! An error with all its causes, for the one place that logs it.

use std::error::Error;
use std::fmt;

/// Writes `error: cause: cause of the cause`.
pub fn chain<'error>(error: &'error (dyn Error + 'static)) -> impl fmt::Display + 'error {
    Chain(error)
}

struct Chain<'error>(&'error (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
