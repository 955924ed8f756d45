//! Refresh tokens: rotation, lost replies, theft, races.

use std::time::Duration;

use http::StatusCode;

use super::{Door, doors, still_world};
use crate::world::{run, text};

#[test]
fn a_refresh_token_is_good_for_one_step_each() {
    run(async {
        for door in doors().await {
            let mut session = door.sign_up().await;
            for _ in 0..3 {
                let next = door
                    .refresh(&text(&session, "refresh_token"))
                    .await
                    .expect(StatusCode::OK);
                assert_ne!(next["refresh_token"], session["refresh_token"]);
                assert_eq!(next["user"]["id"], session["user"]["id"]);
                session = next;
            }
            door.user(&session).await.expect(StatusCode::OK);
        }
    });
}

#[test]
fn a_token_used_again_within_the_window_is_a_lost_reply() {
    run(async {
        let (world, clock) = still_world().await;
        for door in [Door::platform(&world), Door::project(&world).await] {
            let first = text(&door.sign_up().await, "refresh_token");
            door.refresh(&first).await.expect(StatusCode::OK);
            clock.advance(Duration::from_secs(10));
            let again = door.refresh(&first).await.expect(StatusCode::OK);
            door.refresh(&text(&again, "refresh_token"))
                .await
                .expect(StatusCode::OK);
        }
    });
}

#[test]
fn a_token_used_again_after_the_window_ends_the_session() {
    run(async {
        let (world, clock) = still_world().await;
        for door in [Door::platform(&world), Door::project(&world).await] {
            let first = text(&door.sign_up().await, "refresh_token");
            let second = door.refresh(&first).await.expect(StatusCode::OK);
            clock.advance(Duration::from_secs(11));
            let stolen = door.refresh(&first).await;
            assert_eq!(stolen.code(StatusCode::BAD_REQUEST), "refresh_token_already_used");
            let ended = door.refresh(&text(&second, "refresh_token")).await;
            assert_eq!(ended.code(StatusCode::BAD_REQUEST), "refresh_token_not_found");
            assert_eq!(
                door.user(&second).await.code(StatusCode::FORBIDDEN),
                "session_not_found"
            );
        }
    });
}

#[test]
fn a_token_two_steps_back_ends_the_session_even_within_the_window() {
    run(async {
        for door in doors().await {
            let first = text(&door.sign_up().await, "refresh_token");
            let second = text(&door.refresh(&first).await.expect(StatusCode::OK), "refresh_token");
            let third = text(&door.refresh(&second).await.expect(StatusCode::OK), "refresh_token");
            let old = door.refresh(&first).await;
            assert_eq!(old.code(StatusCode::BAD_REQUEST), "refresh_token_already_used");
            let ended = door.refresh(&third).await;
            assert_eq!(ended.code(StatusCode::BAD_REQUEST), "refresh_token_not_found");
        }
    });
}

#[test]
fn two_refreshes_at_once_both_succeed_and_their_chains_cannot_part() {
    run(async {
        let (world, clock) = still_world().await;
        for door in [Door::platform(&world), Door::project(&world).await] {
            let first = text(&door.sign_up().await, "refresh_token");
            let (one, two) = tokio::join!(door.refresh(&first), door.refresh(&first));
            let one = text(&one.expect(StatusCode::OK), "refresh_token");
            let two = text(&two.expect(StatusCode::OK), "refresh_token");
            // Whoever comes next moves the session on; the sibling is retired with it.
            let next = text(&door.refresh(&one).await.expect(StatusCode::OK), "refresh_token");
            clock.advance(Duration::from_secs(11));
            let copy = door.refresh(&two).await;
            assert_eq!(copy.code(StatusCode::BAD_REQUEST), "refresh_token_already_used");
            let ended = door.refresh(&next).await;
            assert_eq!(ended.code(StatusCode::BAD_REQUEST), "refresh_token_not_found");
        }
    });
}

#[test]
fn a_sibling_within_the_window_stays_in_the_session() {
    run(async {
        for door in doors().await {
            let first = text(&door.sign_up().await, "refresh_token");
            let one = text(&door.refresh(&first).await.expect(StatusCode::OK), "refresh_token");
            let two = text(&door.refresh(&first).await.expect(StatusCode::OK), "refresh_token");
            door.refresh(&one).await.expect(StatusCode::OK);
            door.refresh(&two).await.expect(StatusCode::OK);
        }
    });
}

#[test]
fn a_made_up_token_is_not_found() {
    run(async {
        for door in doors().await {
            for token in ["x", "' or 1=1 --", &"a".repeat(10_000)] {
                let reply = door.refresh(token).await;
                assert_eq!(reply.code(StatusCode::BAD_REQUEST), "refresh_token_not_found");
            }
        }
    });
}
