//! One span and one line a request: what was asked, what came of it, how long it took. Never what was in it.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use tokio::time::Instant;
use tracing::Instrument as _;

pub async fn trace(request: Request, next: Next) -> Response {
    let span = tracing::info_span!("request", http.method = %request.method(), http.path = request.uri().path());
    async move {
        let start = Instant::now();
        let response = next.run(request).await;
        let elapsed_ms = start.elapsed().as_millis() as u64;
        tracing::debug!(
            http.status = response.status().as_u16(),
            elapsed_ms,
            "answered"
        );
        response
    }
    .instrument(span)
    .await
}
