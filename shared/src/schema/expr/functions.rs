//! The functions an expression may call. Each is harmless in any argument: no catalogs, no settings, no text that is
//! run, nothing that reads other rows.

/// How a function is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A function of `pg_catalog`, called by its qualified name.
    Function,
    /// Grammar that looks like a function: `coalesce(…)`.
    Syntax,
    /// Grammar without parentheses: `current_date`.
    Keyword,
}

/// A function an expression may call.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name, lower-case.
    pub name: &'static str,
    /// Fewest and most arguments.
    pub arguments: (usize, usize),
    /// How it is written.
    pub form: Form,
}

const MANY: usize = 64;

const fn function(name: &'static str, least: usize, most: usize) -> Function {
    Function {
        name,
        arguments: (least, most),
        form: Form::Function,
    }
}

const fn syntax(name: &'static str, least: usize, most: usize) -> Function {
    Function {
        name,
        arguments: (least, most),
        form: Form::Syntax,
    }
}

const fn keyword(name: &'static str) -> Function {
    Function {
        name,
        arguments: (0, 0),
        form: Form::Keyword,
    }
}

/// All of them, by name.
pub const FUNCTIONS: &[Function] = &[
    function("abs", 1, 1),
    function("array_length", 2, 2),
    function("array_position", 2, 2),
    function("btrim", 1, 2),
    function("cardinality", 1, 1),
    function("ceil", 1, 1),
    function("char_length", 1, 1),
    syntax("coalesce", 1, MANY),
    keyword("current_date"),
    keyword("current_timestamp"),
    function("date_part", 2, 2),
    function("date_trunc", 2, 3),
    function("floor", 1, 1),
    function("gen_random_uuid", 0, 0),
    syntax("greatest", 1, MANY),
    function("json_array_length", 1, 1),
    function("json_typeof", 1, 1),
    function("jsonb_array_length", 1, 1),
    function("jsonb_typeof", 1, 1),
    syntax("least", 1, MANY),
    function("left", 2, 2),
    function("length", 1, 1),
    keyword("localtime"),
    keyword("localtimestamp"),
    function("lower", 1, 1),
    function("ltrim", 1, 2),
    function("mod", 2, 2),
    function("now", 0, 0),
    syntax("nullif", 2, 2),
    function("octet_length", 1, 1),
    function("power", 2, 2),
    function("right", 2, 2),
    function("round", 1, 2),
    function("rtrim", 1, 2),
    function("sign", 1, 1),
    function("split_part", 3, 3),
    function("starts_with", 2, 2),
    function("strpos", 2, 2),
    function("substr", 2, 3),
    function("trunc", 1, 2),
    function("upper", 1, 1),
];

/// Fields `extract` takes.
pub const FIELDS: &[&str] = &[
    "day", "dow", "doy", "epoch", "hour", "isodow", "isoyear", "minute", "month", "quarter", "second", "week", "year",
];

/// The function of that name.
pub fn find(name: &str) -> Option<&'static Function> {
    let name = match name {
        "character_length" => "char_length",
        "ceiling" => "ceil",
        "trim" => "btrim",
        other => other,
    };
    FUNCTIONS.iter().find(|function| function.name == name)
}
