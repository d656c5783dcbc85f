//! Who gets in, and from where.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{Fleet, PASSWORD, SETUP_TOKEN, cookie};

#[tokio::test]
async fn the_first_person_is_made_once_with_the_setup_token() {
    let fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    let somebody = coordinator.anonymous();
    assert_eq!(
        somebody.get("/api/auth/setup").await,
        json!({"needed": true})
    );

    let request = |token: &str, password: &str| json!({"token": token, "email": "Ada@Example.org ", "password": password, "name": "Ada"});
    let (status, body) = somebody
        .post("/api/auth/setup", request("wrong", PASSWORD))
        .await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (401, &json!("wrong_setup_token"))
    );
    let (status, body) = somebody
        .post("/api/auth/setup", request(SETUP_TOKEN, "short"))
        .await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (422, &json!("invalid_body"))
    );
    let (status, me) = somebody
        .post("/api/auth/setup", request(SETUP_TOKEN, PASSWORD))
        .await;
    assert_eq!(
        (status, &me["email"], &me["role"]),
        (200, &json!("ada@example.org"), &json!("admin"))
    );
    let (status, body) = somebody
        .post("/api/auth/setup", request(SETUP_TOKEN, PASSWORD))
        .await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (409, &json!("already_set_up"))
    );
    assert_eq!(
        somebody.get("/api/auth/setup").await,
        json!({"needed": false})
    );
}

#[tokio::test]
async fn two_setups_at_once_through_two_coordinators_make_one_person() {
    let fleet = Fleet::start().await;
    let (one, two) = (fleet.coordinator("a").await, fleet.coordinator("b").await);
    let request = |email: &str| json!({"token": SETUP_TOKEN, "email": email, "password": PASSWORD, "name": email});
    let (one_asks, two_asks) = (one.anonymous(), two.anonymous());
    let (first, second) = tokio::join!(
        one_asks.post("/api/auth/setup", request("ada@example.org")),
        two_asks.post("/api/auth/setup", request("bob@example.org")),
    );
    let mut statuses = [first.0, second.0];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{first:?} {second:?}");
}

#[tokio::test]
async fn a_cookie_is_out_of_reach_of_scripts_and_ends_with_the_logout_everywhere() {
    let fleet = Fleet::start().await;
    let (one, two) = (fleet.coordinator("a").await, fleet.coordinator("b").await);
    one.admin().await;
    let login = json!({"email": "ada@example.org", "password": PASSWORD});
    let response = one
        .anonymous()
        .send(Method::POST, "/api/auth/login", Some(login))
        .await;
    let set = response.headers()["set-cookie"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        set.contains("HttpOnly") && set.contains("SameSite=Lax") && !set.contains("Secure"),
        "{set}"
    );
    let cookie = cookie(&response);

    // The other coordinator knows the cookie at once.
    let me = |url: &str| {
        reqwest::Client::new()
            .get(format!("{url}/api/auth/me"))
            .header("cookie", &cookie)
            .send()
    };
    assert_eq!(me(&two.url).await.unwrap().status(), StatusCode::OK);
    let logout = reqwest::Client::new()
        .post(format!("{}/api/auth/logout", two.url))
        .header("cookie", &cookie)
        .header("origin", &two.url)
        .send();
    assert_eq!(logout.await.unwrap().status(), StatusCode::NO_CONTENT);
    assert_eq!(
        me(&two.url).await.unwrap().status(),
        StatusCode::UNAUTHORIZED
    );
    testkit::wait::until(
        "the other coordinator to forget the cookie",
        crate::support::BOUND,
        async || {
            let status = me(&one.url).await.unwrap().status();
            if status == StatusCode::UNAUTHORIZED {
                Ok(())
            } else {
                Err(status.to_string())
            }
        },
    )
    .await;
}

#[tokio::test]
async fn a_cookie_behind_https_is_sent_over_https_alone() {
    let fleet = Fleet::start().await;
    let coordinator = fleet
        .unready_coordinator("a", Some("https://fleet.example.org"))
        .await;
    coordinator.wait_until_ready().await;
    let setup = json!({"token": SETUP_TOKEN, "email": "ada@example.org", "password": PASSWORD, "name": "Ada"});
    let response = coordinator
        .anonymous()
        .send(Method::POST, "/api/auth/setup", Some(setup))
        .await;
    assert!(
        response.headers()["set-cookie"]
            .to_str()
            .unwrap()
            .contains("; Secure")
    );
}

#[tokio::test]
async fn a_page_of_another_site_cannot_write_nor_listen() {
    let fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    coordinator.admin().await;
    let login = json!({"email": "ada@example.org", "password": PASSWORD});
    let response = coordinator
        .anonymous()
        .send(Method::POST, "/api/auth/login", Some(login))
        .await;
    let cookie = cookie(&response);
    let http = reqwest::Client::new();
    let write = |origin: Option<&str>| {
        let mut request = http
            .post(format!("{}/api/tokens", coordinator.url))
            .header("cookie", &cookie)
            .json(&json!({"name": "x"}));
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        request.send()
    };
    assert_eq!(
        write(Some("http://evil.example")).await.unwrap().status(),
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        write(Some("null")).await.unwrap().status(),
        StatusCode::FORBIDDEN
    );
    assert_eq!(write(None).await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(
        write(Some(&coordinator.url)).await.unwrap().status(),
        StatusCode::CREATED
    );
    let socket = http
        .get(format!("{}/api/socket", coordinator.url))
        .header("cookie", &cookie)
        .header("origin", "http://evil.example");
    assert_eq!(socket.send().await.unwrap().status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn nobody_sees_anything_without_signing_in() {
    let fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    let somebody = coordinator.anonymous();
    let session = nats::ids::SessionId::new();
    for path in [
        "/api/auth/me".to_owned(),
        "/api/hosts".to_owned(),
        "/api/projects".to_owned(),
        "/api/agents".to_owned(),
        "/api/sessions".to_owned(),
        format!("/api/sessions/{session}"),
        format!("/api/sessions/{session}/events"),
        format!("/api/sessions/{session}/diff"),
        "/api/gates".to_owned(),
        "/api/audit".to_owned(),
        "/api/tokens".to_owned(),
        "/api/socket".to_owned(),
    ] {
        let response = somebody.send(Method::GET, &path, None).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
}

#[tokio::test]
async fn guessing_a_password_is_slowed_down() {
    let fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    coordinator.admin().await;
    let somebody = coordinator.anonymous();
    for _ in 0..5 {
        let (status, _) = somebody
            .post(
                "/api/auth/login",
                json!({"email": "ada@example.org", "password": "guess"}),
            )
            .await;
        assert_eq!(status, 401);
    }
    let (status, body) = somebody
        .post(
            "/api/auth/login",
            json!({"email": "ada@example.org", "password": PASSWORD}),
        )
        .await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (429, &json!("too_many_attempts"))
    );
}

#[tokio::test]
async fn a_token_that_was_taken_back_lets_nobody_in() {
    let fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    let ada = coordinator.admin().await;
    let tokens = ada.get("/api/tokens").await;
    assert_eq!(tokens["items"].as_array().unwrap().len(), 1);
    let id = tokens["items"][0]["id"].as_str().unwrap();
    let response = ada
        .send(Method::DELETE, &format!("/api/tokens/{id}"), None)
        .await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    assert_eq!(
        ada.send(Method::GET, "/api/auth/me", None).await.status(),
        StatusCode::UNAUTHORIZED
    );
}
