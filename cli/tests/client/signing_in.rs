//! Where the token is kept, and what is said to those who have none.

use std::os::unix::fs::PermissionsExt;

use crate::terminal::Terminal;

#[tokio::test]
async fn a_login_keeps_a_token_that_later_verbs_use() {
    let terminal = Terminal::new().await;
    let url = terminal.fleet.url();
    let login = [
        "login",
        url.as_str(),
        "--email",
        "ada@example.org",
        "--password-stdin",
    ];

    let wrong = terminal.run_with(&login, &[], "not the password\n").await;
    assert_eq!((wrong.code, wrong.out.as_str()), (1, ""), "{wrong:#?}");
    assert!(!terminal.credentials().exists());

    let right = terminal
        .run_with(&login, &[], "correct horse battery\n")
        .await;
    assert_eq!(right.code, 0, "{right:#?}");
    assert!(
        right.err.contains("Signed in to") && right.err.contains("Ada"),
        "{right:#?}"
    );
    let kept = std::fs::metadata(terminal.credentials()).expect("the token is kept");
    assert_eq!(kept.permissions().mode() & 0o777, 0o600);

    let hosts = terminal.run_with(&["host", "ls", "--json"], &[], "").await;
    assert_eq!(hosts.code, 0, "{hosts:#?}");
}

#[tokio::test]
async fn who_is_not_signed_in_is_told_how_to() {
    let terminal = Terminal::new().await;
    let url = terminal.fleet.url();
    let unknown = terminal
        .run_with(
            &["session", "ls"],
            &[("FLOTILLA_URL", &url), ("FLOTILLA_TOKEN", "nobodys")],
            "",
        )
        .await;
    assert_eq!(unknown.code, 3, "{unknown:#?}");
    assert!(unknown.err.contains("hint: flotilla login"), "{unknown:#?}");

    let nowhere = terminal.run_with(&["session", "ls"], &[], "").await;
    assert_eq!(
        (nowhere.code, nowhere.out.as_str()),
        (3, ""),
        "{nowhere:#?}"
    );

    let dead = [
        ("FLOTILLA_URL", "http://127.0.0.1:9"),
        ("FLOTILLA_TOKEN", "any"),
    ];
    let unreachable = terminal.run_with(&["session", "ls"], &dead, "").await;
    assert_eq!(unreachable.code, 4, "{unreachable:#?}");
}
