//! Somebody who asks a coordinator.

use nats::ids::SessionId;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::wait;

use super::{BOUND, Coordinator};

/// The `name=value` that a sign-in set.
pub fn cookie(response: &reqwest::Response) -> String {
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

/// Somebody who asks, by API token.
#[derive(Clone)]
pub struct Person {
    pub http: reqwest::Client,
    pub url: String,
    pub token: Option<String>,
}

impl Person {
    /// The same person at another coordinator.
    pub fn at(&self, coordinator: &Coordinator) -> Self {
        Self {
            url: coordinator.url.clone(),
            ..self.clone()
        }
    }

    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> reqwest::Response {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        request.send().await.unwrap()
    }

    pub async fn get(&self, path: &str) -> Value {
        let response = self.send(Method::GET, path, None).await;
        let status = response.status();
        let body: Value = response.json().await.unwrap();
        assert!(status.is_success(), "GET {path}: {status} {body}");
        body
    }

    /// Posts, and gives status and body.
    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let response = self.send(Method::POST, path, Some(body)).await;
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (
            status,
            serde_json::from_str(&text).unwrap_or(Value::String(text)),
        )
    }

    /// Starts a session and gives its id.
    pub async fn start_session(&self) -> SessionId {
        let (status, row) = self
            .post(
                "/api/sessions",
                json!({"project": "shop", "agent": "rehearsal", "prompt": "hello"}),
            )
            .await;
        assert_eq!(status, 201, "{row}");
        row["id"].as_str().unwrap().parse().unwrap()
    }

    /// Waits until a GET says what it should.
    pub async fn wait_for(&self, path: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        wait::until(what, BOUND, async || {
            let body = self.get(path).await;
            if wanted(&body) {
                Ok(body)
            } else {
                Err(body.to_string())
            }
        })
        .await
    }
}
