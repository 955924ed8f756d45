//! What these engines cannot do, found in the plan.

use super::super::Feature;
use super::super::plan::{Action, Class, Embed, Expression, From, Joined, Node, Place, Plan, Predicate, Shown};
use super::super::request::{CountKind, Format};
use super::{Flavour, aggregate, object, path, unsupported};
use crate::error::Result;

/// Whether a plan can be run.
///
/// # Errors
/// 501 `PGRST127`, its details naming the feature.
pub fn refuse(plan: &Plan, flavour: Flavour) -> Result<()> {
    let accept = &plan.accept;
    let features = [
        (matches!(plan.action, Action::Call(_)), Feature::Functions, "a function"),
        (accept.strip_nulls, Feature::StripNulls, "nulls=stripped"),
        (accept.explain.is_some(), Feature::Explain, "the plan of a statement"),
        (
            matches!(accept.format, Format::Raw(_)),
            Feature::SingleValue,
            "a single value",
        ),
        (
            plan.prefer.count == Some(CountKind::Planned) && plan.shown.is_grouped(),
            Feature::CountPlanned,
            "count=planned of groups",
        ),
        (
            plan.shown.is_grouped() && !matches!(plan.action, Action::Read),
            Feature::Aggregates,
            "an aggregate of what is written",
        ),
    ];
    if let Some((_, feature, what)) = features.iter().find(|(asked, ..)| *asked) {
        return Err(unsupported(*feature, what));
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
            return Err(unsupported(
                Feature::ReturnInserted,
                "the rows of an insert without RETURNING",
            ));
        }
        _ => {}
    }
    let rows_of_changes = plan.shows_rows() && matches!(plan.action, Action::Update { .. });
    if rows_of_changes && plan.primary_key.is_empty() {
        return Err(unsupported(
            Feature::ReturnUpdated,
            "the rows of an update without a primary key",
        ));
    }
    let needs_key = plan.shows_rows() && matches!(plan.action, Action::Insert { .. });
    if needs_key && plan.primary_key.is_empty() && !(plan.shown.embeds.is_empty() && plan.shown.order.is_empty()) {
        return Err(unsupported(
            Feature::ReturnInserted,
            "an embed or an order of what is inserted without a primary key",
        ));
    }
    node(&plan.shown, None, flavour)
}

fn node(of: &Node, embed: Option<&Embed>, flavour: Flavour) -> Result<()> {
    if of.everything || matches!(of.from, From::Computed(_) | From::Called) {
        return Err(unsupported(Feature::Computed, "a function of a row"));
    }
    for output in &of.outputs {
        match &output.expression {
            Expression::Place(at) => {
                place(at)?;
                let cast = output.cast.as_ref();
                cast.map(|cast| object::target(cast, path::class(at))).transpose()?;
            }
            Expression::Aggregate(aggregate) => aggregate.of.iter().try_for_each(|(at, _)| place(at))?,
        }
    }
    for term in &of.order {
        place(&term.place)?;
        if !term.place.path.is_empty() && path::class(&term.place) == Class::Json {
            return Err(unsupported(Feature::JsonComparisons, "an order of JSON"));
        }
    }
    predicate(&of.filter)?;
    if of.is_grouped() {
        aggregate::refuse(of, embed)?;
    }
    for embed in &of.embeds {
        if embed.joined == Joined::Row {
            return Err(unsupported(Feature::Computed, "a computed relationship"));
        }
        if let Shown::Spread(lifted) = &embed.shown
            && lifted
                .iter()
                .any(|lifted| lifted.aggregate.is_some() || lifted.member.is_none())
        {
            return Err(unsupported(Feature::Aggregates, "an aggregate"));
        }
        let cut = !embed.node.order.is_empty() || embed.node.page != super::super::plan::Page::default();
        if !embed.to_one && cut && flavour == Flavour::MySql {
            return Err(unsupported(
                Feature::EmbeddedPages,
                "order, limit and offset of what is embedded",
            ));
        }
        node(&embed.node, Some(embed), flavour)?;
    }
    Ok(())
}

fn place(at: &Place) -> Result<()> {
    if at.computed.is_some() {
        return Err(unsupported(Feature::Computed, "a computed column"));
    }
    if path::is_found(at) {
        Ok(())
    } else {
        Err(unsupported(Feature::JsonPaths, "a path into JSON"))
    }
}

fn predicate(of: &Predicate) -> Result<()> {
    match of {
        Predicate::All(parts) | Predicate::Any(parts) => parts.iter().try_for_each(predicate),
        Predicate::Not(inner) => predicate(inner),
        Predicate::Relate(_, op, _) => Err(unsupported(
            Feature::Containment,
            format_args!("the operator {}", op.word()),
        )),
        Predicate::Search(_, kind, ..) => Err(unsupported(
            Feature::TextSearch,
            format_args!("the operator {}", kind.word()),
        )),
        Predicate::Compare(at, ..) | Predicate::In(at, _) | Predicate::IsDistinct(at, _)
            if path::class(at) == Class::Json =>
        {
            Err(unsupported(Feature::JsonComparisons, "a comparison of JSON"))
        }
        Predicate::Compare(at, ..) | Predicate::In(at, _) | Predicate::Is(at, _) | Predicate::IsDistinct(at, _) => {
            place(at)
        }
        Predicate::Has(_) => Ok(()),
    }
}
