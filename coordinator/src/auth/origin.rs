//! Where a request comes from: a page of another site must not write here, nor listen on the socket.
//!
//! The rule holds on loopback too: any page in the same browser can reach 127.0.0.1.

use axum::http::{HeaderMap, Method, header};

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("The page at {origin} may not do this here.")]
    OtherSite { origin: String },
    #[error("A request with a cookie must say which page it comes from.")]
    NoOrigin,
}

/// Refuses writes, and sockets, of pages that are not ours. Programs send no origin and have no cookie.
pub fn check(
    method: &Method,
    headers: &HeaderMap,
    is_socket: bool,
    public_url: Option<&str>,
) -> Result<(), Refused> {
    let reads = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    if reads && !is_socket {
        return Ok(());
    }
    let Some(origin) = headers.get(header::ORIGIN) else {
        return if headers.contains_key(header::COOKIE)
            && !headers.contains_key(header::AUTHORIZATION)
        {
            Err(Refused::NoOrigin)
        } else {
            Ok(())
        };
    };
    let origin = origin.to_str().unwrap_or_default();
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let ours = host.is_some_and(|host| {
        origin
            .strip_prefix("http://")
            .or_else(|| origin.strip_prefix("https://"))
            .is_some_and(|stated| stated.eq_ignore_ascii_case(host))
    });
    let public =
        public_url.is_some_and(|url| url.trim_end_matches('/').eq_ignore_ascii_case(origin));
    if ours || public {
        Ok(())
    } else {
        Err(Refused::OtherSite {
            origin: origin.chars().take(200).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(
        method: Method,
        is_socket: bool,
        pairs: &[(&'static str, &str)],
    ) -> Result<(), Refused> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        check(
            &method,
            &headers,
            is_socket,
            Some("https://fleet.example.org/"),
        )
    }

    #[test]
    fn a_page_of_ours_may_write_and_another_may_not() {
        let host = ("host", "127.0.0.1:4242");
        let cookie = ("cookie", "flotilla=x");
        let from = |origin| asked(Method::POST, false, &[host, cookie, ("origin", origin)]);
        assert_eq!(from("http://127.0.0.1:4242"), Ok(()));
        assert_eq!(from("https://fleet.example.org"), Ok(()));
        for other in [
            "http://evil.example",
            "http://127.0.0.1:9999",
            "null",
            "http://127.0.0.1:4242.evil.example",
        ] {
            assert!(from(other).is_err(), "{other}");
        }
    }

    #[test]
    fn a_cookie_without_an_origin_is_refused_and_a_program_is_not() {
        let host = ("host", "127.0.0.1:4242");
        assert_eq!(
            asked(Method::POST, false, &[host, ("cookie", "flotilla=x")]),
            Err(Refused::NoOrigin)
        );
        assert_eq!(
            asked(Method::POST, false, &[host, ("authorization", "Bearer x")]),
            Ok(())
        );
        assert_eq!(asked(Method::POST, false, &[host]), Ok(()));
    }

    #[test]
    fn reading_needs_no_origin_and_the_socket_does() {
        let (host, cookie, evil) = (
            ("host", "a:1"),
            ("cookie", "flotilla=x"),
            ("origin", "http://evil.example"),
        );
        assert_eq!(asked(Method::GET, false, &[host, cookie]), Ok(()));
        assert_eq!(
            asked(Method::GET, true, &[host, cookie]),
            Err(Refused::NoOrigin)
        );
        assert!(asked(Method::GET, true, &[host, cookie, evil]).is_err());
        assert_eq!(
            asked(Method::GET, true, &[host, cookie, ("origin", "http://a:1")]),
            Ok(())
        );
    }
}
