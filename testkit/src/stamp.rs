//! Stamps of the clock inside of a text: taken by whoever sends it, read by whoever gets it, however it travels.
//!
//! The wall clock, because sender and reader are processes of one machine and share nothing else.

use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds since 1970.
pub fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    })
}

/// `@1790000000000000 `, a word of a text.
pub fn taken() -> String {
    format!("@{} ", now_us())
}

/// Every stamp of a text, in microseconds since 1970.
pub fn read(text: &str) -> impl Iterator<Item = u64> {
    text.split('@').skip(1).filter_map(|rest| {
        let digits = rest
            .find(|it: char| !it.is_ascii_digit())
            .unwrap_or(rest.len());
        rest[..digits].parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_read_as_it_was_taken() {
        let before = now_us();
        let text = format!("so {}and {}", taken(), taken());
        let stamps: Vec<u64> = read(&text).collect();
        assert_eq!(stamps.len(), 2);
        assert!(
            stamps
                .iter()
                .all(|stamp| (before..=now_us()).contains(stamp))
        );
        assert_eq!(read("a@b @ @12").collect::<Vec<_>>(), [12]);
    }
}
