//! What no REST API can do for us, found in the plan. What only this one cannot is found where requests are made.

use super::super::Feature;
use super::super::plan::{Action, Expression, From, Node, Plan, RowAccess};
use super::super::request::{CountKind, Format, TxEnd};
use super::unsupported;
use crate::error::{Error, Result};

/// Whether a plan is of the kind that can be asked of an API.
///
/// # Errors
/// 501 `PGRST127`, its details naming the feature.
pub(super) fn refuse(plan: &Plan) -> Result<()> {
    if !matches!(plan.rows, RowAccess::All) {
        // Whose rows they are no API is asked for; such callers are kept out before.
        return Err(Error::internal("row rules on a REST API"));
    }
    let accept = &plan.accept;
    let writes = !plan.method.is_read();
    let plans = plan.prefer.count == Some(CountKind::Planned);
    let rolls_back = plan.prefer.tx == Some(TxEnd::Rollback);
    let raw = matches!(accept.format, Format::Raw(_));
    let features = [
        (matches!(plan.action, Action::Call(_)), Feature::Functions, "a function"),
        (accept.strip_nulls, Feature::StripNulls, "nulls=stripped"),
        (accept.explain.is_some(), Feature::Explain, "the plan of a statement"),
        (raw, Feature::SingleValue, "a single value"),
        (plans, Feature::CountPlanned, "count=planned"),
        (rolls_back && writes, Feature::Rollback, "tx=rollback"),
        (
            plan.prefer.max_affected == Some(0),
            Feature::WriteByFilter,
            "max-affected=0",
        ),
        (plan.shown.is_grouped(), Feature::Aggregates, "an aggregate"),
        (!plan.shown.embeds.is_empty(), Feature::Embeds, "an embed"),
    ];
    if let Some((_, feature, what)) = features.iter().find(|(asked, ..)| *asked) {
        return Err(unsupported(*feature, what));
    }
    node(&plan.shown)
}

fn node(of: &Node) -> Result<()> {
    if of.everything || matches!(of.from, From::Computed(_) | From::Called) {
        return Err(unsupported(Feature::Computed, "a function of a row"));
    }
    for output in &of.outputs {
        let (feature, what) = match &output.expression {
            Expression::Aggregate(_) => (Feature::Aggregates, "an aggregate"),
            Expression::Place(place) if place.computed.is_some() => (Feature::Computed, "a computed column"),
            Expression::Place(place) if !place.path.is_empty() => (Feature::JsonPaths, "a path into JSON"),
            Expression::Place(_) if output.cast.is_some() => (Feature::Casts, "a cast"),
            Expression::Place(_) => continue,
        };
        return Err(unsupported(feature, what));
    }
    Ok(())
}
