//! Hosts of a kind of database, each with the way to its connection string.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::super::Provider;
use super::fields::Initial;

/// Where a database comes from, and how its connection is found there.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Preset {
    /// What a console calls it.
    pub id: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// Where it is set up; none for a server of one's own.
    pub url: Option<&'static str>,
    /// What to do, in order.
    #[schema(value_type = Vec<String>)]
    pub steps: &'static [&'static str],
    /// What the fields start with.
    #[serde(serialize_with = "as_object")]
    #[schema(value_type = Object)]
    pub defaults: &'static [(&'static str, Initial)],
}

fn as_object<S: Serializer>(pairs: &&'static [(&'static str, Initial)], serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(pairs.len()))?;
    for (name, value) in *pairs {
        map.serialize_entry(name, value)?;
    }
    map.end()
}

const LAST: &str = "Paste it as connectionString and run the connection test.";

const POSTGRESQL: &[Preset] = &[
    Preset {
        id: "neon",
        name: "Neon",
        url: Some("https://console.neon.tech"),
        steps: &[
            "Create a project, or open the one you have.",
            "Press Connect and choose branch, database and role.",
            "Copy the connection string; with \"Connection pooling\" on, set pooler to true.",
            LAST,
        ],
        defaults: &[
            ("port", Initial::Number(5_432)),
            ("sslMode", Initial::Text("verify-full")),
        ],
    },
    Preset {
        id: "railway",
        name: "Railway",
        url: Some("https://railway.com/new"),
        steps: &[
            "Add PostgreSQL to a project.",
            "Open the service and enable its TCP proxy: the internal address cannot be reached from here.",
            "Copy DATABASE_PUBLIC_URL from its variables.",
            "Railway signs its own certificate: copy the authority's as caCertificate.",
            LAST,
        ],
        defaults: &[("sslMode", Initial::Text("verify-full"))],
    },
    Preset {
        id: "render",
        name: "Render",
        url: Some("https://dashboard.render.com/new/database"),
        steps: &[
            "Create a PostgreSQL database, or open the one you have.",
            "Under Access Control, allow the addresses that Plinth connects from.",
            "Copy the External Database URL; the internal one cannot be reached from here.",
            LAST,
        ],
        defaults: &[
            ("port", Initial::Number(5_432)),
            ("sslMode", Initial::Text("verify-full")),
        ],
    },
    Preset {
        id: "any",
        name: "Any PostgreSQL",
        url: None,
        steps: &[
            "Let the server listen at a public address, with ssl = on and a certificate for its name.",
            "Allow the login in pg_hba.conf with hostssl and scram-sha-256.",
            "Open the port in the firewall for the addresses that Plinth connects from.",
            "Fill in host, port, database, username and password, and run the connection test.",
        ],
        defaults: &[
            ("port", Initial::Number(5_432)),
            ("sslMode", Initial::Text("verify-full")),
        ],
    },
];

const SUPABASE: &[Preset] = &[Preset {
    id: "supabase",
    name: "Supabase",
    url: Some("https://supabase.com/dashboard/projects"),
    steps: &[
        "Open the project and press Connect.",
        "Copy the URI of the transaction or session pooler; the direct one needs IPv6.",
        "Under Database settings, download the SSL certificate and give it as caCertificate.",
        LAST,
    ],
    defaults: &[("port", Initial::Number(6_543)), ("pooler", Initial::Flag(true))],
}];

const AWS_RDS: &[Preset] = &[
    Preset {
        id: "rds-password",
        name: "RDS or Aurora, with a password",
        url: Some("https://console.aws.amazon.com/rds"),
        steps: &[
            "Open the instance, or the cluster, and copy its endpoint and port.",
            "Let the port in by its security group, and make it publicly accessible unless the operator reaches it.",
            "Choose the engine, fill in database, username and password, and run the connection test.",
        ],
        defaults: &[("auth", Initial::Text("password"))],
    },
    Preset {
        id: "rds-iam",
        name: "RDS or Aurora, with IAM",
        url: Some("https://console.aws.amazon.com/rds"),
        steps: &[
            "Turn IAM database authentication on at the instance or cluster.",
            "Make the user: create user app; grant rds_iam to app; or on MySQL: create user app identified with AWSAuthenticationPlugin as 'RDS'.",
            "Make an IAM role that may rds-db:connect as that user, and let Plinth assume it with the project's id as sts:ExternalId.",
            "Fill in endpoint, database, username, region and roleArn, and provision the backend: that tests it.",
        ],
        defaults: &[("auth", Initial::Text("iam"))],
    },
];

const COCKROACHDB: &[Preset] = &[Preset {
    id: "cockroach-cloud",
    name: "CockroachDB Cloud",
    url: Some("https://cockroachlabs.cloud"),
    steps: &[
        "Open the cluster, press Connect and choose SQL user and database.",
        "Allow the addresses that Plinth connects from under Networking.",
        "Copy the connection string; of a dedicated cluster also download the CA and give it as caCertificate.",
        LAST,
    ],
    defaults: &[("port", Initial::Number(26_257))],
}];

/// The hosts known of a kind of database.
pub fn of(provider: Provider) -> &'static [Preset] {
    match provider {
        Provider::Postgresql => POSTGRESQL,
        Provider::Supabase => SUPABASE,
        Provider::AwsRds => AWS_RDS,
        Provider::Cockroachdb => COCKROACHDB,
        _ => &[],
    }
}
