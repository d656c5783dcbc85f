//! The shim as a program of its own, for the runner's tests: called as the `flotilla` binary is, with `shim --spec FILE`.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use runner::shim::{ShimOptions, run};

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().skip(1).collect();
    let [_shim, _flag, spec] = args.as_slice() else {
        return ExitCode::from(64);
    };
    let options = ShimOptions { spec: spec.into() };
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    else {
        return ExitCode::FAILURE;
    };
    let Err(error) = runtime.block_on(run(options)) else {
        return ExitCode::SUCCESS;
    };
    let mut cause: Option<&dyn Error> = Some(&error);
    while let Some(error) = cause {
        writeln!(std::io::stderr(), "{error}").ok();
        cause = error.source();
    }
    ExitCode::FAILURE
}
