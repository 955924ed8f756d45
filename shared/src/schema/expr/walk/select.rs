//! The two subqueries that may be written: `(select auth.uid())` and `exists (select 1 from own_table where …)`.

use sqlparser::ast::{self, GroupByExpr, SelectFlavor, SelectItem, SetExpr, TableFactor, Value};

use super::{Expr, Frame, Result, Walk, fold, refused, short};
use crate::ident::Ident;
use crate::schema::fault::Fault;

/// A select with nothing but a list, a table and a filter.
struct Plain<'q> {
    projection: &'q [SelectItem],
    from: &'q [ast::TableWithJoins],
    filter: Option<&'q ast::Expr>,
}

impl Walk<'_> {
    /// `(select auth.uid())`: the form that asks once per statement. It means the bare call.
    pub(super) fn auth_subquery(&mut self, query: &ast::Query) -> Result<Expr> {
        let other = || {
            refused(format!("The subquery {}", short(&query.to_string())))
                .hint("Use exists (select 1 from own_table where …)")
        };
        let plain = plain(query).ok_or_else(other)?;
        let ([SelectItem::UnnamedExpr(ast::Expr::Function(function))], [], None) =
            (plain.projection, plain.from, plain.filter)
        else {
            return Err(other());
        };
        match self.function(function, 0)? {
            auth @ Expr::Auth(_) => Ok(auth),
            _ => Err(other()),
        }
    }

    /// `exists (select 1 from own_table [alias] where …)`.
    pub(super) fn exists(&mut self, query: &ast::Query, depth: usize) -> Result<Expr> {
        if !self.scope.allow.exists {
            return Err(refused("exists"));
        }
        let shape = |what: &str| refused(what).hint("Write exists (select 1 from own_table [alias] where …)");
        let plain = plain(query).ok_or_else(|| shape("This form of select inside exists"))?;
        if !matches!(plain.projection, [item] if is_harmless(item)) {
            return Err(shape("This list of a select inside exists"));
        }
        let [ast::TableWithJoins { relation, joins }] = plain.from else {
            return Err(shape("A select of no table or several inside exists"));
        };
        if !joins.is_empty() {
            return Err(shape("A join inside exists"));
        }
        let (table, alias) =
            table(relation).ok_or_else(|| shape(&format!("The table {}", short(&relation.to_string()))))?;
        let frame = self.frame(&table, alias)?;
        let (table, alias) = (frame.spec.name.clone(), frame.alias.clone());
        self.frames.push(frame);
        let filter = plain.filter.map(|filter| self.expr(filter, depth)).transpose();
        self.frames.pop();
        Ok(Expr::Exists {
            table,
            alias,
            filter: filter?.map(Box::new),
        })
    }

    fn frame<'a>(&self, table: &str, alias: Option<String>) -> Result<Frame<'a>>
    where
        Self: Sees<'a>,
    {
        let Some(spec) = self.table(table) else {
            let fault = Fault::new(
                "",
                "expression/unknown-table",
                format!("There is no table {} in this project", short(table)),
            );
            return Err(fault.hint("Name a table of this project, without a schema"));
        };
        if spec.name == self.scope.spec.name {
            let fault = Fault::new(
                "",
                "expression/recursion",
                format!("A policy of {table} cannot look into {table} itself"),
            );
            return Err(
                fault.hint("The look would be subject to the same policy, without end; look into another table")
            );
        }
        let alias = alias.unwrap_or_else(|| table.to_owned());
        let alias = Ident::snake_case(&alias).map_err(|_| refused(format!("The alias {}", short(&alias))))?;
        if self.frames.iter().any(|frame| frame.alias == alias) {
            let fault = Fault::new(
                "",
                "expression/alias",
                format!("{alias} already names another table here"),
            );
            return Err(fault.hint("Give the inner table another alias"));
        }
        Ok(Frame { alias, spec })
    }
}

/// Tables an `exists` may name, for as long as the scope lives.
trait Sees<'a> {
    fn table(&self, name: &str) -> Option<&'a crate::schema::spec::TableSpec>;
}

impl<'a> Sees<'a> for Walk<'a> {
    fn table(&self, name: &str) -> Option<&'a crate::schema::spec::TableSpec> {
        let own = self.scope.spec;
        if own.name.as_str() == name {
            Some(own)
        } else {
            self.scope.known.table(name)
        }
    }
}

/// The name and alias of a plain table.
fn table(factor: &TableFactor) -> Option<(String, Option<String>)> {
    let TableFactor::Table {
        name,
        alias,
        args: None,
        with_hints,
        version: None,
        with_ordinality: false,
        partitions,
        json_path: None,
        sample: None,
        index_hints,
    } = factor
    else {
        return None;
    };
    let [part] = name.0.as_slice() else { return None };
    if !with_hints.is_empty() || !partitions.is_empty() || !index_hints.is_empty() {
        return None;
    }
    let alias = match alias {
        None => None,
        Some(ast::TableAlias {
            explicit: _,
            name,
            columns,
            at: None,
        }) if columns.is_empty() => Some(fold(name)),
        Some(_) => return None,
    };
    Some((fold(part.as_ident()?), alias))
}

/// What may stand between `select` and `from`, since nothing of it is kept.
fn is_harmless(item: &SelectItem) -> bool {
    match item {
        SelectItem::UnnamedExpr(ast::Expr::Value(value)) => {
            matches!(value.value, Value::Number(..) | Value::Boolean(_) | Value::Null)
        }
        SelectItem::Wildcard(options) => *options == ast::WildcardAdditionalOptions::default(),
        _ => false,
    }
}

fn plain(query: &ast::Query) -> Option<Plain<'_>> {
    let ast::Query {
        with,
        body,
        order_by,
        limit_clause,
        fetch,
        locks,
        for_clause,
        settings,
        format_clause,
        pipe_operators,
    } = query;
    let bare = with.is_none()
        && order_by.is_none()
        && limit_clause.is_none()
        && fetch.is_none()
        && locks.is_empty()
        && for_clause.is_none()
        && settings.is_none()
        && format_clause.is_none()
        && pipe_operators.is_empty();
    let SetExpr::Select(select) = &**body else { return None };
    let ast::Select {
        select_token: _,
        optimizer_hints: _,
        distinct,
        select_modifiers,
        top,
        top_before_distinct: _,
        projection,
        exclude,
        into,
        from,
        lateral_views,
        prewhere,
        selection,
        connect_by,
        group_by,
        cluster_by,
        distribute_by,
        sort_by,
        having,
        named_window,
        qualify,
        window_before_qualify: _,
        value_table_mode,
        flavor,
    } = &**select;
    let ungrouped =
        matches!(group_by, GroupByExpr::Expressions(by, modifiers) if by.is_empty() && modifiers.is_empty());
    let simple = distinct.is_none()
        && select_modifiers.is_none()
        && top.is_none()
        && exclude.is_none()
        && into.is_none()
        && lateral_views.is_empty()
        && prewhere.is_none()
        && connect_by.is_empty()
        && ungrouped
        && cluster_by.is_empty()
        && distribute_by.is_empty()
        && sort_by.is_empty()
        && having.is_none()
        && named_window.is_empty()
        && qualify.is_none()
        && value_table_mode.is_none()
        && *flavor == SelectFlavor::Standard;
    (bare && simple).then_some(Plain {
        projection,
        from,
        filter: selection.as_ref(),
    })
}
