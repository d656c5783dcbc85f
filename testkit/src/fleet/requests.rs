//! Asking the coordinator, as the signed-in person.

use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::installation::Fleet;

impl Fleet {
    /// A request with the admin's token. Status and body, whatever they are.
    pub async fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        self.request_at(&self.url(), method, path, body).await
    }

    /// The same at another coordinator of the fleet.
    pub async fn request_at(
        &self,
        url: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        self.try_request_at(url, method, path, body)
            .await
            .unwrap_or_else(|error| {
                (
                    StatusCode::SERVICE_UNAVAILABLE,
                    Value::String(error.to_string()),
                )
            })
    }

    /// The same; an answer that did not come is told apart from one that says no.
    pub async fn try_request_at(
        &self,
        url: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> reqwest::Result<(StatusCode, Value)> {
        let mut request = self
            .http
            .request(method, format!("{url}{path}"))
            .bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await?;
        let status = response.status();
        let text = response.text().await?;
        Ok((
            status,
            serde_json::from_str(&text).unwrap_or(Value::String(text)),
        ))
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.request(Method::GET, path, None).await;
        assert!(status.is_success(), "GET {path} answered {status}: {body}");
        body
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.request(Method::POST, path, Some(body)).await;
        assert!(
            status.is_success(),
            "POST {path} answered {status}: {answer}"
        );
        answer
    }

    /// Gives a session a file; the answer goes into a message's `attachments`.
    pub async fn attach(
        &self,
        session: &str,
        name: &str,
        media_type: &str,
        bytes: Vec<u8>,
    ) -> Value {
        let url = format!(
            "{}/api/sessions/{session}/attachments?name={name}",
            self.url()
        );
        let request = self
            .http
            .post(url)
            .bearer_auth(&self.token)
            .header("Content-Type", media_type)
            .body(bytes);
        let response = request.send().await.expect("the coordinator answers");
        let status = response.status();
        let text = response.text().await.unwrap_or_default();
        assert!(status.is_success(), "attaching answered {status}: {text}");
        serde_json::from_str(&text).expect("an attachment is JSON")
    }

    /// A GET whose failure is worth another try.
    pub async fn try_get(&self, path: &str) -> Result<Value, String> {
        let (status, body) = self.request(Method::GET, path, None).await;
        if status.is_success() {
            Ok(body)
        } else {
            Err(format!("{status}: {body}"))
        }
    }
}
