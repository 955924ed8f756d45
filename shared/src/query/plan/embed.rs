//! The tree of a request: what is selected, with the filters, orders and pages of each relation in it.

#[cfg(test)]
mod tests;

use super::super::request::{Field, Join};
use super::super::request::{JsonKey, Logic, OrderTerm, Request, Scoped, SelectItem};
use super::super::shown;
use super::columns::Scope;
use super::{
    Embed, From, Joined, Lifted, Node, OrderBy, Page, Predicate, Shown, aggregate, exposed_range, relationship,
};
use crate::error::{Error, Result};
use crate::ident::Ident;
use crate::schema::catalog::Link;

/// The most relations that one request may embed.
const MAX_EMBEDS: usize = 200;
/// How often its statement may ask whether an embed has rows; a question repeats those of the embeds below.
const MAX_QUESTIONS: usize = 1_000;

/// What a request says of one relation of the tree, and of those below it.
#[derive(Default)]
struct Asked<'r> {
    filters: Vec<(&'r [String], &'r Logic)>,
    orders: Vec<(&'r [String], &'r [OrderTerm])>,
    limits: Vec<(&'r [String], u64)>,
    offsets: Vec<(&'r [String], u64)>,
}

impl<'r> Asked<'r> {
    fn of(request: &'r Request) -> Self {
        fn path<T>(scoped: &Scoped<T>) -> &[String] {
            &scoped.path
        }
        let filters = request.filters.iter().map(|filter| (path(filter), &filter.value));
        let orders = request.order.iter().map(|order| (path(order), &*order.value));
        let limits = request.limit.iter().map(|limit| (path(limit), limit.value));
        let offsets = request.offset.iter().map(|offset| (path(offset), offset.value));
        Self {
            filters: filters.collect(),
            orders: orders.collect(),
            limits: limits.collect(),
            offsets: offsets.collect(),
        }
    }

    /// Splits off what is said of the embeds, by their positions in `names`.
    fn below(&self, embeds: &[Named<'_>]) -> Result<Vec<Self>> {
        let mut below: Vec<Self> = embeds.iter().map(|_| Self::default()).collect();
        for (path, filter) in &self.filters {
            if let Some((at, rest)) = position(path, embeds)? {
                below[at].filters.push((rest, filter));
            }
        }
        for (path, order) in &self.orders {
            if let Some((at, rest)) = position(path, embeds)? {
                below[at].orders.push((rest, order));
            }
        }
        for (path, limit) in &self.limits {
            if let Some((at, rest)) = position(path, embeds)? {
                below[at].limits.push((rest, *limit));
            }
        }
        for (path, offset) in &self.offsets {
            if let Some((at, rest)) = position(path, embeds)? {
                below[at].offsets.push((rest, *offset));
            }
        }
        Ok(below)
    }

    fn page(&self) -> Page {
        Page {
            offset: own(&self.offsets).unwrap_or(0),
            limit: own(&self.limits),
        }
    }
}

/// What is said of the relation itself.
fn own<T: Copy>(said: &[(&[String], T)]) -> Option<T> {
    said.iter().find(|(path, _)| path.is_empty()).map(|(_, value)| *value)
}

/// An embed by the names that parameters may call it.
struct Named<'r> {
    /// Its alias, or else its target.
    name: &'r str,
    target: &'r str,
}

/// Which embed a path leads into, and the rest of it.
fn position<'p>(path: &'p [String], embeds: &[Named<'_>]) -> Result<Option<(usize, &'p [String])>> {
    let Some((first, rest)) = path.split_first() else {
        return Ok(None);
    };
    let found = embeds
        .iter()
        .position(|embed| embed.name == first)
        .or_else(|| embeds.iter().position(|embed| embed.target == first));
    match found {
        Some(at) => Ok(Some((at, rest))),
        None => Err(not_embedded(first)),
    }
}

/// `PGRST108`.
fn not_embedded(name: &str) -> Error {
    let name = shown(name);
    Error::invalid(
        "PGRST108",
        format!("'{name}' is not an embedded resource in this request"),
    )
    .with_hint(format!(
        "Verify that '{name}' is included in the 'select' query parameter."
    ))
}

/// The tree of a request whose rows come from `from` and have the columns of the scope's relation.
///
/// Of rows that were written, filters and pages of the request are not repeated: these chose what to write.
///
/// # Errors
/// As [`super::plan`].
pub(super) fn tree(scope: &Scope<'_>, from: From, request: &Request) -> Result<Node> {
    let asked = Asked::of(request);
    let everything = [SelectItem::All];
    let select = if request.select.is_empty() {
        &everything
    } else {
        &*request.select
    };
    let written = from == From::Written;
    let capped = if written { None } else { scope.rules.max_rows };
    let mut node = build(scope, from, select, &asked, capped, written)?;
    bounded(&node)?;
    if !written {
        node.page = exposed_range(node.page, request.range, capped);
    }
    Ok(node)
}

/// Refuses a tree whose statement would be out of all proportion to the request.
fn bounded(node: &Node) -> Result<()> {
    let (questions, _) = node.questions();
    for (given, most, what) in [
        (node.embedded(), MAX_EMBEDS, "embeds"),
        (questions, MAX_QUESTIONS, "conditions on embeds"),
    ] {
        if given > most {
            let message = format!("The request has too many {what}");
            return Err(Error::invalid("PGRST100", message).with_details(format!("{given} given, {most} allowed")));
        }
    }
    Ok(())
}

fn build(
    scope: &Scope<'_>,
    from: From,
    select: &[SelectItem],
    asked: &Asked<'_>,
    capped: Option<u64>,
    chosen: bool,
) -> Result<Node> {
    let mut node = Node::of(from);
    let mut wanted = Vec::new();
    for item in select {
        match item {
            SelectItem::All => scope.all_outputs(&mut node),
            SelectItem::Column { alias, field, cast } if aggregate::is_count(scope, field) => {
                node.outputs
                    .push(aggregate::count(scope, select, alias.as_deref(), cast.as_deref())?);
            }
            SelectItem::Column { alias, field, cast } => {
                node.outputs
                    .push(scope.output(alias.as_deref(), field, cast.as_deref())?);
            }
            SelectItem::Aggregate { .. } => node.outputs.push(aggregate::output(scope, item)?),
            SelectItem::Embed { alias, target, .. } => wanted.push((
                item,
                Named {
                    name: alias.as_deref().unwrap_or(target),
                    target,
                },
            )),
        }
    }
    let (items, names): (Vec<_>, Vec<_>) = wanted.into_iter().unzip();
    let below = asked.below(&names)?;
    let mut relations = Vec::with_capacity(items.len());
    for (item, asked) in items.iter().zip(&below) {
        let (embed, relation) = embed(scope, item, asked, capped)?;
        node.embeds.push(embed);
        relations.push(relation);
    }
    if !chosen {
        let own = asked.filters.iter().filter(|(path, _)| path.is_empty());
        let parts: Result<Vec<_>> = own.map(|(_, logic)| scope.logic(logic, &node.embeds)).collect();
        node.filter = Predicate::All(parts?);
        node.page = asked.page();
        hoist_existence(&mut node);
    }
    if let Some(terms) = own(&asked.orders) {
        let order = terms.iter().map(|term| order_by(scope, term, &node.embeds, &relations));
        node.order = order.collect::<Result<_>>()?;
    }
    Ok(node)
}

/// Having a row in an embed, as a condition that all rows must satisfy, is the same as an inner join.
fn hoist_existence(node: &mut Node) {
    let Predicate::All(parts) = &mut node.filter else {
        return;
    };
    parts.retain(|part| match part {
        Predicate::Has(at) => {
            node.embeds[*at].inner = true;
            false
        }
        _ => true,
    });
}

fn embed<'a>(
    scope: &Scope<'a>,
    item: &SelectItem,
    asked: &Asked<'_>,
    capped: Option<u64>,
) -> Result<(Embed, Scope<'a>)> {
    let SelectItem::Embed {
        alias,
        target,
        hint,
        join,
        spread,
        select,
    } = item
    else {
        return Err(Error::internal("only embeds are embedded"));
    };
    let way = relationship::find(scope, target, hint.as_deref())?;
    let there = scope.of(&way.target)?;
    let (from, joined) = match &way.link {
        Link::ManyToOne { columns, .. } | Link::OneToMany { columns, .. } | Link::OneToOne { columns, .. } => {
            (relation(&there), Joined::Columns(columns.clone()))
        }
        Link::ManyToMany(junction) => {
            let joined = Joined::Junction {
                table: junction.table.clone(),
                near: junction.near_columns.clone(),
                far: junction.far_columns.clone(),
            };
            (relation(&there), joined)
        }
        Link::Computed { function, .. } => (From::Computed(function.clone()), Joined::Row),
    };
    let to_one = way.is_to_one();
    let mut node = build(&there, from, select, asked, capped, false)?;
    if !to_one {
        node.page.limit = node.page.limit.into_iter().chain(capped).min();
    }
    if *spread || to_one {
        aggregate::unique(&mut node);
    }
    let shown = if node.members().is_empty() && !node.everything {
        Shown::Hidden
    } else if !*spread {
        Shown::Nested
    } else if to_one {
        Shown::Spread(aggregate::hoisted(&mut node)?)
    } else {
        Shown::Spread(node.members().into_iter().cloned().map(Lifted::as_is).collect())
    };
    let embed = Embed {
        name: member_name(alias.as_deref().unwrap_or(target))?,
        node,
        joined,
        to_one,
        inner: *join == Some(Join::Inner),
        shown,
    };
    Ok((embed, there))
}

fn relation(scope: &Scope<'_>) -> From {
    From::Relation {
        schema: scope.catalog.schema.clone(),
        name: scope.relation.name.clone(),
    }
}

fn order_by(scope: &Scope<'_>, term: &OrderTerm, embeds: &[Embed], relations: &[Scope<'_>]) -> Result<OrderBy> {
    let (embed, place) = match &term.relation {
        None => (None, scope.place(&term.field)?),
        Some(name) => {
            let at = embeds.iter().position(|embed| embed.name.as_str() == name);
            let at = at.ok_or_else(|| not_embedded(name))?;
            if !embeds[at].to_one {
                return Err(not_to_one(scope, name));
            }
            (Some(at), relations[at].place(&term.field)?)
        }
    };
    Ok(OrderBy {
        embed,
        place,
        descending: term.descending,
        nulls_first: term.nulls_first,
    })
}

/// `PGRST118`.
fn not_to_one(scope: &Scope<'_>, target: &str) -> Error {
    let target = shown(target);
    Error::invalid("PGRST118", format!("A related order on '{target}' is not possible")).with_details(format!(
        "'{}' and '{target}' do not form a many-to-one or one-to-one relationship",
        scope.relation.name
    ))
}

/// The name of a member of the reply.
///
/// # Errors
/// `PGRST100` for one that Postgres could not hold.
pub(super) fn member_name(name: &str) -> Result<Ident> {
    Ident::new(name).map_err(|error| {
        Error::invalid(
            "PGRST100",
            format!("\"failed to parse select parameter ({})\"", shown(name)),
        )
        .with_details(error.public().to_owned())
        .with_hint("Give it a shorter name: alias:column")
    })
}

/// The last named step of the path, or the column.
pub(super) fn default_name(field: &Field) -> &str {
    let named = field.path.iter().rev().find_map(|step| match &step.key {
        JsonKey::Name(name) => Some(name.as_str()),
        JsonKey::Index(_) => None,
    });
    named.unwrap_or(&field.name)
}
