//! Ports that must be known before anybody listens on them.

use std::net::TcpListener;

/// Below the range from which the kernel takes ports by itself, so that nobody is given one of these by chance.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// A port on which nobody listens now, and which nobody is given who asks for any.
pub fn unused() -> u16 {
    let start = uuid::Uuid::now_v7().as_u128() % u128::from(COUNT);
    let start = u16::try_from(start).expect("below the count");
    (0..COUNT)
        .map(|step| FIRST + (start + step) % COUNT)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a machine has unused ports")
}
