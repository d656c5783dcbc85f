//! A text as a QR code that a browser draws without a library of its own.

use std::fmt::Write as _;

use qrcodegen::{QrCode, QrCodeEcc};

use crate::api;

/// None for a text that is too long for one, which no command is.
#[must_use]
pub fn code(text: &str) -> Option<api::QrCode> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let mut path = String::new();
    for y in 0..code.size() {
        let mut x = 0;
        while x < code.size() {
            let dark = (x..code.size())
                .take_while(|x| code.get_module(*x, y))
                .count();
            let dark = i32::try_from(dark).unwrap_or(0);
            if dark > 0 {
                // Writing to a String cannot fail.
                let _ = write!(path, "M{x} {y}h{dark}v1h-{dark}z");
            }
            x += dark.max(1);
        }
    }
    Some(api::QrCode {
        size: code.size().unsigned_abs(),
        path,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_three_corners() {
        let code =
            code("flotilla runner enrol https://flotilla.example.org flt-enrol.vps-1").unwrap();
        let last = code.size - 7;
        for corner in ["M0 0h7v1h-7z".to_owned(), format!("M{last} 0h7v1h-7z")] {
            assert!(code.path.contains(&corner), "{corner} in {}", code.path);
        }
        assert!(code.path.contains(&format!("M0 {last}h7v1h-7z")));
    }
}
