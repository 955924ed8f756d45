//! From an engine's text of a condition. The text is read for its words only: nothing is run.

use sqlparser::ast::{self, BinaryOperator, Expr, SelectItem, SetExpr, TableFactor, UnaryOperator, Value};
use sqlparser::dialect::{Dialect, MySqlDialect, PostgreSqlDialect};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::{Comparison, Condition, Subject};

/// Nesting that is read; what is deeper stays SQL.
const DEPTH: usize = 48;

/// The condition of that text.
pub(in crate::docgen) fn read(text: &str) -> Condition {
    let dialects: [&dyn Dialect; 2] = [&PostgreSqlDialect {}, &MySqlDialect {}];
    let brackets = text.bytes().filter(|byte| *byte == b'(').count();
    let tree = dialects
        .into_iter()
        .filter(|_| brackets < 200)
        .find_map(|dialect| tree(dialect, text));
    tree.map_or_else(|| Condition::Sql(text.to_owned()), |tree| condition(&tree, 0))
}

fn tree(dialect: &dyn Dialect, text: &str) -> Option<Expr> {
    let mut parser = Parser::new(dialect).with_recursion_limit(64).try_with_sql(text).ok()?;
    let tree = parser.parse_expr().ok()?;
    (parser.next_token().token == Token::EOF).then_some(tree)
}

fn condition(expr: &Expr, depth: usize) -> Condition {
    let sql = || Condition::Sql(expr.to_string());
    if depth > DEPTH {
        return sql();
    }
    let next = |expr: &Expr| condition(expr, depth + 1);
    match expr {
        Expr::Nested(inner) => next(inner),
        Expr::Cast { expr, .. } => next(expr),
        Expr::Value(value) => match value.value {
            Value::Boolean(true) => Condition::True,
            Value::Boolean(false) => Condition::False,
            _ => sql(),
        },
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => {
            column(expr).map_or_else(sql, |name| Condition::Truth(name, true))
        }
        Expr::UnaryOp {
            op: UnaryOperator::Not,
            expr,
        } => negated(next(expr)),
        Expr::BinaryOp {
            left,
            op: BinaryOperator::And,
            right,
        } => Condition::All([next(left), next(right)].into_iter().flat_map(all).collect()),
        Expr::BinaryOp {
            left,
            op: BinaryOperator::Or,
            right,
        } => Condition::Any([next(left), next(right)].into_iter().flat_map(any).collect()),
        Expr::BinaryOp { left, op, right } => compared(left, op, right).unwrap_or_else(sql),
        Expr::IsNull(inner) => empty(inner, true).unwrap_or_else(sql),
        Expr::IsNotNull(inner) => empty(inner, false).unwrap_or_else(sql),
        Expr::IsTrue(inner) => column(inner).map_or_else(sql, |name| Condition::Truth(name, true)),
        Expr::IsFalse(inner) => column(inner).map_or_else(sql, |name| Condition::Truth(name, false)),
        Expr::InList { expr, list, negated } => {
            let values = list.iter().map(literal).collect::<Option<Vec<_>>>();
            match (column(expr), values) {
                (Some(name), Some(values)) => Condition::OneOf(name, values, !negated),
                _ => sql(),
            }
        }
        Expr::AnyOp {
            left,
            compare_op: BinaryOperator::Eq,
            right,
            ..
        } => match (column(left), array(right)) {
            (Some(name), Some(values)) => Condition::OneOf(name, values, true),
            _ => sql(),
        },
        Expr::AllOp {
            left,
            compare_op: BinaryOperator::NotEq,
            right,
        } => match (column(left), array(right)) {
            (Some(name), Some(values)) => Condition::OneOf(name, values, false),
            _ => sql(),
        },
        Expr::Between {
            expr,
            negated: false,
            low,
            high,
        } => match (subject(expr), literal(low), literal(high)) {
            (Some(what), Some(low), Some(high)) => Condition::All(vec![
                Condition::Compare(what.clone(), Comparison::AtLeast, low),
                Condition::Compare(what, Comparison::AtMost, high),
            ]),
            _ => sql(),
        },
        Expr::Exists { subquery, negated } => match exists(subquery, depth + 1) {
            Some(found) if *negated => Condition::Not(Box::new(found)),
            Some(found) => found,
            None => sql(),
        },
        _ => sql(),
    }
}

fn all(condition: Condition) -> Vec<Condition> {
    match condition {
        Condition::All(parts) => parts,
        Condition::True => vec![],
        other => vec![other],
    }
}

fn any(condition: Condition) -> Vec<Condition> {
    match condition {
        Condition::Any(parts) => parts,
        other => vec![other],
    }
}

fn negated(condition: Condition) -> Condition {
    match condition {
        Condition::True => Condition::False,
        Condition::False => Condition::True,
        Condition::Truth(name, value) => Condition::Truth(name, !value),
        Condition::Empty(name, value) => Condition::Empty(name, !value),
        Condition::OneOf(name, values, one) => Condition::OneOf(name, values, !one),
        Condition::Not(inner) => *inner,
        other => Condition::Not(Box::new(other)),
    }
}

fn compared(left: &Expr, op: &BinaryOperator, right: &Expr) -> Option<Condition> {
    let how = match op {
        BinaryOperator::Eq => Comparison::Equal,
        BinaryOperator::NotEq => Comparison::Different,
        BinaryOperator::Lt => Comparison::Less,
        BinaryOperator::LtEq => Comparison::AtMost,
        BinaryOperator::Gt => Comparison::More,
        BinaryOperator::GtEq => Comparison::AtLeast,
        _ => return None,
    };
    one_way(left, how, right).or_else(|| one_way(right, how.turned(), left))
}

fn one_way(left: &Expr, how: Comparison, right: &Expr) -> Option<Condition> {
    if how == Comparison::Equal {
        if let (Some(name), Some("uid")) = (column(left), asked(right).as_deref()) {
            return Some(Condition::Own(name));
        }
        if let (Some(what), Some(value)) = (asked(left).or_else(|| claim(left)), literal(right)) {
            return Some(match (what.as_str(), value.as_str()) {
                ("role", "authenticated") => Condition::SignedIn,
                _ => Condition::Claim(what, value),
            });
        }
        if let (Some(name), Some(value)) = (column(left), truth(right)) {
            return Some(Condition::Truth(name, value));
        }
    }
    if let (Some(what), Some(value)) = (subject(left), literal(right)) {
        return Some(Condition::Compare(what, how, value));
    }
    Some(Condition::Columns(qualified(left)?, how, qualified(right)?))
}

fn empty(inner: &Expr, is: bool) -> Option<Condition> {
    if asked(inner).as_deref() == Some("uid") {
        return Some(if is {
            negated(Condition::SignedIn)
        } else {
            Condition::SignedIn
        });
    }
    column(inner).map(|name| Condition::Empty(name, is))
}

/// Without what does not change its meaning.
fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => bare(inner),
        other => other,
    }
}

fn column(expr: &Expr) -> Option<String> {
    match bare(expr) {
        Expr::Identifier(name) => Some(name.value.clone()),
        Expr::CompoundIdentifier(names) => names.last().map(|name| name.value.clone()),
        _ => None,
    }
}

/// A column with its table, where that is said.
fn qualified(expr: &Expr) -> Option<String> {
    match bare(expr) {
        Expr::CompoundIdentifier(names) => {
            let last: Vec<_> = names.iter().rev().take(2).map(|name| name.value.as_str()).collect();
            Some(last.into_iter().rev().collect::<Vec<_>>().join("."))
        }
        other => column(other),
    }
}

/// What is asked about the caller: `uid`, `role`, `email`.
fn asked(expr: &Expr) -> Option<String> {
    match bare(expr) {
        Expr::Function(function) => {
            let name = name_of(&function.name)?;
            let schema = function.name.0.len() > 1;
            (schema && ["uid", "role", "email"].contains(&name.as_str())).then_some(name)
        }
        Expr::Subquery(query) => {
            let SetExpr::Select(select) = &*query.body else {
                return None;
            };
            match (select.projection.as_slice(), select.from.as_slice()) {
                ([SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }], []) => asked(expr),
                _ => None,
            }
        }
        _ => None,
    }
}

/// `auth.jwt() ->> 'name'`
fn claim(expr: &Expr) -> Option<String> {
    let Expr::BinaryOp {
        left,
        op: BinaryOperator::LongArrow,
        right,
    } = bare(expr)
    else {
        return None;
    };
    let function = match bare(left) {
        Expr::Function(function) => function,
        Expr::Subquery(query) => {
            let SetExpr::Select(select) = &*query.body else {
                return None;
            };
            match select.projection.as_slice() {
                [
                    SelectItem::UnnamedExpr(Expr::Function(function))
                    | SelectItem::ExprWithAlias {
                        expr: Expr::Function(function),
                        ..
                    },
                ] => function,
                _ => return None,
            }
        }
        _ => return None,
    };
    (name_of(&function.name)? == "jwt").then(|| literal(right)).flatten()
}

fn name_of(name: &ast::ObjectName) -> Option<String> {
    name.0.last()?.as_ident().map(|name| name.value.to_lowercase())
}

fn subject(expr: &Expr) -> Option<Subject> {
    if let Expr::Function(function) = bare(expr) {
        let lengths = ["length", "char_length", "character_length"];
        let name = name_of(&function.name)?;
        let ast::FunctionArguments::List(arguments) = &function.args else {
            return None;
        };
        let [ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(of))] = arguments.args.as_slice() else {
            return None;
        };
        return lengths
            .contains(&name.as_str())
            .then(|| column(of))
            .flatten()
            .map(Subject::Length);
    }
    column(expr).map(Subject::Column)
}

fn literal(expr: &Expr) -> Option<String> {
    match bare(expr) {
        Expr::Value(value) => match &value.value {
            Value::Number(number, _) => Some(number.clone()),
            Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) => Some(text.clone()),
            _ => None,
        },
        Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr,
        } => literal(expr).map(|number| format!("-{number}")),
        Expr::TypedString(typed) => match &typed.value.value {
            Value::SingleQuotedString(text) => Some(text.clone()),
            _ => None,
        },
        _ => None,
    }
}

fn truth(expr: &Expr) -> Option<bool> {
    match bare(expr) {
        Expr::Value(value) => match value.value {
            Value::Boolean(value) => Some(value),
            _ => None,
        },
        _ => None,
    }
}

fn array(expr: &Expr) -> Option<Vec<String>> {
    match bare(expr) {
        Expr::Array(array) => array.elem.iter().map(literal).collect(),
        Expr::Value(_) => {
            let text = literal(expr)?;
            let inner = text.strip_prefix('{')?.strip_suffix('}')?;
            Some(inner.split(',').map(|part| part.trim_matches('"').to_owned()).collect())
        }
        _ => None,
    }
}

fn exists(query: &ast::Query, depth: usize) -> Option<Condition> {
    let SetExpr::Select(select) = &*query.body else {
        return None;
    };
    let [from] = select.from.as_slice() else { return None };
    let TableFactor::Table { name, alias, .. } = &from.relation else {
        return None;
    };
    let table = name.0.last()?.as_ident()?.value.clone();
    let filter = select.selection.as_ref();
    let mut inner = filter.map_or(Condition::True, |filter| condition(filter, depth));
    if let Some(alias) = alias {
        inner.rename(&format!("{}.", alias.name.value), &format!("{table}."));
    }
    from.joins.is_empty().then(|| Condition::Exists(table, Box::new(inner)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_postgres_prints_is_understood() {
        for (sql, expected) in [
            ("true", "always"),
            (
                "(user_id = ( SELECT auth.uid() AS uid))",
                "`user_id` is the user's own id",
            ),
            ("(plinth.uid() = owner)", "`owner` is the user's own id"),
            (
                "((price >= (0)::numeric) AND (price <= 9.5))",
                "`price` is at least 0 and `price` is at most 9.5",
            ),
            (
                "((rating)::text = ANY ((ARRAY['G'::character varying, 'PG'::character varying])::text[]))",
                "`rating` is one of `G`, `PG`",
            ),
            ("(char_length(title) <= 200)", "`title` has at most 200 characters"),
            (
                "((state = 'done'::state) OR (due IS NULL))",
                "`state` is `done` or `due` is empty",
            ),
            ("(NOT hidden)", "`hidden` is false"),
            (
                "((auth.jwt() ->> 'plan'::text) = 'pro'::text)",
                "the `plan` in the user's token is `pro`",
            ),
            ("(auth.role() = 'authenticated'::text)", "the user is signed in"),
            ("(start_at < end_at)", "`start_at` is less than `end_at`"),
            (
                "(EXISTS ( SELECT 1 FROM members m WHERE ((m.team = teams.id) AND (m.user_id = ( SELECT auth.uid() AS uid)))))",
                "there is a row in `members` where `members.team` equals `teams.id` and `user_id` is the user's own id",
            ),
            (
                "`price` between 1 and 5",
                "`price` is at least 1 and `price` is at most 5",
            ),
            ("lower(a) ~ 'x'", "`lower(a) ~ 'x'` holds"),
            ("not sql (", "`not sql (` holds"),
        ] {
            assert_eq!(read(sql).words(), expected, "{sql}");
        }
    }
}
