//! What is drawn. Few different values, so that filters match some rows; texts full of what the grammar must quote.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value};

use super::{BoolTest, Filter, IntColumn, Op, Order, Row, SetOp, Test};

fn int() -> impl Strategy<Value = i32> + Clone {
    prop_oneof![8 => -3..4_i32, 1 => Just(i32::MIN), 1 => Just(i32::MAX)]
}

fn text() -> impl Strategy<Value = String> + Clone {
    const WORDS: &[&str] = &[
        "",
        " ",
        "a",
        "A",
        "b",
        "ab",
        "aB",
        "null",
        "NULL",
        "true",
        "é",
        ",",
        ".",
        ":",
        "(",
        ")",
        "(a,b)",
        "\"",
        "\\",
        "'",
        "''",
        "{",
        "}",
        "{a,b}",
        "*",
        "%",
        "_",
        "a_b",
        "a%b",
        "eq.a",
        "not.eq.a",
        "a b",
        "+",
        "&",
        "=",
        "#",
        "?",
        "%2C",
        "$1",
        "--",
        "/*",
        ";",
        "\n",
        "\t",
        "or(a.eq.1)",
        "\"a\",\"b\"",
        "💥",
    ];
    let few = select(&["a", "A", "b", "ab", "a,b", "\"", "\\"][..]).prop_map(str::to_owned);
    let any = select(WORDS).prop_map(str::to_owned);
    let two = (select(WORDS), select(WORDS)).prop_map(|(one, two)| format!("{one}{two}"));
    prop_oneof![5 => few, 4 => any, 2 => two]
}

/// A pattern that does not end in the middle of an escape.
fn pattern() -> impl Strategy<Value = String> {
    let piece = select(&["a", "A", "b", "*", "%", "_", "\\%", "\\_", "\\\\", "é", ",", "\"", " "][..]);
    vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

fn object() -> impl Strategy<Value = Map<String, Value>> {
    let word = prop_oneof![4 => text().prop_map(Value::from), 1 => Just(Value::Null)];
    let number = prop_oneof![4 => int().prop_map(Value::from), 1 => Just(Value::Null)];
    (option::of(word), option::of(number)).prop_map(|(k, n)| {
        let members = [("k", k), ("n", n)];
        let members = members
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        members.collect()
    })
}

pub(super) fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (
        option::weighted(0.8, int()),
        option::weighted(0.8, int()),
        option::weighted(0.8, text()),
        option::of(any::<bool>()),
        option::weighted(0.8, vec(text(), 0..4)),
        option::weighted(0.8, vec(int(), 0..4)),
        option::weighted(0.8, object()),
    );
    let row = row.prop_map(|(a, b, t, f, tags, nums, j)| Row {
        a,
        b,
        t,
        f,
        tags,
        nums,
        j,
    });
    vec(row, 40..80)
}

fn order() -> impl Strategy<Value = Order> {
    use Order::*;
    select(&[Eq, Neq, Gt, Gte, Lt, Lte][..])
}

fn op<T: Clone + std::fmt::Debug + 'static>(
    value: impl Strategy<Value = T> + Clone + 'static,
) -> impl Strategy<Value = Op<T>> {
    // `neq` takes no quantifier.
    let each = order().prop_filter("neq", |order| *order != Order::Neq);
    prop_oneof![
        4 => (order(), value.clone()).prop_map(|(order, value)| Op::Compare(order, value)),
        1 => (each, any::<bool>(), vec(value.clone(), 0..4)).prop_map(|(order, any, all)| Op::Each(order, any, all)),
        2 => vec(value.clone(), 0..5).prop_map(Op::In),
        1 => value.prop_map(Op::Distinct),
    ]
}

fn test() -> impl Strategy<Value = Test> {
    let column = select(&[IntColumn::A, IntColumn::B][..]);
    let set_op = || select(&[SetOp::Eq, SetOp::Contains, SetOp::ContainedBy, SetOp::Overlaps][..]);
    let bool_test = prop_oneof![
        any::<bool>().prop_map(BoolTest::Eq),
        option::of(any::<bool>()).prop_map(BoolTest::Is),
    ];
    let columns = select(&["a", "b", "t", "f", "tags", "nums", "j", "j->k", "j->>k", "j->n"][..]);
    prop_oneof![
        3 => (column, op(int())).prop_map(|(column, op)| Test::Int(column, op)),
        3 => op(text()).prop_map(Test::Text),
        2 => (any::<bool>(), pattern()).prop_map(|(fold, pattern)| Test::Like { fold, pattern }),
        1 => bool_test.prop_map(Test::Bool),
        1 => (columns, any::<bool>()).prop_map(|(column, not_null)| Test::IsNull { column, not_null }),
        2 => (set_op(), vec(text(), 0..3)).prop_map(|(op, all)| Test::Tags(op, all)),
        1 => (set_op(), vec(int(), 0..3)).prop_map(|(op, all)| Test::Nums(op, all)),
        1 => op(text()).prop_map(Test::JsonText),
        1 => (any::<bool>(), any::<bool>(), int())
            .prop_map(|(distinct, equal, value)| Test::JsonNumber { distinct, equal, value }),
        1 => (any::<bool>(), object()).prop_map(|(contains, value)| Test::Json { contains, value }),
    ]
}

fn filter() -> impl Strategy<Value = Filter> {
    let leaf = (any::<bool>(), test()).prop_map(|(not, test)| Filter::Test { not, test });
    leaf.prop_recursive(3, 12, 4, |inner| {
        let parts = vec(inner, 1..4);
        (any::<bool>(), any::<bool>(), parts).prop_map(|(not, any, parts)| Filter::Group { not, any, parts })
    })
}

/// All of them must hold.
pub(super) fn filters() -> impl Strategy<Value = Vec<Filter>> {
    vec(filter(), 0..3)
}
