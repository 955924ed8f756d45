//! After any series of operations the rows that are seen are those of a model.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{facade, secretly, values};
use crate::tables::created;
use crate::tables::fixture::project;
use crate::world::{Project, run};

/// A small generator of our own, so that a failing seed can be run again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// A row: its parent's id (of a child), its word, and in which deletion it went.
#[derive(Clone, Debug)]
struct Row {
    parent: Option<u64>,
    word: u64,
    gone: Option<u64>,
}

/// Parents, and children that go with them.
#[derive(Default)]
struct Model {
    parents: BTreeMap<u64, Row>,
    children: BTreeMap<u64, Row>,
    deletions: u64,
}

impl Model {
    fn table(&mut self, children: bool) -> &mut BTreeMap<u64, Row> {
        if children {
            &mut self.children
        } else {
            &mut self.parents
        }
    }

    fn delete(&mut self, children: bool, word: u64) {
        self.deletions += 1;
        let now = self.deletions;
        let mut went = Vec::new();
        for (id, row) in self.table(children) {
            if row.gone.is_none() && row.word == word {
                row.gone = Some(now);
                went.push(*id);
            }
        }
        if !children {
            for child in self.children.values_mut() {
                if child.gone.is_none() && child.parent.is_some_and(|parent| went.contains(&parent)) {
                    child.gone = Some(now);
                }
            }
        }
    }

    /// Whether it may be.
    fn restore(&mut self, children: bool, id: u64) -> bool {
        let Some(row) = self.table(children).get(&id).filter(|row| row.gone.is_some()).cloned() else {
            return true;
        };
        let parent = row
            .parent
            .filter(|_| children)
            .and_then(|parent| self.parents.get(&parent));
        if parent.is_some_and(|parent| parent.gone.is_some()) {
            return false;
        }
        if let Some(row) = self.table(children).get_mut(&id) {
            row.gone = None;
        }
        if !children {
            for child in self.children.values_mut() {
                if child.parent == Some(id) && child.gone == row.gone {
                    child.gone = None;
                }
            }
        }
        true
    }

    /// What a read of all parents with their children shows, in the order of ids.
    fn shown(&self) -> Value {
        let live = |rows: &BTreeMap<u64, Row>| -> Vec<(u64, Row)> {
            let live = rows.iter().filter(|(_, row)| row.gone.is_none());
            live.map(|(id, row)| (*id, row.clone())).collect()
        };
        let parents = live(&self.parents).into_iter().map(|(id, row)| {
            let mine = live(&self.children)
                .into_iter()
                .filter(|(_, child)| child.parent == Some(id));
            let children: Vec<Value> = mine
                .map(|(id, child)| json!({ "id": id, "word": child.word }))
                .collect();
            json!({ "id": id, "word": row.word, "children": children })
        });
        parents.collect()
    }
}

async fn tables(project: &Project) {
    let number = |name: &str| json!({ "name": name, "type": "integer" });
    let id = json!({ "name": "id", "type": "integer", "primary_key": true });
    let parents = json!({ "name": "parents", "columns": [id, number("word")], "softDelete": true });
    created(project, parents).await;
    let link =
        json!({ "name": "parent", "type": "integer", "references": { "table": "parents", "on_delete": "cascade" } });
    let children = json!({ "name": "children", "columns": [id, number("word"), link], "softDelete": true });
    created(project, children).await;
}

async fn step(project: &Project, model: &mut Model, dice: &mut Dice, next: &mut u64) {
    let (children, word) = (dice.roll(2) == 0, dice.roll(4));
    let name = if children { "children" } else { "parents" };
    let pick = dice.roll((*next).max(1));
    match dice.roll(4) {
        0 => {
            let live: Vec<u64> = model
                .parents
                .iter()
                .filter(|(_, row)| row.gone.is_none())
                .map(|(id, _)| *id)
                .collect();
            let parent = (children && !live.is_empty()).then(|| live[usize::try_from(pick).unwrap() % live.len()]);
            let mut body = json!({ "id": *next, "word": word });
            if children {
                body["parent"] = json!(parent);
            }
            secretly(Method::POST, project, name, Some(body))
                .await
                .expect(StatusCode::CREATED);
            model.table(children).insert(
                *next,
                Row {
                    parent,
                    word,
                    gone: None,
                },
            );
            *next += 1;
        }
        1 => {
            let path = format!("{name}?id=eq.{pick}");
            secretly(Method::PATCH, project, &path, Some(json!({ "word": word })))
                .await
                .expect(StatusCode::OK);
            if let Some(row) = model.table(children).get_mut(&pick).filter(|row| row.gone.is_none()) {
                row.word = word;
            }
        }
        2 => {
            secretly(Method::DELETE, project, &format!("{name}?word=eq.{word}"), None)
                .await
                .expect(StatusCode::OK);
            model.delete(children, word);
        }
        _ => {
            let body = json!({ "tableName": name, "filters": { "id": pick } });
            let reply = facade(project, "restore", body).await;
            let status = if model.restore(children, pick) {
                StatusCode::OK
            } else {
                StatusCode::CONFLICT
            };
            reply.expect(status);
        }
    }
}

#[test]
fn rows_that_are_seen_are_those_of_the_model() {
    run(async {
        for (level, seed) in [("schema", 1_u64), ("schema", 2), ("database", 3)] {
            let project = project(level).await;
            tables(&project).await;
            let (mut model, mut dice, mut next) = (Model::default(), Dice(seed), 0);
            for number in 0..80 {
                step(&project, &mut model, &mut dice, &mut next).await;
                let path = "parents?select=id,word,children(id,word)&order=id&children.order=id";
                let shown = secretly(Method::GET, &project, path, None).await.expect(StatusCode::OK);
                assert_eq!(shown, model.shown(), "seed {seed}, step {number}");
                let children = secretly(Method::GET, &project, "children?select=id", None)
                    .await
                    .expect(StatusCode::OK);
                let live = model.children.iter().filter(|(_, row)| row.gone.is_none());
                let mut expected: Vec<Value> = live.map(|(id, _)| json!(id)).collect();
                expected.sort_by_key(Value::to_string);
                assert_eq!(values(&children, "id"), expected, "seed {seed}, step {number}");
            }
            assert!(model.deletions > 5 && next > 5);
        }
    });
}
