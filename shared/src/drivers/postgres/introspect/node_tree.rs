//! Reads which table columns a view's columns are, from the view's stored query.
//!
//! Postgres keeps a query as a tree of nodes, printed as `{NODE :field value …}` with lists in parentheses; in names,
//! what has a meaning there is escaped by a backslash. The parser notes at each entry of the target list the table and
//! column that it comes from, through joins, subqueries and common table expressions (`resorigtbl`, `resorigcol`).
//! Those few numbers are all that is read, so it does not matter what else a version of Postgres prints.

/// One column of a view that is a column of a relation (of a table, or of another view).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Origin {
    /// The view's column, counted from 1.
    pub(super) column: i16,
    /// The relation's oid.
    pub(super) relation: u32,
    /// Its column, counted from 1.
    pub(super) origin: i16,
}

/// Nodes this deep are an entry of the query's own target list.
const ENTRY: usize = 2;

/// The origins of a view's columns, in order, given its rule's action. What cannot be read is passed over.
pub(super) fn origins(action: &str) -> Vec<Origin> {
    let mut found = Vec::new();
    let mut depth = 0_usize;
    let mut in_targets = false;
    let mut entry = Entry::default();
    let mut tokens = Tokens(action);
    while let Some(token) = tokens.next() {
        match token {
            "{" => {
                depth += 1;
                if depth == ENTRY {
                    entry = Entry::default();
                }
            }
            "}" => {
                if depth == ENTRY && in_targets {
                    found.extend(entry.origin());
                }
                depth = depth.saturating_sub(1);
            }
            field if depth == ENTRY - 1 && field.starts_with(':') => in_targets = field == ":targetList",
            field if depth == ENTRY && in_targets => entry.read(field, &mut tokens),
            _ => {}
        }
    }
    found
}

/// What was read of one entry.
#[derive(Default)]
struct Entry {
    column: Option<i16>,
    relation: Option<u32>,
    origin: Option<i16>,
}

impl Entry {
    /// A column may be called like a field: then no number follows, and the field itself comes later or was read before.
    fn read(&mut self, field: &str, tokens: &mut Tokens<'_>) {
        let mut value = tokens.clone();
        let number = match field {
            ":resno" => value
                .next()
                .and_then(|text| text.parse().ok())
                .map(|it| self.column = Some(it)),
            ":resorigtbl" => value
                .next()
                .and_then(|text| text.parse().ok())
                .map(|it| self.relation = Some(it)),
            ":resorigcol" => value
                .next()
                .and_then(|text| text.parse().ok())
                .map(|it| self.origin = Some(it)),
            _ => None,
        };
        if number.is_some() {
            *tokens = value;
        }
    }

    fn origin(&self) -> Option<Origin> {
        let origin = Origin {
            column: self.column?,
            relation: self.relation?,
            origin: self.origin?,
        };
        (origin.relation != 0 && origin.origin > 0).then_some(origin)
    }
}

/// Braces, and the words between spaces, braces and parentheses.
#[derive(Clone)]
struct Tokens<'a>(&'a str);

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.0.trim_start_matches([' ', '(', ')', '\n']);
        let end = match rest.as_bytes().first()? {
            b'{' | b'}' => 1,
            _ => word_end(rest),
        };
        let (token, after) = rest.split_at(end);
        self.0 = after;
        Some(token)
    }
}

/// All that ends a word is ASCII, so the end is one of a character too.
fn word_end(text: &str) -> usize {
    let mut escaped = false;
    let end = text.bytes().position(|byte| {
        let ends = !escaped && matches!(byte, b' ' | b'(' | b')' | b'{' | b'}' | b'\n');
        escaped = !escaped && byte == b'\\';
        ends
    });
    end.unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(action: &str) -> Vec<(i16, u32, i16)> {
        let told = |origin: &Origin| (origin.column, origin.relation, origin.origin);
        origins(action).iter().map(told).collect()
    }

    #[test]
    fn origins_are_those_of_the_outer_target_list() {
        let action = r#"({QUERY :commandType 1 :rtable ({RANGETBLENTRY :eref {ALIAS :aliasname a :colnames ("a,\{b" "n")} :subquery {QUERY :targetList ({TARGETENTRY :expr {VAR :varno 1} :resno 7 :resname x :ressortgroupref 0 :resorigtbl 99 :resorigcol 9 :resjunk false}) :override 0}}) :jointree {FROMEXPR :fromlist ({RANGETBLREF :rtindex 3}) :quals <>} :targetList ({TARGETENTRY :expr {VAR :varno 3} :resno 1 :resname a,\{b :ressortgroupref 0 :resorigtbl 16404 :resorigcol 1 :resjunk false} {TARGETENTRY :expr {SUBLINK :subselect {QUERY :targetList ({TARGETENTRY :resno 1 :resname m :resorigtbl 5 :resorigcol 5 :resjunk false})}} :resno 2 :resname m :ressortgroupref 0 :resorigtbl 0 :resorigcol 0 :resjunk false} {TARGETENTRY :expr {VAR :varno 3} :resno 3 :resname b\ \} :ressortgroupref 0 :resorigtbl 16405 :resorigcol 12 :resjunk false}) :override 0 :sortClause <> :stmt_len 66})"#;
        assert_eq!(told(action), [(1, 16404, 1), (3, 16405, 12)]);
    }

    #[test]
    fn columns_called_like_fields_do_not_confuse() {
        let entry = |name: &str| {
            format!(
                "({{QUERY :targetList ({{TARGETENTRY :expr {{VAR :varno 1}} :resno 1 :resname {name} :ressortgroupref 0 :resorigtbl 10 :resorigcol 2 :resjunk false}}) :override 0}})"
            )
        };
        for name in [
            ":resorigtbl",
            ":resno",
            ":targetList",
            r"\ :resorigtbl\ 5",
            r"\\",
            r"\{TARGETENTRY",
            "é\\ ü",
            r#"\""#,
        ] {
            assert_eq!(told(&entry(name)), [(1, 10, 2)], "{name}");
        }
    }

    #[test]
    fn what_is_no_tree_has_no_origins() {
        for text in [
            "",
            "}}}{{{",
            "({QUERY :targetList <> :x 1})",
            ":targetList {:resno",
            "\\",
            "{ {:resno 1",
        ] {
            assert_eq!(told(text), [], "{text}");
        }
    }
}
