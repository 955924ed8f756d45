//! An API becomes a backend: what is tried, what is found, what is refused.

use http::StatusCode;
use serde_json::{Value, json};

use super::server::{Api, Certificate, Door};
use super::{body, credentials, ids, map};
use crate::external::{Own, bare, world};
use crate::world::{Reply, run};

async fn provision(credentials: &Value) -> Reply {
    let (owner, id, _) = bare(world().await).await;
    let path = format!("/api/projects/{id}/backend/provision");
    let call = world().await.post(&path).bearer(&owner.token).json(&body(credentials));
    call.send().await
}

#[test]
fn what_is_found_is_told() {
    run(async {
        let api = Api::start(Door::Bearer).await;
        let made = provision(&credentials(&api, &map())).await.expect(StatusCode::CREATED);
        let tables = made["found"]["tables"].as_array().unwrap();
        let told: Vec<_> = tables
            .iter()
            .map(|table| {
                format!(
                    "{} {} {}",
                    table["name"].as_str().unwrap(),
                    table["columns"],
                    table["rowsEstimate"]
                )
            })
            .collect();
        assert_eq!(
            told,
            ["links 4 null", "marks 4 null", "pages 4 7", "people 4 7", "wholes 4 7"]
        );
    });
}

#[test]
fn what_is_wrong_with_an_api_is_told_before_it_is_taken() {
    run(async {
        let api = Api::start(Door::Bearer).await;
        let list = |path: &str| json!({ "t": { "list": path } });
        let good = credentials(&api, &map());
        let with = |changes: Value| crate::connections::with(good.clone(), changes);
        for (credentials, status, code) in [
            (with(json!({ "token": "planted-wrong" })), 422, "external/credentials"),
            (
                with(json!({ "resources": list("/odd/403") })),
                422,
                "external/permission",
            ),
            (
                with(json!({ "resources": list("/whole/nothing") })),
                422,
                "external/api-path",
            ),
            (
                with(json!({ "resources": list("/odd/object") })),
                422,
                "external/api-shape",
            ),
            (
                with(json!({ "resources": list("/odd/numbers") })),
                422,
                "external/api-shape",
            ),
            (
                with(json!({ "resources": list("/odd/html") })),
                502,
                "external/protocol",
            ),
            (
                with(json!({ "resources": list("/odd/page") })),
                502,
                "external/protocol",
            ),
            (
                with(json!({ "resources": list("/odd/away") })),
                502,
                "external/redirect",
            ),
            (
                with(json!({ "resources": list("/odd/huge") })),
                502,
                "external/too-large",
            ),
            (
                with(json!({ "resources": list("/odd/500") })),
                502,
                "external/unavailable",
            ),
            (
                with(json!({ "resources": list("/odd/429") })),
                429,
                "external/rate-limited",
            ),
            (with(json!({ "healthPath": "/odd/404" })), 422, "external/api-path"),
            (
                with(json!({ "resources": null, "openapiPath": "/odd/object" })),
                422,
                "external/api-shape",
            ),
            (
                with(json!({ "baseUrl": "https://10.0.0.1/v1" })),
                403,
                "outbound/forbidden",
            ),
            (
                with(json!({ "baseUrl": format!("https://{}/v1", crate::world::NOWHERE) })),
                422,
                "outbound/unknown-host",
            ),
            (
                with(json!({ "baseUrl": "http://example.com" })),
                400,
                "provisioning/config",
            ),
            (with(json!({ "pagination": {} })), 400, "provisioning/config"),
            (with(json!({ "auth": "digest" })), 400, "provisioning/config"),
        ] {
            let reply = provision(&credentials).await;
            assert_eq!(
                reply.code(StatusCode::from_u16(status).unwrap()),
                code,
                "{credentials}: {}",
                reply.text
            );
            assert!(!reply.text.contains("planted"), "{}", reply.text);
        }
        let oauth = Api::start(Door::OAuth2).await;
        let wrong = crate::connections::with(credentials(&oauth, &map()), json!({ "clientSecret": "planted-wrong" }));
        assert_eq!(
            provision(&wrong).await.code(StatusCode::UNPROCESSABLE_ENTITY),
            "external/credentials"
        );
    });
}

#[test]
fn a_certificate_is_verified_for_the_host_that_was_given() {
    run(async {
        let certificate = Certificate::make("127.0.0.1", 2040);
        let api = Api::start_tls(Door::Bearer, &certificate).await;
        let mut untrusted = api.credentials("https");
        untrusted["resources"] = map();
        let reply = provision(&untrusted).await;
        assert_eq!(reply.code(StatusCode::BAD_GATEWAY), "external/tls");
        let mut good = untrusted.clone();
        good["caCertificate"] = certificate.authority.clone().into();
        let own = Own::of(world().await, &body(&good)).await;
        assert_eq!(ids(&own, "people?select=id&limit=1").await, [1]);
    });
}

#[test]
fn a_document_of_the_api_or_of_its_owner_says_what_there_is() {
    run(async {
        let api = Api::start(Door::Open).await;
        let row = json!({ "type": "object", "required": ["id"], "properties": { "id": { "type": "integer" },
            "name": { "type": "string" }, "place": { "type": "string" }, "age": { "type": "integer" } } });
        let reply = |schema: Value| json!({ "responses": { "200": { "content": { "application/json": { "schema": schema } } } } });
        let mut list = reply(
            json!({ "type": "object", "properties": { "data": { "type": "array", "items": row },
            "meta": { "type": "object" } } }),
        );
        list["parameters"] = json!([
            { "name": "skip", "in": "query", "schema": { "type": "integer" } }, { "name": "place", "in": "query" },
            { "name": "limit", "in": "query", "schema": { "type": "integer", "maximum": 3 } },
        ]);
        let document = json!({ "openapi": "3.0.3", "paths": {
            "/offset/people": { "get": list, "post": {} },
            "/offset/people/{id}": { "get": reply(json!({ "properties": { "row": row } })), "patch": {} },
        } });
        api.fill("documents", vec![json!({ "id": "openapi" })]);
        let mut inline = api.credentials("http");
        inline["openapi"] = document;
        let own = Own::of(world().await, &body(&inline)).await;
        assert_eq!(ids(&own, "people?select=id&place=eq.north").await, [1, 3, 5]);
        assert_eq!(ids(&own, "people?select=id&offset=4&limit=2").await, [5, 6]);
        assert_eq!(ids(&own, "people?select=id&id=eq.4").await, [4]);
    });
}

#[test]
fn a_changed_map_counts_at_once() {
    run(async {
        let api = Api::start(Door::Open).await;
        let own = Own::of(world().await, &body(&credentials(&api, &map()))).await;
        ids(&own, "people?select=id&limit=1").await;
        let other = json!({ "humans": { "list": "/whole/people" } });
        let path = format!("/api/projects/{}/backend/provision", own.id);
        let call = world().await.post(&path).bearer(&own.owner.token);
        let changed = call.json(&body(&credentials(&api, &other))).send().await;
        assert_eq!(changed.status, StatusCode::OK, "{}", changed.text);
        assert_eq!(ids(&own, "humans?select=id").await.len(), 7);
        let gone = super::get(&own, "people").await;
        assert_eq!(gone.code(StatusCode::NOT_FOUND), "PGRST205");
    });
}
