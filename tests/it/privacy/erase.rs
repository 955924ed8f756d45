//! A person's data is erased: all of theirs, nothing of others, and a receipt proves it.

mod external;
mod managed;
mod own_code;
mod planted;
mod refusals;
mod trashed;
mod tries;

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::work::ended;
use crate::world::{Reply, World, text};

/// A request about an end user.
pub fn about(project: &str, subject: &Value) -> Value {
    json!({ "scope": "end-user", "projectId": project, "subject": subject })
}

fn with(body: &Value, name: &str, value: Value) -> Value {
    let mut body = body.clone();
    body[name] = value;
    body
}

pub async fn delete(world: &World, token: &str, body: &Value) -> Reply {
    world.post("/api/gdpr/delete").bearer(token).json(body).send().await
}

/// The plan of an erasure.
pub async fn planned(world: &World, token: &str, body: &Value) -> Value {
    let body = with(body, "dryRun", json!(true));
    delete(world, token, &body).await.expect(StatusCode::OK)
}

/// Has a plan carried out; what is answered.
pub async fn confirmed(world: &World, token: &str, body: &Value, plan: &Value) -> Value {
    let body = with(body, "confirmToken", plan["confirmToken"].clone());
    delete(world, token, &body).await.expect(StatusCode::ACCEPTED)
}

/// Plans, confirms and waits for the end; the plan, what was answered, and the receipt as it is handed out.
pub async fn erased(world: &World, token: &str, body: &Value) -> (Value, Value, Value) {
    let plan = planned(world, token, body).await;
    let asked = confirmed(world, token, body, &plan).await;
    let job = ended(world, token, &text(&asked, "jobId")).await;
    assert_eq!(job["state"], "succeeded", "{job}");
    let path = format!("/api/gdpr/receipts/{}", text(&asked, "receiptId"));
    let receipt = world.get(&path).bearer(token).send().await.expect(StatusCode::OK);
    (plan, asked, receipt)
}

/// Confirms the map that was found, with these rules in place of those that were.
pub async fn map(world: &World, token: &str, project: &str, rules: &[(&str, Value)]) -> Value {
    let path = format!("/api/gdpr/subject-map?projectId={project}");
    let found = world.get(&path).bearer(token).send().await.expect(StatusCode::OK);
    let mut map = found["map"].clone();
    for (table, rule) in rules {
        let tables = map["tables"].as_object_mut().unwrap();
        let label = tables
            .keys()
            .find(|label| *label == table || label.starts_with(&format!("trash:{table}:")));
        let label = label.unwrap_or_else(|| panic!("{table} is not in {found}")).clone();
        tables[&label]["rule"] = rule.clone();
    }
    let path = format!("/api/projects/{project}/subject-map");
    let call = world.put(&path).bearer(token).json(&map);
    call.send().await.expect(StatusCode::OK)
}

/// How often each value stands in each table of the schemas that the condition on `n` picks, as the superuser sees them.
pub async fn found_in(database: &Client, schemas: &str, values: &[String]) -> Vec<String> {
    let sql = format!(
        "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where c.relkind in ('r', 'm', 'p') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
           and ({schemas}) order by 1"
    );
    let mut found = Vec::new();
    let tables = database.query(&sql, &[]).await.unwrap();
    assert!(!tables.is_empty(), "{schemas}");
    for table in &tables {
        let table: String = table.get(0);
        for value in values {
            let sql = format!("select count(*) from {table} t where t::text ilike '%' || $1 || '%'");
            let count: i64 = database.query_one(&sql, &[value]).await.unwrap().get(0);
            if count > 0 {
                found.push(format!("{value} in {count} of {table}"));
            }
        }
    }
    found
}

/// What the tables of the schemas hold beside the rows with those ids.
pub async fn others(database: &Client, schemas: &str, ids: &[String]) -> BTreeMap<String, String> {
    let sql = format!(
        "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema', 'plinth')
           -- A token tells whose it is by its session alone.
           and c.relname <> 'refresh_tokens' and ({schemas}) order by 1"
    );
    let ids = ids.to_vec();
    let mut sums = BTreeMap::new();
    for table in database.query(&sql, &[]).await.unwrap() {
        let table: String = table.get(0);
        let sql = format!(
            "select count(*) || ' ' || md5(coalesce(string_agg(t::text, e'\\n' order by t::text), '')) from {table} t
             where not coalesce(coalesce(to_jsonb(t) ->> 'user_id', to_jsonb(t) ->> 'id') = any($1), false)
               and not coalesce(to_jsonb(t) ->> 'id' = any($1), false)"
        );
        let sum: String = database.query_one(&sql, &[&ids]).await.unwrap().get(0);
        sums.insert(table, sum);
    }
    sums
}

/// Judges a receipt with the verifier, by the keys that the platform publishes.
pub async fn judged(world: &World, receipt: &Value) -> Result<String, verify_receipt::Refusal> {
    let keys = world.get("/api/gdpr/keys").send().await;
    let keys = keys.expect(StatusCode::OK).to_string();
    verify_receipt::verify(receipt.to_string().as_bytes(), keys.as_bytes()).map(|proven| proven.to_string())
}

/// The receipt holds, and not when anything of it is changed; it counts what the plan did.
pub async fn proves(world: &World, plan: &Value, receipt: &Value) {
    judged(world, receipt).await.unwrap();
    let mut changed = receipt.clone();
    changed["receipt"]["tables"][0]["rows"] = json!(1_000_000);
    assert_eq!(judged(world, &changed).await, Err(verify_receipt::Refusal::Differs));
    let mut forged = receipt.clone();
    let jws = text(receipt, "jws");
    let (message, signature) = jws.rsplit_once('.').unwrap();
    let last = if signature.starts_with('A') { "B" } else { "A" };
    forged["jws"] = json!(format!("{message}.{last}{}", &signature[1..]));
    assert!(judged(world, &forged).await.is_err());
    let rows = |tables: &Value| -> BTreeMap<String, (String, u64)> {
        let tables = tables.as_array().unwrap().iter();
        let row = |table: &Value| {
            (
                text(table, "table"),
                (text(table, "rule"), table["rows"].as_u64().unwrap()),
            )
        };
        tables.map(row).collect()
    };
    let statement = &receipt["receipt"];
    assert_eq!(rows(&statement["tables"]), rows(&plan["tables"]));
    assert_eq!(statement["mapVersion"], plan["mapVersion"]);
    assert_eq!(statement["documents"], plan["documents"]);
    assert_eq!(statement["exports"], plan["exports"]);
}

/// The project's chain holds.
pub async fn chain_holds(world: &World, token: &str, project: &str) {
    let path = format!("/api/projects/{project}/audit/verify");
    let verified = world.get(&path).bearer(token).send().await.expect(StatusCode::OK);
    assert_eq!(verified["fault"], Value::Null, "{verified}");
}
