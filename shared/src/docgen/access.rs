//! Who may do what to a table's rows, in words.

use super::condition::{Condition, read};
use super::facts::{AccessFacts, PolicyFacts, Rights, TableFacts};
use crate::schema::policy::Command;

/// Which rows somebody may do something to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reach {
    None,
    All,
    Some(Condition),
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    Anyone,
    SignedIn,
    Secret,
}

const COMMANDS: [(Command, &str); 4] = [
    (Command::Select, "read"),
    (Command::Insert, "add"),
    (Command::Update, "change"),
    (Command::Delete, "delete"),
];

/// What the caller may do at all: what is granted, as far as the table takes it.
pub(super) fn rights(table: &TableFacts, caller: Caller) -> Rights {
    let granted = match caller {
        Caller::Anyone => table.access.anyone,
        Caller::SignedIn => table.access.signed_in,
        Caller::Secret => table.access.secret,
    };
    granted.and(Rights {
        select: true,
        ..table.writable
    })
}

/// The rows that the caller reaches with that command.
pub(super) fn reach(table: &TableFacts, caller: Caller, command: Command) -> Reach {
    if !rights(table, caller).may(command) {
        return Reach::None;
    }
    if !table.access.row_security || caller == Caller::Secret && table.access.secret_unbound {
        return Reach::All;
    }
    of_policies(&table.access, caller, command)
}

fn of_policies(access: &AccessFacts, caller: Caller, command: Command) -> Reach {
    let concerns = |policy: &&PolicyFacts| {
        let whom = match caller {
            Caller::Anyone => policy.anyone,
            Caller::SignedIn => policy.signed_in,
            Caller::Secret => policy.secret,
        };
        whom && (policy.command == command || policy.command == Command::All)
    };
    let condition = |policy: &PolicyFacts| {
        let text = match command {
            Command::Insert => policy.check.as_deref().or(policy.using.as_deref()),
            _ => policy.using.as_deref(),
        };
        text.map_or(Condition::True, read)
    };
    let (narrowing, allowing): (Vec<_>, Vec<_>) =
        access.policies.iter().filter(concerns).partition(|it| it.restrictive);
    if allowing.is_empty() {
        return Reach::None;
    }
    let mut alternatives: Vec<Condition> = Vec::new();
    for found in allowing.into_iter().map(condition) {
        if !alternatives.contains(&found) {
            alternatives.push(found);
        }
    }
    alternatives.retain(|condition| *condition != Condition::False);
    let mut all = match alternatives.len() {
        0 => return Reach::None,
        _ if alternatives.contains(&Condition::True) => vec![],
        1 => alternatives,
        _ => vec![Condition::Any(alternatives)],
    };
    all.extend(
        narrowing
            .into_iter()
            .map(condition)
            .filter(|condition| *condition != Condition::True),
    );
    match all.len() {
        0 => Reach::All,
        1 => Reach::Some(all.remove(0)),
        _ => Reach::Some(Condition::All(all)),
    }
}

/// Sentences, in the order of who may least.
pub(super) fn sentences(table: &TableFacts) -> Vec<String> {
    let reaches = |caller| COMMANDS.map(|(command, _)| reach(table, caller, command));
    let (anyone, signed_in) = (reaches(Caller::Anyone), reaches(Caller::SignedIn));
    let mut said = Vec::new();
    if anyone == signed_in {
        said.extend(of("Everybody", &anyone));
    } else {
        let both = |at: usize| anyone[at] == signed_in[at];
        let mut shared = [const { Reach::None }; 4];
        let (mut alone, mut users) = (shared.clone(), shared.clone());
        for at in 0..COMMANDS.len() {
            if both(at) {
                shared[at] = anyone[at].clone();
            } else {
                alone[at] = anyone[at].clone();
                users[at] = signed_in[at].clone();
            }
        }
        said.extend(of("Everybody", &shared));
        said.extend(of("Somebody who is not signed in", &alone));
        said.extend(of("Signed-in users", &users));
    }
    said.extend(of_secret(table, said.is_empty()));
    said
}

fn of_secret(table: &TableFacts, only: bool) -> Vec<String> {
    let reaches = COMMANDS.map(|(command, _)| reach(table, Caller::Secret, command));
    if reaches.iter().all(|reach| *reach == Reach::All) {
        let who = if only {
            "Only a secret key reaches it: it"
        } else {
            "A secret key"
        };
        return vec![format!("{who} may do everything.")];
    }
    let told = of(if only { "It" } else { "A secret key" }, &reaches);
    match (told.is_empty(), only) {
        (true, true) => vec!["Nobody reaches its rows through the API.".to_owned()],
        (true, false) => vec!["A secret key reaches no rows here.".to_owned()],
        (false, true) => std::iter::once("Only a secret key reaches it.".to_owned())
            .chain(told)
            .collect(),
        (false, false) => told,
    }
}

/// One sentence for each group of commands that reach the same rows.
fn of(who: &str, reaches: &[Reach; 4]) -> Vec<String> {
    let mut groups: Vec<(&Reach, Vec<&str>)> = Vec::new();
    for (reach, (_, verb)) in reaches.iter().zip(COMMANDS) {
        match groups.iter_mut().find(|(known, _)| *known == reach) {
            Some((_, verbs)) => verbs.push(verb),
            None => groups.push((reach, vec![verb])),
        }
    }
    let told = groups.into_iter().filter_map(|(reach, verbs)| {
        let verbs = listed(&verbs, "and");
        match reach {
            Reach::None => None,
            Reach::All => Some(format!("{who} may {verbs} all rows.")),
            Reach::Some(condition) => Some(format!("{who} may {verbs} rows where {}.", condition.words())),
        }
    });
    told.collect()
}

/// "a, b and c".
pub(super) fn listed(parts: &[impl AsRef<str>], last: &str) -> String {
    match parts {
        [] => String::new(),
        [only] => only.as_ref().to_owned(),
        [before @ .., end] => {
            let before: Vec<_> = before.iter().map(AsRef::as_ref).collect();
            format!("{} {last} {}", before.join(", "), end.as_ref())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(command: Command, anyone: bool, using: Option<&str>, check: Option<&str>) -> PolicyFacts {
        PolicyFacts {
            name: "p".to_owned(),
            command,
            restrictive: false,
            anyone,
            signed_in: true,
            secret: false,
            using: using.map(str::to_owned),
            check: check.map(str::to_owned),
        }
    }

    fn table(anyone: Rights, signed_in: Rights, policies: Vec<PolicyFacts>) -> TableFacts {
        TableFacts {
            access: AccessFacts {
                row_security: true,
                secret_unbound: true,
                anyone,
                signed_in,
                secret: Rights::ALL,
                policies,
            },
            writable: Rights::ALL,
            ..TableFacts::default()
        }
    }

    const READ: Rights = Rights {
        select: true,
        insert: false,
        update: false,
        delete: false,
    };

    #[test]
    fn policies_are_told_by_who_may_what() {
        let own = "(user_id = ( SELECT auth.uid() AS uid))";
        let posts = table(
            READ,
            Rights::ALL,
            vec![
                policy(Command::Select, true, Some("true"), None),
                policy(Command::All, false, Some(own), Some(own)),
            ],
        );
        assert_eq!(
            sentences(&posts),
            [
                "Everybody may read all rows.",
                "Signed-in users may add, change and delete rows where `user_id` is the user's own id.",
                "A secret key may do everything."
            ]
        );
        let closed = table(Rights::default(), Rights::default(), vec![]);
        assert_eq!(
            sentences(&closed),
            ["Only a secret key reaches it: it may do everything."]
        );
        let mut open = table(READ, READ, vec![]);
        assert_eq!(
            sentences(&open)[0],
            "Only a secret key reaches it: it may do everything.",
            "granted, but no policy"
        );
        open.access.row_security = false;
        assert_eq!(sentences(&open)[0], "Everybody may read all rows.");
    }

    #[test]
    fn a_restrictive_policy_narrows_what_others_allow() {
        let mut narrow = policy(Command::Select, true, Some("(NOT hidden)"), None);
        narrow.restrictive = true;
        let found = table(
            READ,
            READ,
            vec![policy(Command::Select, true, Some("true"), None), narrow],
        );
        assert_eq!(sentences(&found)[0], "Everybody may read rows where `hidden` is false.");
    }
}
