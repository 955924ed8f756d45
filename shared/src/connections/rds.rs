//! What of `credentials` only RDS and Aurora have: an engine, and IAM in a password's place.

use super::Provider;
use super::section::Section;
use crate::tenancy::{Family, IamLogin};

/// What the database speaks: of RDS, its engine decides.
pub(super) fn family(provider: Provider, section: &mut Section<'_, '_>) -> Family {
    match (provider, section.text("engine")) {
        (Provider::AwsRds, Some("mysql" | "mariadb")) => Family::MySql,
        (Provider::AwsRds, Some(engine)) if engine != "postgres" => {
            section.fault("engine", "postgres, mysql or mariadb is expected");
            Family::Postgres
        }
        _ => provider.family(),
    }
}

/// Who signs in to RDS with a token in a password's place.
pub(super) fn iam(provider: Provider, section: &mut Section<'_, '_>) -> Option<IamLogin> {
    if provider != Provider::AwsRds {
        return None;
    }
    match section.text("auth") {
        None | Some("password") => {
            for name in ["region", "roleArn"] {
                if section.value(name).is_some() {
                    section.fault(name, "it belongs to auth iam");
                }
            }
            return None;
        }
        Some("iam") => {}
        Some(_) => {
            section.fault("auth", "password or iam is expected");
            return None;
        }
    }
    if section.value("region").is_none() {
        section.fault("region", "it is missing: a token is signed for one region");
    }
    let region = section.parsed("region", region);
    Some(IamLogin {
        region: region.unwrap_or_default(),
        role_arn: section.parsed("roleArn", role_arn),
    })
}

/// `eu-central-1`. It becomes a part of the host name that a role is asked for at.
fn region(text: &str) -> Result<String, String> {
    let mut parts = text.split('-');
    let letters = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    let number = |part: &str| !part.is_empty() && part.len() <= 2 && part.bytes().all(|b| b.is_ascii_digit());
    let last = parts.next_back().is_some_and(number);
    if last && text.len() <= 32 && text.contains('-') && parts.all(letters) {
        return Ok(text.to_owned());
    }
    Err("a region such as eu-central-1 is expected".to_owned())
}

fn role_arn(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let fits = match parts[..] {
        ["arn", partition, "iam", "", account, role] => {
            let of_role = |b: u8| b.is_ascii_alphanumeric() || b"/_+=,.@-".contains(&b);
            partition.starts_with("aws")
                && account.len() == 12
                && account.bytes().all(|b| b.is_ascii_digit())
                && role.len() > 5
                && role.starts_with("role/")
                && role.bytes().all(of_role)
        }
        _ => false,
    };
    if fits {
        return Ok(text.to_owned());
    }
    Err("the ARN of a role is expected: arn:aws:iam::123456789012:role/name".to_owned())
}

/// What is given beside a token.
pub(super) struct Given<'a> {
    pub(super) password: bool,
    pub(super) ssl_mode: Option<&'a str>,
    pub(super) username: Option<&'a str>,
}

/// Finds what does not go with a token.
pub(super) fn without_password(section: &mut Section<'_, '_>, given: &Given<'_>) {
    if given.password {
        let name = match section.has("connectionString") {
            true => "connectionString",
            false => "password",
        };
        section.fault(name, "there is no password with auth iam");
    }
    if given.ssl_mode == Some("disable") {
        section.fault("sslMode", "an IAM token is sent over an encrypted connection only");
    }
    // It becomes a part of the URL that is signed.
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"_-.@".contains(&b);
    let name = given.username.unwrap_or("x");
    if name.is_empty() || !name.bytes().all(fits) {
        section.fault("username", "with auth iam it is made of letters, digits, _, -, . and @");
    }
}

/// The engine's usual port.
pub(super) fn default_port(family: Family) -> u16 {
    match family {
        Family::MySql => 3_306,
        _ => 5_432,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::config::Outbound;
    use crate::connections::credentials;
    use crate::schema::fault::Faults;
    use crate::tenancy::Credentials;

    fn read(provider: Provider, changes: Value) -> Result<Credentials, String> {
        let mut given = json!({ "host": "db.example.com", "database": "d", "username": "u", "password": "p" });
        for (name, value) in changes.as_object().unwrap() {
            given[name] = value.clone();
        }
        let mut faults = Faults::default();
        let read = credentials(provider, "c", "x", &given, &Outbound::default(), &mut faults);
        read.filter(|_| faults.is_empty()).ok_or_else(|| faults.to_string())
    }

    #[test]
    fn the_engine_decides_what_is_spoken_and_where() {
        for (engine, family, port) in [
            (json!(null), Family::Postgres, 5_432),
            (json!("postgres"), Family::Postgres, 5_432),
            (json!("mysql"), Family::MySql, 3_306),
            (json!("mariadb"), Family::MySql, 3_306),
        ] {
            let read = read(Provider::AwsRds, json!({ "engine": engine })).unwrap();
            assert_eq!((read.family("aws-rds"), read.port), (family, port), "{engine}");
        }
        let of_url = |given: Value| {
            let mut faults = Faults::default();
            let read = credentials(Provider::AwsRds, "c", "x", &given, &Outbound::default(), &mut faults);
            read.filter(|_| faults.is_empty()).map(|read| read.family("aws-rds"))
        };
        let mysql = "mysql://u:p@db.example.com/d";
        assert_eq!(
            of_url(json!({ "engine": "mysql", "connectionString": mysql })),
            Some(Family::MySql)
        );
        assert_eq!(of_url(json!({ "connectionString": mysql })), None);
        let bare = "postgresql://u@db.example.com/d";
        let iam = json!({ "auth": "iam", "region": "eu-central-1", "connectionString": bare });
        assert_eq!(of_url(iam), Some(Family::Postgres));
        assert_eq!(of_url(json!({ "connectionString": bare })), None);
    }

    #[test]
    fn iam_takes_the_place_of_a_password() {
        let iam = json!({ "auth": "iam", "region": "eu-central-1", "password": null });
        let with = |changes: Value| {
            let mut all = iam.clone();
            for (name, value) in changes.as_object().unwrap() {
                all[name] = value.clone();
            }
            read(Provider::AwsRds, all)
        };
        let read = with(json!({ "roleArn": "arn:aws:iam::123456789012:role/plinth" })).unwrap();
        let expected = IamLogin {
            region: "eu-central-1".to_owned(),
            role_arn: Some("arn:aws:iam::123456789012:role/plinth".to_owned()),
        };
        assert_eq!(
            (read.iam, read.plain, read.password.as_str()),
            (Some(expected), false, "")
        );
        // A loopback is no exception.
        assert!(!with(json!({ "host": "127.0.0.1" })).unwrap().plain);
        for (changes, fault) in [
            (
                json!({ "password": "p" }),
                "c.password: there is no password with auth iam",
            ),
            (
                json!({ "region": null }),
                "c.region: it is missing: a token is signed for one region",
            ),
            (
                json!({ "region": "evil.example.com/-1" }),
                "c.region: a region such as eu-central-1 is expected",
            ),
            (
                json!({ "sslMode": "disable" }),
                "c.sslMode: an IAM token is sent over an encrypted connection only",
            ),
            (
                json!({ "username": "u&Action=x" }),
                "c.username: with auth iam it is made of letters, digits, _, -, . and @",
            ),
            (
                json!({ "roleArn": "arn:aws:iam::1:role/x" }),
                "c.roleArn: the ARN of a role is expected: arn:aws:iam::123456789012:role/name",
            ),
            (
                json!({ "auth": "password", "password": "p" }),
                "c.region: it belongs to auth iam",
            ),
        ] {
            assert_eq!(with(changes).unwrap_err(), fault);
        }
    }

    #[test]
    fn a_cluster_of_cockroach_is_named_before_the_database() {
        for (url, expected) in [
            (
                "postgresql://u:p@h.example.com/d?options=--cluster%3Done-42",
                Ok("one-42.d"),
            ),
            (
                "postgresql://u:p@h.example.com/one-42.d?options=--cluster=one-42",
                Ok("one-42.d"),
            ),
            ("postgresql://u:p@h.example.com/d", Ok("d")),
            (
                "postgresql://u:p@h.example.com/d?options=-c%20role%3Droot",
                Err("c.connectionString: its parameter options may be --cluster=name only"),
            ),
        ] {
            let given = json!({ "connectionString": url });
            let mut faults = Faults::default();
            let read = credentials(
                Provider::Cockroachdb,
                "c",
                "x",
                &given,
                &Outbound::default(),
                &mut faults,
            );
            let read = read.filter(|_| faults.is_empty());
            let found = read.map(|read| (read.database, read.port));
            assert_eq!(
                found.ok_or_else(|| faults.to_string()),
                expected
                    .map(|database| (database.to_owned(), 26_257))
                    .map_err(str::to_owned),
            );
        }
    }
}
