//! Makes sure that there is a folder of web assets to embed, be it an empty one.

use std::{fs, io};

fn main() -> io::Result<()> {
    let assets = "../web/dist";
    fs::create_dir_all(assets)?;
    // An asset that is built later must be embedded by the next build.
    println!("cargo:rerun-if-changed={assets}");
    Ok(())
}
