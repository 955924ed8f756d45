//! From the statement's rows to the catalog.

use std::collections::{BTreeMap, HashMap};

use super::facts::{ColumnFact, Facts, KeyFact, Number, Oid, RelationFact};
use super::functions;
use super::keys::{Names, keys};
use super::types::Types;
use crate::ident::Ident;
use crate::schema::catalog::{Catalog, Column, ForeignKey, Qualified, Relation, RelationKind, Session, Writable};

/// The catalog that the rows describe.
pub(super) fn catalog(mut facts: Facts) -> Catalog {
    let Some(schema) = facts.schema.clone() else {
        return Catalog::default();
    };
    let types = Types::new(std::mem::take(&mut facts.types));
    let names = Names::new(&schema, &facts);
    let mut computed = functions::computed(&facts, &types, &schema);
    let keys = keys(&facts, &names, std::mem::take(&mut computed.relationships));
    let mut of_views = keys.of_views();

    let mut index_keys: HashMap<Oid, Vec<&KeyFact>> = HashMap::new();
    for key in &facts.keys {
        index_keys.entry(key.relation).or_default().push(key);
    }
    let mut relations = BTreeMap::new();
    for fact in &facts.relations {
        let own_keys = index_keys.get(&fact.oid).map_or(&[][..], Vec::as_slice);
        let mut relation = relation(fact, own_keys, &names, &types);
        if matches!(fact.kind, 'v' | 'm') {
            let view = Qualified {
                schema: schema.clone(),
                name: fact.name.clone(),
            };
            relation.primary_key = of_views.remove(&view).unwrap_or_default();
        }
        let its = computed.columns.remove(fact.name.as_str()).unwrap_or_default();
        // A column hides a function of its name.
        relation.computed = its
            .into_iter()
            .filter(|it| relation.column(it.name.as_str()).is_none())
            .collect();
        relations.insert(fact.name.to_string(), relation);
    }
    for (of, key) in foreign_keys(&facts, &names, &schema) {
        if let Some(relation) = relations.get_mut(of.as_str()) {
            relation.foreign_keys.push(key);
        }
    }
    Catalog {
        relationships: keys.relationships(&schema, |name| relations.contains_key(name.as_str())),
        types: types.named(&facts).collect(),
        functions: functions::functions(&facts, &types),
        enums: facts
            .enums
            .into_iter()
            .map(|(name, labels)| (name, labels.unwrap_or_default()))
            .collect(),
        relations,
        schema: Some(schema),
        session: Session::default(),
    }
}

fn relation(fact: &RelationFact, keys: &[&KeyFact], names: &Names, types: &Types) -> Relation {
    let columns_of = |key: &&KeyFact| names.columns(fact.oid, &key.columns);
    Relation {
        hidden: crate::schema::catalog::Hidden::default(),
        name: fact.name.clone(),
        kind: match fact.kind {
            'v' => RelationKind::View,
            'm' => RelationKind::MaterializedView,
            'f' => RelationKind::ForeignTable,
            _ => RelationKind::Table,
        },
        columns: fact.columns.iter().map(|column| self::column(column, types)).collect(),
        primary_key: keys
            .iter()
            .find(|key| key.primary)
            .and_then(columns_of)
            .unwrap_or_default(),
        unique_keys: keys.iter().filter(|key| !key.primary).filter_map(columns_of).collect(),
        foreign_keys: Vec::new(),
        computed: Vec::new(),
        writable: writable(fact),
        comment: fact.comment.clone(),
    }
}

/// `pg_relation_is_updatable` sets the bit of each command's number.
fn writable(fact: &RelationFact) -> Writable {
    const UPDATE: i32 = 1 << 2;
    const INSERT: i32 = 1 << 3;
    const DELETE: i32 = 1 << 4;
    let bits = match fact.kind {
        'v' | 'f' => fact.writable.unwrap_or(0),
        'm' => 0,
        _ => return Writable::default(),
    };
    Writable {
        insert: bits & INSERT != 0,
        update: bits & UPDATE != 0,
        delete: bits & DELETE != 0,
    }
}

fn column(fact: &ColumnFact, types: &Types) -> Column {
    let ColumnFact(_, name, oid, modifier, not_null, default, generated, comment) = fact;
    let known = types.get(*oid, *modifier);
    let domain = known.filter(|known| known.kind == 'd');
    Column {
        name: name.clone(),
        data_type: types.text(*oid, *modifier),
        base_type: domain
            .and_then(|_| types.base(*oid, *modifier))
            .map(|base| base.text.clone()),
        nullable: !(*not_null || domain.is_some_and(|domain| domain.not_null)),
        default: default.clone(),
        generated: *generated,
        comment: comment.clone(),
    }
}

/// Those between exposed relations, by the name of the one they are on.
fn foreign_keys(facts: &Facts, names: &Names, schema: &Ident) -> Vec<(Ident, ForeignKey)> {
    let exposed: HashMap<Oid, &RelationFact> = facts.relations.iter().map(|fact| (fact.oid, fact)).collect();
    debug_assert!(
        exposed
            .keys()
            .all(|oid| names.name(*oid).is_some_and(|name| name.schema == *schema))
    );
    let columns = |of: Oid, numbers: &[Number]| names.columns(of, numbers);
    let key = |fact: &super::facts::ForeignKeyFact| {
        let (here, there) = (exposed.get(&fact.relation)?, exposed.get(&fact.target)?);
        let key = ForeignKey {
            name: fact.name.clone(),
            columns: columns(fact.relation, &fact.columns)?,
            table: there.name.clone(),
            references: columns(fact.target, &fact.references)?,
        };
        Some((here.name.clone(), key))
    };
    facts.foreign_keys.iter().filter_map(key).collect()
}
