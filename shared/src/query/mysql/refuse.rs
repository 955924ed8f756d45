//! What these engines cannot do, found in the plan.

use super::super::plan::{Action, Class, Expression, From, Joined, Node, Place, Plan, Predicate, Shown};
use super::super::request::{CountKind, Format};
use super::{Flavour, object, unsupported};
use crate::error::Result;

/// Whether a plan can be run.
///
/// # Errors
/// 501 `PGRST127`, its details naming the feature.
pub fn refuse(plan: &Plan, flavour: Flavour) -> Result<()> {
    let accept = &plan.accept;
    let features = [
        (matches!(plan.action, Action::Call(_)), "functions"),
        (accept.strip_nulls, "nulls=stripped"),
        (accept.explain.is_some(), "the plan of a statement"),
        (matches!(accept.format, Format::Raw(_)), "a single value"),
        (plan.prefer.count == Some(CountKind::Planned), "count=planned"),
        (plan.shown.is_grouped(), "aggregates"),
    ];
    if let Some((_, feature)) = features.iter().find(|(asked, _)| *asked) {
        return Err(unsupported(feature));
    }
    match &plan.action {
        Action::Update { filter, .. } | Action::Delete { filter } => predicate(filter)?,
        Action::Insert { .. }
            if flavour == Flavour::MySql
                && !matches!(
                    plan.prefer.representation,
                    None | Some(super::super::request::Return::Minimal)
                ) =>
        {
            return Err(unsupported("return=representation of an insert without RETURNING"));
        }
        _ => {}
    }
    let rows_of_changes = plan.shows_rows() && matches!(plan.action, Action::Update { .. });
    if rows_of_changes && plan.primary_key.is_empty() {
        return Err(unsupported("return=representation of an update without a primary key"));
    }
    let needs_key = plan.shows_rows() && matches!(plan.action, Action::Insert { .. });
    if needs_key && plan.primary_key.is_empty() && !(plan.shown.embeds.is_empty() && plan.shown.order.is_empty()) {
        return Err(unsupported(
            "embeds and order of what is inserted without a primary key",
        ));
    }
    node(&plan.shown, flavour)
}

fn node(of: &Node, flavour: Flavour) -> Result<()> {
    if of.everything || matches!(of.from, From::Computed(_) | From::Called) {
        return Err(unsupported("functions"));
    }
    for output in &of.outputs {
        match &output.expression {
            Expression::Place(at) => {
                place(at)?;
                let cast = output.cast.as_ref();
                cast.map(|cast| object::target(cast, at.class)).transpose()?;
            }
            Expression::Aggregate(_) => return Err(unsupported("aggregates")),
        }
    }
    for term in &of.order {
        place(&term.place)?;
    }
    predicate(&of.filter)?;
    for embed in &of.embeds {
        if embed.joined == Joined::Row {
            return Err(unsupported("computed relationships"));
        }
        if let Shown::Spread(lifted) = &embed.shown
            && lifted
                .iter()
                .any(|lifted| lifted.aggregate.is_some() || lifted.member.is_none())
        {
            return Err(unsupported("aggregates"));
        }
        let cut = !embed.node.order.is_empty() || embed.node.page != super::super::plan::Page::default();
        if !embed.to_one && cut && flavour == Flavour::MySql {
            return Err(unsupported("order, limit and offset of what is embedded"));
        }
        node(&embed.node, flavour)?;
    }
    Ok(())
}

fn place(at: &Place) -> Result<()> {
    if at.computed.is_some() {
        return Err(unsupported("computed columns"));
    }
    if at.path.is_empty() {
        Ok(())
    } else {
        Err(unsupported("JSON paths"))
    }
}

fn predicate(of: &Predicate) -> Result<()> {
    match of {
        Predicate::All(parts) | Predicate::Any(parts) => parts.iter().try_for_each(predicate),
        Predicate::Not(inner) => predicate(inner),
        Predicate::Relate(_, op, _) => Err(unsupported(format_args!("the operator {}", op.word()))),
        Predicate::Search(_, kind, ..) => Err(unsupported(format_args!("the operator {}", kind.word()))),
        Predicate::Compare(at, ..) | Predicate::In(at, _) | Predicate::IsDistinct(at, _) if at.class == Class::Json => {
            Err(unsupported("comparisons of JSON"))
        }
        Predicate::Compare(at, ..) | Predicate::In(at, _) | Predicate::Is(at, _) | Predicate::IsDistinct(at, _) => {
            place(at)
        }
        Predicate::Has(_) => Ok(()),
    }
}
