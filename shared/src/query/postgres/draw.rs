//! What is written of a tree's nodes once and stands in several places of a statement: the rows that match, which are
//! shown, counted, and asked whether there are any. So their parameters are shared.

use std::cell::OnceCell;

use super::super::plan::{Embed, From, Joined, Node, Page, Shown};
use super::filter;
use super::sql::Sql;
use super::{ROW, WHOLE};
use crate::ident::Ident;

/// A node and the texts it is made of. They are written when they are first needed: a parameter that stands nowhere has
/// no type.
pub(super) struct Drawn<'a> {
    pub(super) node: &'a Node,
    /// The name of its rows.
    pub(super) alias: String,
    /// The name of its rows as they are shown.
    pub(super) row: String,
    /// The name of all of them made into one.
    pub(super) all: String,
    /// Whether its JSON makes groups, here or above: then it is jsonb, since json has no equality.
    pub(super) comparable: bool,
    pub(super) embeds: Vec<(&'a Embed, Drawn<'a>)>,
    /// How it belongs to the rows above, and the name of these.
    above: Option<(&'a Joined, String)>,
    condition: OnceCell<String>,
    page: OnceCell<String>,
}

/// Draws the tree whose root is `node`.
pub(super) fn draw(node: &Node) -> Drawn<'_> {
    one(node, None, false, &mut 0)
}

fn one<'a>(node: &'a Node, above: Option<(&'a Joined, String)>, grouped: bool, count: &mut usize) -> Drawn<'a> {
    let number = *count;
    *count += 1;
    let alias = format!("plinth_{number}");
    let comparable = grouped || node.is_grouped();
    let below = node.embeds.iter();
    let embeds = below
        .map(|embed| {
            let lifted = embed.to_one && matches!(embed.shown, Shown::Spread(_));
            let above = Some((&embed.joined, alias.clone()));
            (embed, one(&embed.node, above, comparable && lifted, count))
        })
        .collect();
    Drawn {
        node,
        alias,
        row: format!("plinth_row_{number}"),
        all: format!("plinth_all_{number}"),
        comparable,
        embeds,
        above,
        condition: OnceCell::new(),
        page: OnceCell::new(),
    }
}

impl Drawn<'_> {
    /// Adds ` from …`.
    pub(super) fn from(&self, sql: &mut Sql) {
        sql.push(" from ");
        match &self.node.from {
            From::Relation { schema, name } => sql.qualified(schema.as_ref(), name),
            From::Written | From::Called => sql.push("plinth_source"),
            From::Computed(function) => {
                sql.qualified(Some(&function.schema), &function.name);
                sql.push("(");
                let parent = self.above.as_ref().map_or(ROW, |(_, parent)| parent);
                sql.push(parent);
                if sql.is_returned(parent) {
                    sql.push(".");
                    sql.push(WHOLE);
                }
                sql.push(")");
            }
        }
        sql.push(" as ");
        sql.push(&self.alias);
        if let Some((Joined::Junction { table, .. }, _)) = &self.above {
            sql.push(", ");
            sql.qualified(Some(&table.schema), &table.name);
            sql.push(" as ");
            sql.push(&self.alias);
            sql.push("_by");
        }
    }

    /// Adds ` where …`, or nothing: the node's own conditions, and a row in each inner embed at a position that is `asked`
    /// about here.
    pub(super) fn where_clause(&self, sql: &mut Sql, asked: impl Fn(usize) -> bool) {
        let mut word = " where ";
        let condition = self.condition(sql);
        if !condition.is_empty() {
            sql.push(word);
            sql.push(condition);
            word = " and ";
        }
        for (at, (embed, drawn)) in self.embeds.iter().enumerate() {
            if embed.inner && asked(at) {
                sql.push(word);
                drawn.exists(sql);
                word = " and ";
            }
        }
    }

    /// What its rows satisfy, whatever is inner.
    fn condition(&self, sql: &mut Sql) -> &str {
        self.condition.get_or_init(|| {
            sql.aside(|sql| {
                if let Some((joined, parent)) = &self.above {
                    join_condition(sql, joined, parent, &self.alias);
                }
                if !self.node.filter.is_everything() {
                    sql.and();
                    let has = |sql: &mut Sql, at: usize| self.embeds[at].1.exists(sql);
                    filter::render(sql, &self.alias, &has, &self.node.filter);
                }
            })
        })
    }

    /// Adds ` from … where …` of the rows that match, with nothing joined to them.
    pub(super) fn matching(&self, sql: &mut Sql) {
        self.from(sql);
        self.where_clause(sql, |_| true);
    }

    /// Adds whether there is a row that matches. Its page matters only if it may be empty while there are rows.
    fn exists(&self, sql: &mut Sql) {
        let page = self.node.page;
        sql.push("exists (select 1");
        self.matching(sql);
        if page.offset > 0 || page.limit == Some(0) {
            self.page(sql);
        }
        sql.push(")");
    }

    /// Adds ` limit … offset …`.
    pub(super) fn page(&self, sql: &mut Sql) {
        let page = self
            .page
            .get_or_init(|| sql.aside(|sql| write_page(sql, self.node.page)));
        sql.push(page);
    }
}

fn join_condition(sql: &mut Sql, joined: &Joined, parent: &str, alias: &str) {
    let by = format!("{alias}_by");
    let (near, far) = match joined {
        Joined::Columns(columns) => ((columns, alias), None),
        Joined::Junction { near, far, .. } => ((near, &*by), Some(far)),
        Joined::Row => return,
    };
    for (above, here) in near.0 {
        equal(sql, (near.1, here), (parent, above));
    }
    for (junction, here) in far.into_iter().flatten() {
        equal(sql, (alias, here), (&by, junction));
    }
}

fn equal(sql: &mut Sql, one: (&str, &Ident), other: (&str, &Ident)) {
    sql.and();
    sql.column(one.0, one.1);
    sql.push(" = ");
    sql.column(other.0, other.1);
}

fn write_page(sql: &mut Sql, page: Page) {
    if let Some(limit) = page.limit {
        sql.push(" limit ");
        sql.bind_as(limit.min(i64::MAX.unsigned_abs()).to_string(), "bigint");
    }
    if page.offset > 0 {
        sql.push(" offset ");
        sql.bind_as(page.offset.min(i64::MAX.unsigned_abs()).to_string(), "bigint");
    }
}
