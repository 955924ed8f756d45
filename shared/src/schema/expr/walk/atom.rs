//! Literals and operators that may be written.

use sqlparser::ast::{BinaryOperator, UnaryOperator, Value};

use super::{Expr, Result, refused, short};

pub(super) fn literal(value: &Value) -> Result<Expr> {
    match value {
        Value::SingleQuotedString(text) => Ok(Expr::Text(text.clone())),
        Value::Number(digits, false) if is_number(digits) => Ok(Expr::Number(digits.clone())),
        Value::Boolean(value) => Ok(Expr::Bool(*value)),
        Value::Null => Ok(Expr::Null),
        other => Err(refused(format!("The literal {}", short(&other.to_string())))
            .hint("Write texts as 'text' and numbers in digits")),
    }
}

/// Digits, one point, an exponent: what means the same to every version of Postgres.
fn is_number(text: &str) -> bool {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    text.len() <= 64
        && digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && (1..=3).contains(&exponent.len())
        && digits(exponent)
}

pub(super) fn unary(operator: UnaryOperator) -> Result<&'static str> {
    match operator {
        UnaryOperator::Not => Ok("not"),
        UnaryOperator::Minus => Ok("-"),
        UnaryOperator::Plus => Ok("+"),
        other => Err(refused(format!("The operator {other}"))),
    }
}

pub(super) fn binary(operator: &BinaryOperator) -> Result<&'static str> {
    use BinaryOperator as B;
    Ok(match operator {
        B::Plus => "+",
        B::Minus => "-",
        B::Multiply => "*",
        B::Divide => "/",
        B::Modulo => "%",
        B::StringConcat => "||",
        B::Gt => ">",
        B::Lt => "<",
        B::GtEq => ">=",
        B::LtEq => "<=",
        B::Eq => "=",
        B::NotEq => "<>",
        B::And => "and",
        B::Or => "or",
        B::PGOverlap => "&&",
        B::Arrow => "->",
        B::LongArrow => "->>",
        B::HashArrow => "#>",
        B::HashLongArrow => "#>>",
        B::AtArrow => "@>",
        B::ArrowAt => "<@",
        B::Question => "?",
        B::QuestionAnd => "?&",
        B::QuestionPipe => "?|",
        other => return Err(refused(format!("The operator {}", short(&other.to_string())))),
    })
}
