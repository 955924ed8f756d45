//! Facts of tables and functions from a catalog and what it leaves out.

use super::facts::{
    AccessFacts, ArgumentFacts, CheckFacts, ColumnFacts, ForeignKeyFacts, FunctionFacts, IndexFacts, PolicyFacts,
    ReturnFacts, Rights, TableFacts, TableKind,
};
use crate::ident::Ident;
use crate::schema::catalog::{Catalog, Function, Relation, RelationKind, Shape, Volatility};
use crate::schema::details::{self, Details, Grants, TableDetails};

/// Tables and views by name. What is not told of a table is left empty.
pub fn tables(catalog: &Catalog, details: &Details, resources: bool) -> Vec<TableFacts> {
    let untold = TableDetails::default();
    let of = |relation: &Relation| {
        let told = details.tables.get(relation.name.as_str()).unwrap_or(&untold);
        table(relation, told, resources)
    };
    catalog.relations.values().map(of).collect()
}

fn table(relation: &Relation, told: &TableDetails, resource: bool) -> TableFacts {
    let columns = relation.columns.iter().map(|column| ColumnFacts {
        name: column.name.to_string(),
        data_type: column.data_type.clone(),
        base_type: column.base_type.clone(),
        nullable: column.nullable,
        default: column.default.clone(),
        generated: column.generated,
        comment: column.comment.clone(),
    });
    let foreign_keys = relation.foreign_keys.iter().map(|key| ForeignKeyFacts {
        name: key.name.to_string(),
        columns: names(&key.columns),
        table: key.table.to_string(),
        references: names(&key.references),
        on_delete: told.on_delete.get(key.name.as_str()).cloned(),
    });
    TableFacts {
        name: relation.name.to_string(),
        kind: match relation.kind {
            RelationKind::Table if resource => TableKind::Resource,
            RelationKind::Table => TableKind::Table,
            RelationKind::View => TableKind::View,
            RelationKind::MaterializedView => TableKind::MaterializedView,
            RelationKind::ForeignTable => TableKind::ForeignTable,
        },
        comment: relation.comment.clone(),
        columns: columns.collect(),
        primary_key: names(&relation.primary_key),
        unique_keys: relation.unique_keys.iter().map(|key| names(key)).collect(),
        foreign_keys: foreign_keys.collect(),
        checks: told.checks.iter().map(check).collect(),
        indexes: told.indexes.iter().map(index).collect(),
        access: access(told),
        writable: Rights {
            select: true,
            insert: relation.writable.insert,
            update: relation.writable.update,
            delete: relation.writable.delete,
        },
        keeps_deleted: relation.hidden.rows,
    }
}

fn check(check: &details::Check) -> CheckFacts {
    CheckFacts {
        name: check.name.clone(),
        expression: check.expression.clone(),
    }
}

fn index(index: &details::Index) -> IndexFacts {
    IndexFacts {
        name: index.name.clone(),
        columns: index.columns.clone(),
        unique: index.unique,
        method: index.method.clone(),
        predicate: index.predicate.clone(),
    }
}

fn access(told: &TableDetails) -> AccessFacts {
    let policy = |policy: &details::Policy| PolicyFacts {
        name: policy.name.clone(),
        command: policy.command,
        restrictive: policy.restrictive,
        anyone: policy.anyone,
        signed_in: policy.signed_in,
        secret: policy.secret,
        using: policy.using.clone(),
        check: policy.check.clone(),
    };
    AccessFacts {
        row_security: told.row_security,
        secret_unbound: told.secret_unbound,
        anyone: rights(told.anyone),
        signed_in: rights(told.signed_in),
        secret: rights(told.secret),
        policies: told.policies.iter().map(policy).collect(),
    }
}

fn rights(granted: Grants) -> Rights {
    Rights {
        select: granted.select,
        insert: granted.insert,
        update: granted.update,
        delete: granted.delete,
    }
}

/// Functions by name, overloads after each other.
pub fn functions(catalog: &Catalog, details: &Details) -> Vec<FunctionFacts> {
    let all = catalog.functions.values().flatten();
    all.map(|of| function(of, details)).collect()
}

fn function(of: &Function, details: &Details) -> FunctionFacts {
    let callers = details.functions.get(of.name.as_str()).copied().unwrap_or_default();
    let arguments = of.arguments.iter().map(|argument| ArgumentFacts {
        name: argument.name.clone(),
        data_type: argument.data_type.clone(),
        required: argument.required,
    });
    FunctionFacts {
        name: of.name.to_string(),
        comment: of.comment.clone(),
        arguments: arguments.collect(),
        returns: match &of.returns.shape {
            Shape::Void => ReturnFacts::Nothing,
            Shape::Scalar(data_type) => ReturnFacts::Value(data_type.clone()),
            Shape::Row(row) => ReturnFacts::Row(row.name.to_string()),
            Shape::Columns(columns) => ReturnFacts::Columns(
                columns
                    .iter()
                    .map(|(name, of)| (name.to_string(), of.clone()))
                    .collect(),
            ),
            Shape::Record => ReturnFacts::Anything,
        },
        set: of.returns.set,
        read_only: of.volatility != Volatility::Volatile,
        anyone: callers.anyone,
        signed_in: callers.signed_in,
    }
}

fn names(names: &[Ident]) -> Vec<String> {
    names.iter().map(Ident::to_string).collect()
}
