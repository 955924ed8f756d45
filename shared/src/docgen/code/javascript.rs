//! JavaScript, by supabase-js.

use serde_json::Value;

use crate::docgen::facts::Facts;

use super::{Call, Embed, Own, PUBLISHABLE, Read, Task, Write, object, variable};

pub(super) fn code(facts: &Facts, task: &Task<'_>) -> String {
    match task {
        Task::Read(read) => self::read(facts, read),
        Task::Embed(embed) => self::embed(facts, embed),
        Task::Write(write) => self::write(facts, write),
        Task::Call(call) => self::call(facts, call),
        Task::Own(own) => self::own(facts, own),
    }
}

fn client(facts: &Facts, variable: &str) -> String {
    let schema = facts.backend.schema.as_deref();
    let options = schema.map(|schema| format!(",\n  {{ db: {{ schema: {} }} }},\n", text(schema)));
    let (open, between, close) = match &options {
        Some(options) => ("\n  ", ",\n  ", options.as_str()),
        None => ("", ", ", ""),
    };
    format!(
        "import {{ createClient }} from '@supabase/supabase-js'\n\n\
         const supabase = createClient({open}{}{between}process.env.{variable}{close})\n",
        text(&facts.project.url)
    )
}

fn read(facts: &Facts, read: &Read<'_>) -> String {
    let table = text(&read.table.name);
    format!(
        "{}
const {{ data, error }} = await supabase.from({table}).select('*').limit(5)
if (error) throw error
console.log(data)",
        client(facts, variable(read.secret))
    )
}

fn embed(facts: &Facts, embed: &Embed<'_>) -> String {
    let Embed {
        table,
        column,
        other,
        other_column,
        ..
    } = embed;
    format!(
        "{}
const {{ data, error }} = await supabase
  .from({})
  .select({})
  .limit(5)
if (error) throw error
console.log(data)",
        client(facts, variable(embed.secret)),
        text(&table.name),
        text(&format!("{column}, {}({other_column})", other.name))
    )
}

fn write(facts: &Facts, write: &Write<'_>) -> String {
    let (table, key) = (text(&write.table.name), text(write.key));
    let row = object(&write.values, &[], false, value);
    let change = write.change.as_ref().map(|changed| {
        let changed = object(std::slice::from_ref(changed), &[], false, value);
        format!(
            "
// Change it.
const changed = await supabase.from({table}).update({changed}).eq({key}, added.data.{0})
if (changed.error) throw changed.error
",
            write.key
        )
    });
    format!(
        "{}
// Add a row; .select().single() asks for it back.
const added = await supabase.from({table}).insert({row}).select().single()
if (added.error) throw added.error
console.log('added', added.data)
{}
// Delete it again.
const deleted = await supabase.from({table}).delete().eq({key}, added.data.{})
if (deleted.error) throw deleted.error",
        client(facts, variable(true)),
        change.unwrap_or_default(),
        write.key
    )
}

fn call(facts: &Facts, call: &Call<'_>) -> String {
    let arguments = match call.arguments.as_slice() {
        [] => String::new(),
        some => format!(", {}", object(some, &[], false, value)),
    };
    format!(
        "{}
const {{ data, error }} = await supabase.rpc({}{arguments})
if (error) throw error
console.log(data)",
        client(facts, variable(call.secret)),
        text(&call.function.name)
    )
}

fn own(facts: &Facts, own: &Own<'_>) -> String {
    let columns: Vec<_> = own
        .columns
        .iter()
        .map(|column| (column.as_str(), "user.data.user.id"))
        .collect();
    format!(
        "{}
// Sign somebody up. From here on the client speaks for them.
const user = await supabase.auth.signUp({{ email: `ada.${{Date.now()}}@example.com`, password: 'correct horse battery' }})
if (user.error) throw user.error

// Add a row that is theirs, and read it back.
const {{ data, error }} = await supabase.from({}).insert({}).select()
if (error) throw error
console.log(data)",
        client(facts, PUBLISHABLE),
        text(&own.table.name),
        object(&own.values, &columns, false, value)
    )
}

fn text(raw: &str) -> String {
    let escaped: String = raw
        .chars()
        .flat_map(|c| match c {
            '\\' | '\'' => vec!['\\', c],
            c if c.is_control() => vec![' '],
            c => vec![c],
        })
        .collect();
    format!("'{escaped}'")
}

/// JSON is JavaScript.
fn value(value: &Value) -> String {
    value.to_string()
}
