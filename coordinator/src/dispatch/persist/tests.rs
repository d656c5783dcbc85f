use super::*;

const DOWN: Connection = Connection {
    up: false,
    generation: 1,
};
const UP: Connection = Connection {
    up: true,
    generation: 2,
};

/// Where writes wait, and the hand on the connection.
fn persist(connection: Connection) -> (Persist, watch::Sender<Connection>, CancellationToken) {
    let (sender, receiver) = watch::channel(connection);
    let ending = CancellationToken::new();
    (Persist::new(receiver, ending.clone()), sender, ending)
}

type Stored = Result<Result<u32, PublishError>, Error>;

async fn store(persist: &Persist, answers: &[Result<u32, PublishError>]) -> (Stored, usize) {
    let asked = AtomicUsize::new(0);
    let attempt = || {
        let answer = answers[asked.fetch_add(1, Ordering::Relaxed).min(answers.len() - 1)].clone();
        async move { answer }
    };
    let stored = persist.until_stored(None, 0, attempt).await;
    (stored, asked.load(Ordering::Relaxed))
}

#[tokio::test(start_paused = true)]
async fn what_is_not_answered_is_sent_again_and_what_is_refused_is_not() {
    let (persist, _connection, _) = persist(UP);
    let answers = [
        Err(PublishError::TimedOut),
        Err(PublishError::TimedOut),
        Ok(7),
    ];
    assert_eq!(store(&persist, &answers).await, (Ok(Ok(7)), 3));
    let refused = PublishError::NoRoom("full".to_owned());
    let answers = [Err(refused.clone())];
    assert_eq!(store(&persist, &answers).await, (Ok(Err(refused)), 1));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_while_nats_is_away_and_all_of_it_when_it_is_back() {
    let (persist, connection, _) = persist(DOWN);
    let asked = Arc::new(AtomicUsize::new(0));
    let writes: Vec<_> = (0..20)
        .map(|_| {
            let (persist, asked) = (persist.clone(), asked.clone());
            tokio::spawn(async move {
                let attempt = || async {
                    asked.fetch_add(1, Ordering::Relaxed);
                    Ok::<_, PublishError>(())
                };
                persist.until_stored(None, 0, attempt).await
            })
        })
        .collect();
    tokio::time::advance(HELD_FOR / 2).await;
    tokio::task::yield_now().await;
    assert_eq!((asked.load(Ordering::Relaxed), persist.waiting()), (0, 20));
    connection.send_replace(UP);
    for write in writes {
        assert_eq!(write.await.unwrap(), Ok(Ok(())));
    }
    assert_eq!((asked.load(Ordering::Relaxed), persist.waiting()), (20, 0));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_whose_connection_is_lost_is_not_waited_for() {
    let (persist, connection, _) = persist(UP);
    let asked = AtomicUsize::new(0);
    let attempt = || async {
        if asked.fetch_add(1, Ordering::Relaxed) == 0 {
            // The server dies with the request and is back under another connection; no answer ever comes.
            connection.send_replace(DOWN);
            connection.send_replace(Connection {
                up: true,
                generation: 3,
            });
            std::future::pending::<()>().await;
        }
        Ok::<_, PublishError>(())
    };
    let started = Instant::now();
    assert_eq!(persist.until_stored(None, 0, attempt).await, Ok(Ok(())));
    assert_eq!(
        (asked.load(Ordering::Relaxed), started.elapsed()),
        (2, Duration::ZERO)
    );
}

#[tokio::test(start_paused = true)]
async fn patience_ends_and_says_so() {
    let (persist, _connection, ending) = persist(DOWN);
    let started = Instant::now();
    let (stored, asked) = store(&persist, &[Ok(1)]).await;
    assert_eq!((stored, asked), (Err(Error::NotInTime), 0));
    assert_eq!(started.elapsed(), HELD_FOR);
    ending.cancel();
    assert_eq!(store(&persist, &[Ok(1)]).await.0, Err(Error::Ending));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_given_up_in_the_same_time() {
    let (persist, _connection, _) = persist(UP);
    let started = Instant::now();
    let (stored, _) = store(&persist, &[Err(PublishError::TimedOut)]).await;
    assert_eq!(stored, Err(Error::NotInTime));
    assert!(started.elapsed() <= HELD_FOR, "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_waits_has_a_bound_and_makes_room_when_it_is_done() {
    let (persist, connection, _) = persist(DOWN);
    let large = {
        let persist = persist.clone();
        tokio::spawn(async move {
            let attempt = || async { Ok::<_, PublishError>(()) };
            persist
                .until_stored(None, HELD_BYTES_MAX - 2 * UNIT_BYTES, attempt)
                .await
        })
    };
    tokio::task::yield_now().await;
    let small = || async { Ok::<_, PublishError>(()) };
    let refused = persist.until_stored(None, UNIT_BYTES, small).await;
    assert_eq!(refused, Err(Error::TooMuchWaits));
    connection.send_replace(UP);
    assert_eq!(large.await.unwrap(), Ok(Ok(())));
    connection.send_replace(DOWN);
    let stored = async { persist.until_stored(None, UNIT_BYTES, small).await };
    let back = async { connection.send_replace(UP) };
    assert_eq!(tokio::join!(stored, back).0, Ok(Ok(())));
}

#[tokio::test(start_paused = true)]
async fn writes_of_a_session_arrive_in_the_order_in_which_they_came() {
    let (persist, connection, _) = persist(DOWN);
    let session = SessionId::new();
    let arrived = Arc::new(Mutex::new(Vec::new()));
    let mut writes = Vec::new();
    for number in 0..10 {
        let (persist, arrived) = (persist.clone(), arrived.clone());
        writes.push(tokio::spawn(async move {
            let failed = AtomicUsize::new(0);
            let attempt = || async {
                // Each needs several attempts; nobody passes it meanwhile.
                if failed.fetch_add(1, Ordering::Relaxed) < 2 {
                    return Err(PublishError::TimedOut);
                }
                arrived.lock().unwrap().push(number);
                Ok(())
            };
            persist.until_stored(Some(session), 0, attempt).await
        }));
        tokio::task::yield_now().await;
    }
    connection.send_replace(UP);
    for write in writes {
        assert_eq!(write.await.unwrap(), Ok(Ok(())));
    }
    assert_eq!(*arrived.lock().unwrap(), (0..10).collect::<Vec<_>>());
    assert!(persist.line(SessionId::new()).try_lock().is_ok());
    assert_eq!(
        persist.lines.lock().unwrap().len(),
        1,
        "what is done is forgotten"
    );
}
