//! The web app, embedded in the binary.
//!
//! A build without it says so in a sentence instead of an empty page.

use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::error::ApiError;

#[derive(RustEmbed)]
#[folder = "../web/dist"]
struct Assets;

const INDEX: &str = "index.html";
/// Files whose name holds a hash of what is in them.
const HASHED: &str = "assets/";
/// Agents write what the page shows: nothing from elsewhere may run, be loaded or be sent to.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; img-src 'self' blob: data:; style-src 'self' 'unsafe-inline'; \
     connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const NO_ASSETS: &str = "<!doctype html><html lang=en><meta charset=utf-8><title>Flotilla</title>\
     <body style=\"font: 16px system-ui; margin: 3rem\"><p>This build of Flotilla has no web app in it. \
     Run <code>make build</code>, which builds the web app first; the API and the command line work without it.";

/// Whatever no route has taken: a file of the web app, or its page for the addresses it makes itself.
pub async fn fallback(method: Method, uri: Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path == "api" || path.starts_with("api/") {
        return ApiError::not_found(
            "unknown_route",
            format!("There is no `{}` here.", uri.path()),
        )
        .hint("GET /api/openapi.json lists what there is.")
        .into_response();
    }
    if method != Method::GET && method != Method::HEAD {
        return method_not_allowed().await.into_response();
    }
    if let Some(file) = Assets::get(path) {
        return file_response(path, file);
    }
    if path.starts_with(HASHED) {
        // A page of an older build asks for its parts: the new page in their place would confuse it.
        return StatusCode::NOT_FOUND.into_response();
    }
    Assets::get(INDEX).map_or_else(no_assets, |file| file_response(INDEX, file))
}

/// The address is known, and this is not what can be done with it.
pub async fn method_not_allowed() -> ApiError {
    ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "This cannot be done with this address.",
    )
    .hint("GET /api/openapi.json lists what can.")
}

fn file_response(path: &str, file: EmbeddedFile) -> Response {
    let caching = if path.starts_with(HASHED) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    let mut response = file.data.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    let charset = if kind.type_() == mime_guess::mime::TEXT {
        "; charset=utf-8"
    } else {
        ""
    };
    if let Ok(kind) = HeaderValue::try_from(format!("{kind}{charset}")) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    secure(response)
}

fn no_assets() -> Response {
    secure(axum::response::Html(NO_ASSETS).into_response())
}

fn secure(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(CONTENT_SECURITY_POLICY),
    );
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    response
}
