//! The coordinator's HTTP API as functions: a path in, its JSON out, its refusals as errors.
//!
//! Answers stay JSON here, so that `--json` passes on what a newer server says. Views take from them what is shown.

use std::io;
use std::time::Duration;

use coordinator::api::ErrorBody;
use futures::Stream;
use reqwest::header::{ACCEPT, AUTHORIZATION, COOKIE, HeaderMap, HeaderValue, ORIGIN, SET_COOKIE};
use reqwest::{Body, Method, Response, StatusCode, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::credentials::Credentials;
use super::exit::Error;
use super::patience::keep_at;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Every answer but a stream comes well within this: a coordinator keeps at what it was given for two minutes.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(150);
/// What a page may hold; a server that gives fewer is asked more often.
const ITEMS_PER_PAGE: &str = "500";
/// Lists are paged; nobody reads further, and a server that never ends a list is broken.
const PAGES_MAX: usize = 100;

pub(super) struct Server {
    http: reqwest::Client,
    base: Url,
    /// Sent with every request: the token, or the cookie of a sign-in.
    identity: HeaderMap,
    /// Whether to keep at what nobody can take at the moment.
    patient: bool,
}

impl Server {
    /// A server to which we have a token.
    pub(super) fn new(credentials: &Credentials) -> Result<Self, Error> {
        let mut server = Self::anonymous(&credentials.url)?;
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", credentials.token))
            .map_err(|_| Error::usage("the token holds characters that no token has"))?;
        bearer.set_sensitive(true);
        server.identity.insert(AUTHORIZATION, bearer);
        Ok(server)
    }

    /// A server that does not know us yet.
    pub(super) fn anonymous(url: &str) -> Result<Self, Error> {
        let base = Url::parse(url)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"));
        let base = base.ok_or_else(|| Error::Usage {
            message: format!("`{url}` is not an address"),
            hint: Some(
                "it looks like http://127.0.0.1:4242 or https://flotilla.example.org".to_owned(),
            ),
        })?;
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            // A token goes where it belongs and nowhere else.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|source| Error::Unreachable {
                url: url.to_owned(),
                source,
            })?;
        Ok(Self {
            http,
            base,
            identity: HeaderMap::new(),
            patient: false,
        })
    }

    /// Keeps at every request while nobody can take it. What is posted must carry an id of its own, so that it may be
    /// posted twice.
    pub(super) fn patient(mut self) -> Self {
        self.patient = true;
        self
    }

    pub(super) async fn get(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Value, Error> {
        let url = self.url(path, query)?;
        self.answer(&url, || self.http.request(Method::GET, url.clone()))
            .await
    }

    pub(super) async fn post(&self, path: &[&str], body: &Value) -> Result<Value, Error> {
        let url = self.url(path, &[])?;
        self.answer(&url, || {
            self.http.request(Method::POST, url.clone()).json(body)
        })
        .await
    }

    pub(super) async fn delete(&self, path: &[&str]) -> Result<Value, Error> {
        let url = self.url(path, &[])?;
        self.answer(&url, || self.http.request(Method::DELETE, url.clone()))
            .await
    }

    /// All items of a list, page after page.
    pub(super) async fn list(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Vec<Value>, Error> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let mut query = query.to_vec();
            query.push(("limit", ITEMS_PER_PAGE));
            query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let mut page = self.get(path, &query).await?;
            let Value::Array(more) = page["items"].take() else {
                return Err(self.not_understood("a list without items"));
            };
            items.extend(more);
            cursor = page["next"].as_str().map(str::to_owned);
            if cursor.is_none() {
                break;
            }
        }
        Ok(items)
    }

    /// Signs in and goes on as that person, for as long as this value lives.
    pub(super) async fn sign_in(&mut self, email: &str, password: &str) -> Result<Value, Error> {
        let url = self.url(&["api", "auth", "login"], &[])?;
        let body = serde_json::json!({ "email": email, "password": password });
        let response = self
            .send(
                self.http
                    .post(url.clone())
                    .json(&body)
                    .timeout(ANSWER_TIMEOUT),
            )
            .await?;
        let cookies: Vec<String> = response
            .headers()
            .get_all(SET_COOKIE)
            .iter()
            .filter_map(|cookie| cookie.to_str().ok()?.split(';').next().map(str::to_owned))
            .collect();
        let me = self.checked(response, &url).await?;
        let mut cookie = HeaderValue::try_from(cookies.join("; "))
            .map_err(|_| self.not_understood("a cookie that cannot be sent back"))?;
        cookie.set_sensitive(true);
        self.identity.insert(COOKIE, cookie);
        // A cookie is believed only together with the page it comes from; a token needs none.
        let origin = HeaderValue::try_from(self.base.origin().ascii_serialization());
        self.identity
            .extend(origin.ok().map(|origin| (ORIGIN, origin)));
        Ok(me)
    }

    /// Opens a stream of server-sent events.
    pub(super) async fn stream(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Response, Error> {
        let url = self.url(path, query)?;
        let response = self
            .send(
                self.http
                    .get(url.clone())
                    .header(ACCEPT, "text/event-stream"),
            )
            .await?;
        if response.status().is_success() {
            return Ok(response);
        }
        self.checked(response, &url)
            .await
            .map(|_| ())
            .and(Err(self.not_understood("no stream")))
    }

    /// Begins to fetch what may be of any size; its pieces follow by [`Server::piece`].
    pub(super) async fn download(&self, path: &[&str]) -> Result<Response, Error> {
        let url = self.url(path, &[])?;
        let response = self.send(self.http.get(url.clone())).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        self.checked(response, &url)
            .await
            .and(Err(self.not_understood("nothing to fetch")))
    }

    pub(super) async fn piece(&self, response: &mut Response) -> Result<Option<Vec<u8>>, Error> {
        let piece = response.chunk().await;
        let piece = piece.map_err(|source| self.unreachable(source))?;
        Ok(piece.map(|bytes| bytes.to_vec()))
    }

    /// Sends what may be of any size, once.
    pub(super) async fn upload(
        &self,
        path: &[&str],
        pieces: impl Stream<Item = io::Result<Vec<u8>>> + Send + 'static,
    ) -> Result<Value, Error> {
        let url = self.url(path, &[])?;
        let body = Body::wrap_stream(pieces);
        let response = self.send(self.http.post(url.clone()).body(body)).await?;
        self.checked(response, &url).await
    }

    /// Takes from an answer what a view of it needs.
    pub(super) fn view<T: DeserializeOwned>(&self, value: &Value) -> Result<T, Error> {
        T::deserialize(value).map_err(|error| self.not_understood(&error.to_string()))
    }

    pub(super) fn not_understood(&self, what: &str) -> Error {
        Error::NotUnderstood {
            url: self.base.to_string(),
            what: what.to_owned(),
        }
    }

    async fn answer(
        &self,
        url: &Url,
        request: impl Fn() -> reqwest::RequestBuilder,
    ) -> Result<Value, Error> {
        let attempt = async || {
            let response = self.send(request().timeout(ANSWER_TIMEOUT)).await?;
            self.checked(response, url).await
        };
        if self.patient {
            keep_at(attempt).await
        } else {
            attempt().await
        }
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Response, Error> {
        let sent = request.headers(self.identity.clone()).send().await;
        sent.map_err(|source| self.unreachable(source))
    }

    async fn checked(&self, response: Response, url: &Url) -> Result<Value, Error> {
        let status = response.status();
        let body = response
            .bytes()
            .await
            .map_err(|source| self.unreachable(source))?;
        if status.is_success() {
            // 204 and the like say all there is to say.
            let empty = body.is_empty().then_some(Value::Null);
            let value = empty.map_or_else(|| serde_json::from_slice(&body), Ok);
            return value.map_err(|_| self.not_understood(&format!("{} is no JSON", url.path())));
        }
        let refusal = serde_json::from_slice::<ErrorBody>(&body)
            .map_err(|_| Error::NotFlotilla {
                url: self.base.to_string(),
                status,
            })?
            .error;
        // A wrong password is refused with words of its own; without a way in, the way in is what is missing.
        if status == StatusCode::UNAUTHORIZED && !url.path().ends_with("/auth/login") {
            return Err(Error::NotSignedIn {
                message: refusal.message,
            });
        }
        Err(Error::Refused {
            status,
            message: refusal.message,
            hint: refusal.hint,
        })
    }

    fn unreachable(&self, source: reqwest::Error) -> Error {
        Error::Unreachable {
            url: self.base.to_string(),
            source: source.without_url(),
        }
    }

    fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Url, Error> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| Error::usage(format!("`{}` is not an address", self.base)))?
            .pop_if_empty()
            .extend(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }
}
