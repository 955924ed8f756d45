//! What is deleted is nowhere to be found, is listed in the trash, and can be restored for 30 days.

mod external;
pub mod kinds;
mod listing;
mod users;

use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use jiff::Timestamp;
use plinth::clock::RESTORE_WINDOW;
use plinth::tenancy::{MemberRole, PlatformRole};
use plinth::testing::FixedClock;
use plinth::trash::Wanted;
use serde_json::json;

use crate::projects::{Bare, app_at, caller, missing, named, send};
use crate::world::{run, unique, world};

#[test]
fn a_deleted_project_is_nowhere_until_its_owner_restores_it() {
    run(async {
        let project = Bare::new().await;
        let viewer = project.member("viewer").await;
        let deleted = send(Method::DELETE, &project.path(""), &project.owner, None)
            .await
            .expect(StatusCode::OK);
        assert_eq!(deleted["propagation"], "done");
        for (method, rest) in [
            (Method::GET, ""),
            (Method::DELETE, ""),
            (Method::GET, "/members"),
            (Method::GET, "/keys"),
            (Method::GET, "/audit"),
        ] {
            let reply = send(method, &project.path(rest), &project.owner, None).await;
            assert_eq!(reply.expect(StatusCode::NOT_FOUND), missing());
        }
        let listed = send(Method::GET, "/api/projects", &viewer, None)
            .await
            .expect(StatusCode::OK);
        assert_eq!(listed["projects"], json!([]));
        let trash = send(Method::GET, "/api/trash", &project.owner, None)
            .await
            .expect(StatusCode::OK);
        assert_eq!(trash["items"][0]["id"], json!(project.id));
        assert_eq!(trash["items"][0]["restorableUntil"], deleted["restorableUntil"]);
        let others = send(Method::GET, "/api/trash", &viewer, None)
            .await
            .expect(StatusCode::OK);
        assert_eq!(others["items"], json!([]));

        for _ in 0..2 {
            let restored = send(Method::POST, &project.path("/restore"), &project.owner, None).await;
            assert_eq!(restored.expect(StatusCode::OK)["project"]["id"], json!(project.id));
        }
        send(Method::GET, &project.path(""), &viewer, None)
            .await
            .expect(StatusCode::OK);
        assert_eq!(
            project.audited().await,
            ["projects.create", "members.add", "projects.delete", "projects.restore"]
        );
    });
}

#[test]
fn a_project_can_be_restored_for_thirty_days_and_not_a_second_longer() {
    run(async {
        let day = Duration::from_secs(24 * 60 * 60);
        let second = Duration::from_secs(1);
        for (age, restorable) in [
            (29 * day, true),
            (RESTORE_WINDOW, true),
            (RESTORE_WINDOW + second, false),
        ] {
            let clock = Arc::new(FixedClock::at(Timestamp::from_second(1_900_000_000).unwrap()));
            let app = app_at(&clock).await;
            let by = caller(&world().await.user().await, PlatformRole::User);
            let made = plinth::projects::create(&app, &by, &named(&unique()), None)
                .await
                .unwrap();
            let access = app
                .tenancy
                .require(by.clone(), made.id, MemberRole::Owner)
                .await
                .unwrap();
            plinth::projects::delete(&app, &access).await.unwrap();
            clock.advance(age);
            let trash = plinth::trash::list(&app, &by, &Wanted::default()).await.unwrap();
            assert_eq!(trash.items.len(), usize::from(restorable), "{age:?}");
            let restored = plinth::projects::restore(&app, &access).await;
            let expected = if restorable { None } else { Some("projects/not-found") };
            assert_eq!(
                restored.err().as_ref().map(plinth::error::Error::code),
                expected,
                "{age:?}"
            );
        }
    });
}
