//! What is written of a tree's nodes once and stands in several places of a statement: the rows that match, which are
//! shown, counted, and asked whether there are any. So their parameters are shared.

use super::super::plan::{Embed, From, Joined, Node, Page};
use super::filter;
use super::sql::Sql;
use super::{ROW, WHOLE};
use crate::ident::Ident;

/// A node and the texts it is made of.
pub(super) struct Drawn<'a> {
    pub(super) node: &'a Node,
    /// The name of its rows.
    pub(super) alias: String,
    /// The name of its rows as they are shown.
    pub(super) row: String,
    /// The name of all of them made into one.
    pub(super) all: String,
    /// ` from …`
    pub(super) from: String,
    /// What its rows satisfy, whatever is embedded.
    condition: String,
    /// ` limit … offset …`
    pub(super) page: String,
    pub(super) embeds: Vec<(&'a Embed, Drawn<'a>)>,
}

/// Draws the tree whose root is `node`.
pub(super) fn draw<'a>(sql: &mut Sql, node: &'a Node) -> Drawn<'a> {
    one(sql, node, None, &mut 0)
}

fn one<'a>(sql: &mut Sql, node: &'a Node, above: Option<(&'a Embed, &str)>, count: &mut usize) -> Drawn<'a> {
    let number = *count;
    *count += 1;
    let alias = format!("plinth_{number}");
    let from = sql.aside(|sql| from(sql, node, above, &alias));
    let embeds: Vec<_> = node
        .embeds
        .iter()
        .map(|embed| (embed, one(sql, &embed.node, Some((embed, &alias)), count)))
        .collect();
    let has = |at: usize| embeds[at].1.exists();
    let condition = sql.aside(|sql| {
        if let Some((embed, parent)) = above {
            joined(sql, &embed.joined, parent, &alias);
        }
        if !node.filter.is_everything() {
            sql.and();
            filter::render(sql, &alias, &has, &node.filter);
        }
    });
    let page = sql.aside(|sql| page(sql, node.page));
    Drawn {
        node,
        alias,
        row: format!("plinth_row_{number}"),
        all: format!("plinth_all_{number}"),
        from,
        condition,
        page,
        embeds,
    }
}

fn from(sql: &mut Sql, node: &Node, above: Option<(&Embed, &str)>, alias: &str) {
    sql.push(" from ");
    match &node.from {
        From::Relation { schema, name } => sql.qualified(schema.as_ref(), name),
        From::Written | From::Called => sql.push("plinth_source"),
        From::Computed(function) => {
            sql.qualified(Some(&function.schema), &function.name);
            sql.push("(");
            let parent = above.map_or(ROW, |(_, parent)| parent);
            sql.push(parent);
            if sql.is_returned(parent) {
                sql.push(".");
                sql.push(WHOLE);
            }
            sql.push(")");
        }
    }
    sql.push(" as ");
    sql.push(alias);
    if let Some((
        Embed {
            joined: Joined::Junction { table, .. },
            ..
        },
        _,
    )) = above
    {
        sql.push(", ");
        sql.qualified(Some(&table.schema), &table.name);
        sql.push(" as ");
        sql.push(alias);
        sql.push("_by");
    }
}

fn joined(sql: &mut Sql, joined: &Joined, parent: &str, alias: &str) {
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

fn page(sql: &mut Sql, page: Page) {
    if let Some(limit) = page.limit {
        sql.push(" limit ");
        sql.bind_as(limit.min(i64::MAX.unsigned_abs()).to_string(), "bigint");
    }
    if page.offset > 0 {
        sql.push(" offset ");
        sql.bind_as(page.offset.min(i64::MAX.unsigned_abs()).to_string(), "bigint");
    }
}

impl Drawn<'_> {
    /// ` where …`, or nothing: the node's own conditions, and a row in each inner embed at a position that is
    /// `asked` about here.
    pub(super) fn where_clause(&self, asked: impl Fn(usize) -> bool) -> String {
        let mut text = self.condition.clone();
        for (at, (embed, drawn)) in self.embeds.iter().enumerate() {
            if embed.inner && asked(at) {
                if !text.is_empty() {
                    text.push_str(" and ");
                }
                text.push_str(&drawn.exists());
            }
        }
        if text.is_empty() {
            text
        } else {
            format!(" where {text}")
        }
    }

    /// ` from … where …` of the rows that match, with nothing joined to them.
    pub(super) fn matching(&self) -> String {
        format!("{}{}", self.from, self.where_clause(|_| true))
    }

    /// Whether there is a row that matches. Its page matters only if it may be empty while there are rows.
    fn exists(&self) -> String {
        let page = self.node.page;
        let page = if page.offset > 0 || page.limit == Some(0) {
            &*self.page
        } else {
            ""
        };
        format!("exists (select 1{}{page})", self.matching())
    }
}
