//! The page itself, and what surrounds it.

use reqwest::{Method, StatusCode};

use crate::support::Fleet;

#[tokio::test]
async fn every_address_that_is_no_route_is_the_page_and_the_page_trusts_only_itself() {
    let fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    let somebody = coordinator.anonymous();
    for path in ["/", "/sessions/ses_1", "/approvals"] {
        let page = somebody.send(Method::GET, path, None).await;
        assert_eq!(page.status(), StatusCode::OK, "{path}");
        assert!(
            page.headers()["content-type"]
                .to_str()
                .unwrap()
                .starts_with("text/html")
        );
        let policy = page.headers()["content-security-policy"].to_str().unwrap();
        assert!(
            policy.contains("default-src 'self'") && policy.contains("img-src 'self' blob: data:"),
            "{policy}"
        );
    }
    let missing = somebody
        .send(Method::GET, "/assets/gone-1234.js", None)
        .await;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn machines_are_told_how_it_is() {
    let fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    let somebody = coordinator.anonymous();
    assert!(somebody.get("/healthz").await["version"].is_string());
    assert_eq!(somebody.get("/readyz").await["ready"], true);
    let metrics = somebody
        .send(Method::GET, "/metrics", None)
        .await
        .text()
        .await
        .unwrap();
    assert!(metrics.contains("flotilla_nats_connected 1"), "{metrics}");
    assert!(somebody.get("/api/openapi.json").await["paths"]["/api/sessions"].is_object());
}

#[tokio::test]
async fn a_coordinator_that_is_told_to_stop_does_so_with_tabs_open() {
    let fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    let ada = coordinator.admin().await;
    let mut tab = crate::support::Tab::open(&ada).await;
    assert_eq!(tab.next().await["type"], "hello");
    coordinator.stop().await;
    assert_eq!(tab.next().await["type"], "closing");
}
