//! Rows as text: requests with the replies they must get. `README.md` describes the format.

use http::Method;
use serde_json::{Map, Value};

/// A file of rows.
#[derive(Debug)]
pub struct Suite {
    /// The `rest` settings of the backend that answers them.
    pub rest: Map<String, Value>,
    pub rows: Vec<Row>,
}

/// One situation: a request and its reply, or several in order.
#[derive(Debug)]
pub struct Row {
    pub line: usize,
    pub title: String,
    /// What the backend must be, or must not be (`!`), for the row to hold; all of them.
    pub when: Vec<String>,
    /// The features that an engine must have for the row to hold; one that lacks any refuses the first request.
    pub needs: Vec<String>,
    pub steps: Vec<Step>,
}

/// Names in lower case, and values.
pub type Headers = Vec<(String, String)>;

#[derive(Debug)]
pub struct Step {
    pub caller: Caller,
    pub method: Method,
    pub path: String,
    pub headers: Headers,
    pub body: Option<String>,
    pub expected: Expected,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq)]
pub enum Caller {
    /// No key at all.
    Nobody,
    Anon,
    Service,
    /// An end user of that name, with claims put over the usual ones.
    User(String, Map<String, Value>),
}

#[derive(Debug, Default)]
pub struct Expected {
    pub status: u16,
    pub headers: Vec<HeaderRule>,
    pub body: BodyRule,
}

#[derive(Debug)]
pub enum HeaderRule {
    Is(String, String),
    Contains(String, String),
    Absent(String),
}

#[derive(Debug, Default)]
pub enum BodyRule {
    /// No byte.
    #[default]
    Empty,
    Any,
    /// The same JSON value.
    Json(Value),
    /// JSON with at least these members and elements.
    Subset(Value),
    /// The same text.
    Text(String),
    /// Each of these texts (`true`), none of those (`false`).
    Contains(Vec<(bool, String)>),
}

/// Reads a file.
///
/// # Errors
/// All that is wrong with it, by line.
pub fn parse(text: &str) -> Result<Suite, String> {
    let mut suite = Suite {
        rest: Map::new(),
        rows: Vec::new(),
    };
    let mut defaults = Directives::default();
    let mut wrong = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    let starts: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].starts_with("### ")).collect();
    for (at, line) in lines[..starts.first().copied().unwrap_or(lines.len())]
        .iter()
        .enumerate()
    {
        let taken = match line.strip_prefix("@rest ") {
            Some(json) => serde_json::from_str(json)
                .map(|rest| suite.rest = rest)
                .map_err(|error| error.to_string()),
            None => defaults.take(line),
        };
        wrong.extend(taken.err().map(|why| format!("line {}: {why}", at + 1)));
    }
    for (index, start) in starts.iter().enumerate() {
        let end = starts.get(index + 1).copied().unwrap_or(lines.len());
        let mut reader = Reader {
            lines: &lines[..end],
            at: start + 1,
        };
        match reader.row(lines[*start][4..].trim(), &defaults) {
            Ok(row) => suite.rows.push(Row { line: start + 1, ..row }),
            Err(why) => wrong.push(format!("line {}: {why}", reader.at.min(end))),
        }
    }
    if wrong.is_empty() {
        Ok(suite)
    } else {
        Err(wrong.join("\n"))
    }
}

#[derive(Debug, Clone)]
struct Directives {
    caller: Caller,
    when: Vec<String>,
    needs: Vec<String>,
}

impl Default for Directives {
    fn default() -> Self {
        Self {
            caller: Caller::Anon,
            when: Vec::new(),
            needs: Vec::new(),
        }
    }
}

impl Directives {
    /// Reads `@as …`, `@claims …`, `@when …`, `@needs …`, a comment or an empty line.
    fn take(&mut self, line: &str) -> Result<(), String> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
        match name {
            "@as" => self.caller = caller(rest.trim())?,
            "@claims" => self.claims(rest)?,
            "@needs" => self.needs.extend(rest.split_whitespace().map(str::to_owned)),
            "@when" => self.when.extend(rest.split_whitespace().map(str::to_owned)),
            _ => return Err(format!("{line:?} is no directive")),
        }
        Ok(())
    }

    fn claims(&mut self, text: &str) -> Result<(), String> {
        let Caller::User(_, claims) = &mut self.caller else {
            return Err("@claims needs a user before it: @as alice".to_owned());
        };
        *claims = serde_json::from_str(text).map_err(|error| format!("claims: {error}"))?;
        Ok(())
    }
}

fn caller(name: &str) -> Result<Caller, String> {
    Ok(match name {
        "nobody" => Caller::Nobody,
        "anon" => Caller::Anon,
        "service" => Caller::Service,
        "alice" | "bob" => Caller::User(name.to_owned(), Map::new()),
        _ => return Err(format!("nobody is called {name:?}")),
    })
}

struct Reader<'a> {
    lines: &'a [&'a str],
    at: usize,
}

impl<'a> Reader<'a> {
    fn row(&mut self, title: &str, defaults: &Directives) -> Result<Row, String> {
        let mut directives = defaults.clone();
        let mut steps = Vec::new();
        loop {
            let (step, more) = self.step(&mut directives)?;
            steps.push(step);
            if !more {
                break;
            }
        }
        Ok(Row {
            line: 0,
            title: title.to_owned(),
            when: directives.when,
            needs: directives.needs,
            steps,
        })
    }

    fn next(&mut self) -> Option<&'a str> {
        let line = self.lines.get(self.at).copied();
        self.at += 1;
        line
    }

    /// One step, and whether another one follows.
    fn step(&mut self, directives: &mut Directives) -> Result<(Step, bool), String> {
        let (method, path) = loop {
            let line = self.next().ok_or("the row has no request")?;
            match line.split_once(' ') {
                Some((method, path)) if path.starts_with('/') => break (method, path),
                _ => directives.take(line)?,
            }
        };
        let method = method.parse::<Method>().map_err(|error| error.to_string())?;
        let (headers, expects) = self.headers()?;
        let (body, status) = match expects {
            Some(status) => (None, status),
            None => self.body()?,
        };
        let (rules, more) = self.expected(status)?;
        let step = Step {
            caller: directives.caller.clone(),
            method,
            path: path.trim_end().to_owned(),
            headers,
            body,
            expected: rules,
        };
        Ok((step, more))
    }

    /// Headers up to an empty line, or up to the expected status.
    fn headers(&mut self) -> Result<(Headers, Option<u16>), String> {
        let mut headers = Vec::new();
        loop {
            let line = self.next().ok_or("the row expects nothing: where is `=> status`?")?;
            if line.trim().is_empty() {
                return Ok((headers, None));
            }
            if let Some(status) = line.strip_prefix("=> ") {
                return Ok((headers, Some(number(status)?)));
            }
            let (name, value) = line.split_once(':').ok_or_else(|| format!("{line:?} is no header"))?;
            headers.push((name.trim().to_lowercase(), value.trim().to_owned()));
        }
    }

    /// A request's body, up to the expected status.
    fn body(&mut self) -> Result<(Option<String>, u16), String> {
        let mut body = Vec::new();
        loop {
            let line = self.next().ok_or("the row expects nothing: where is `=> status`?")?;
            if let Some(status) = line.strip_prefix("=> ") {
                let body = body.join("\n").trim_end().to_owned();
                return Ok((Some(body).filter(|body| !body.is_empty()), number(status)?));
            }
            body.push(line);
        }
    }

    fn expected(&mut self, status: u16) -> Result<(Expected, bool), String> {
        let mut expected = Expected {
            status,
            ..Expected::default()
        };
        loop {
            match self.next() {
                None => return Ok((expected, false)),
                Some("---") => return Ok((expected, true)),
                Some(line) if line.trim().is_empty() => break,
                Some(line) => expected.headers.push(header_rule(line)?),
            }
        }
        let mut body = Vec::new();
        let mut more = false;
        while let Some(line) = self.next() {
            if line == "---" {
                more = true;
                break;
            }
            body.push(line);
        }
        expected.body = body_rule(body.join("\n").trim_end())?;
        Ok((expected, more))
    }
}

fn number(text: &str) -> Result<u16, String> {
    text.trim().parse().map_err(|_| format!("{text:?} is no status"))
}

fn header_rule(line: &str) -> Result<HeaderRule, String> {
    if let Some(name) = line.strip_prefix('!') {
        return Ok(HeaderRule::Absent(name.trim().to_lowercase()));
    }
    let at = line
        .find([':', '~'])
        .ok_or_else(|| format!("{line:?} is no rule for a header"))?;
    let (name, value) = (line[..at].trim().to_lowercase(), line[at + 1..].trim().to_owned());
    Ok(if line[at..].starts_with('~') {
        HeaderRule::Contains(name, value)
    } else {
        HeaderRule::Is(name, value)
    })
}

fn body_rule(text: &str) -> Result<BodyRule, String> {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let json = |text: &str| serde_json::from_str(text).map_err(|error| format!("the expected body: {error}"));
    Ok(match first.trim() {
        "" => BodyRule::Empty,
        "<any>" => BodyRule::Any,
        "<text>" => BodyRule::Text(rest.to_owned()),
        "<subset>" => BodyRule::Subset(json(rest)?),
        "<contains>" => BodyRule::Contains(
            rest.lines()
                .map(|line| match line.strip_prefix("! ") {
                    Some(absent) => (false, absent.to_owned()),
                    None => (true, line.to_owned()),
                })
                .collect(),
        ),
        _ => BodyRule::Json(json(text)?),
    })
}
