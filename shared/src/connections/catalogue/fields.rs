//! The fields of each kind of database.

use serde::Serialize;

use super::super::Provider;

/// One member of `credentials`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    /// Its name in JSON.
    pub name: &'static str,
    /// What it holds.
    #[serde(rename = "type")]
    pub kind: FieldKind,
    /// Whether it must be there, unless another field replaces it.
    pub required: bool,
    /// What counts when it is left out.
    #[schema(value_type = Option<serde_json::Value>)]
    pub default: Option<Initial>,
    /// What a person is told about it.
    pub help: &'static str,
    /// Whether it is never shown again.
    pub secret: bool,
    /// What is checked.
    pub validation: Validation,
    /// The values it may have, if they are counted.
    #[schema(value_type = Vec<String>)]
    pub choices: &'static [&'static str],
    /// The fields that are not sent beside it: it says all that they do.
    #[schema(value_type = Vec<String>)]
    pub replaces: &'static [&'static str],
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum FieldKind {
    /// A line of text.
    Text,
    /// A whole number.
    Number,
    /// True or false.
    Boolean,
    /// One of `choices`.
    Choice,
    /// A URL.
    Url,
    /// Certificates in PEM form.
    Certificate,
    /// A JSON object.
    Json,
}

/// What counts when a field is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Initial {
    /// A text.
    Text(&'static str),
    /// A number.
    Number(u64),
    /// True or false.
    Flag(bool),
}

/// What is checked of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Validation {
    /// The least number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum: Option<u64>,
    /// The greatest number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum: Option<u64>,
    /// The most bytes of a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_length: Option<usize>,
    /// A regular expression that a text matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<&'static str>,
}

const NOTHING: Validation = Validation {
    minimum: None,
    maximum: None,
    max_length: None,
    pattern: None,
};

const fn field(name: &'static str, kind: FieldKind, help: &'static str) -> Field {
    Field {
        name,
        kind,
        required: false,
        default: None,
        help,
        secret: false,
        validation: NOTHING,
        choices: &[],
        replaces: &[],
    }
}

impl Field {
    const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    const fn or(mut self, default: Initial) -> Self {
        self.default = Some(default);
        self
    }

    const fn of(mut self, choices: &'static [&'static str]) -> Self {
        self.choices = choices;
        self
    }

    const fn replaces(mut self, others: &'static [&'static str]) -> Self {
        self.replaces = others;
        self
    }

    const fn within(mut self, minimum: u64, maximum: u64) -> Self {
        self.validation.minimum = Some(minimum);
        self.validation.maximum = Some(maximum);
        self
    }

    const fn like(mut self, pattern: &'static str, most: usize) -> Self {
        self.validation.pattern = Some(pattern);
        self.validation.max_length = Some(most);
        self
    }
}

/// A host name or an address.
const HOST: &str = r"^\[?[A-Za-z0-9._:-]+\]?$";
/// A URL that is fetched.
const HTTPS: &str = "^https://";
/// The modes a PostgreSQL connection may have; all but the first verify the server's certificate and name.
pub const SSL_MODES: &[&str] = &["disable", "prefer", "require", "verify-ca", "verify-full"];
/// An AWS region.
const REGION: &str = "^[a-z]{2}(-[a-z]+)+-[0-9]$";
/// An IAM role.
const ROLE_ARN: &str = "^arn:aws[a-z-]*:iam::[0-9]{12}:role/.+$";
/// What a connection string says already.
const PARTS: &[&str] = &["host", "port", "database", "username", "password", "sslMode"];

const fn host(help: &'static str) -> Field {
    field("host", FieldKind::Text, help).required().like(HOST, 253)
}

const fn port(default: u64) -> Field {
    let help = "The TCP port the server listens at.";
    field("port", FieldKind::Number, help)
        .or(Initial::Number(default))
        .within(1, 65_535)
}

const fn text(name: &'static str, help: &'static str) -> Field {
    field(name, FieldKind::Text, help).required()
}

const fn password() -> Field {
    let help = "The login's password. It is kept sealed and never shown again.";
    field("password", FieldKind::Text, help).required().secret()
}

const fn connection_string(help: &'static str) -> Field {
    field("connectionString", FieldKind::Text, help)
        .secret()
        .replaces(PARTS)
        .like("^postgres(ql)?://", 4_096)
}

const SSL_MODE: Field = field(
    "sslMode",
    FieldKind::Choice,
    "Every mode but disable encrypts and verifies the server's certificate and name; disable is for hosts that the operator allows.",
)
.or(Initial::Text("verify-full"))
.of(SSL_MODES);

const CA: Field = field(
    "caCertificate",
    FieldKind::Certificate,
    "The authority of the server's certificate (PEM), if it is no public one.",
);

const POOLER: Field = field(
    "pooler",
    FieldKind::Boolean,
    "Whether a transaction pooler is in between, such as PgBouncer; assumed at port 6543.",
);

const DATABASE: Field = text("database", "The database's name on the server.");
const USERNAME: Field = text(
    "username",
    "The role that signs in. A role of its own with the rights it needs is best; the connection test writes the script.",
);

const POSTGRESQL: &[Field] = &[
    connection_string(
        "postgresql://user:password@host:5432/database, special characters percent-encoded. It takes the place of the fields below.",
    ),
    host("The server's public host name or address."),
    port(5_432),
    DATABASE,
    USERNAME,
    password(),
    SSL_MODE,
    CA,
    POOLER,
];

const SUPABASE: &[Field] = &[
    connection_string(
        "The URI shown under Connect in the project's dashboard; that of the pooler works where IPv6 does not.",
    ),
    host(
        "db.<ref>.supabase.co for the direct connection (IPv6 only without the add-on), or <region>.pooler.supabase.com.",
    ),
    port(5_432),
    text("database", "postgres, unless you made another one."),
    text(
        "username",
        "postgres, or postgres.<ref> at the pooler; better a role of your own.",
    ),
    password(),
    SSL_MODE,
    field(
        "caCertificate",
        FieldKind::Certificate,
        "Supabase's own authority (PEM): Database settings, SSL configuration, download the certificate.",
    ),
    POOLER,
];

const AWS_RDS: &[Field] = &[
    field("engine", FieldKind::Choice, "The engine behind the endpoint. What such a database can do is listed for postgres; of the others it is what the kind mysql can.")
        .or(Initial::Text("postgres"))
        .of(&["postgres", "mysql", "mariadb"]),
    connection_string(
        "postgresql://user:password@endpoint:5432/database, or mysql://… with engine mysql or mariadb, in place of the fields below; without the password with auth iam.",
    )
    .like("^(postgres(ql)?|mysql|mariadb)://", 4_096),
    host("The instance's or cluster's endpoint; it must be publicly accessible or allowed by the operator."),
    field(
        "port",
        FieldKind::Number,
        "The TCP port: 5432 when it is left out, 3306 with engine mysql or mariadb.",
    )
    .within(1, 65_535),
    DATABASE,
    USERNAME,
    field(
        "auth",
        FieldKind::Choice,
        "A password, or an IAM token signed for each connection (rds-db:connect; always encrypted).",
    )
    .or(Initial::Text("password"))
    .of(&["password", "iam"]),
    field(
        "password",
        FieldKind::Text,
        "The login's password, needed with auth password. It is kept sealed and never shown again.",
    )
    .secret(),
    field("region", FieldKind::Text, "The server's AWS region, needed with auth iam: eu-central-1.").like(REGION, 32),
    field(
        "roleArn",
        FieldKind::Text,
        "A role of your AWS account that may connect (auth iam). Plinth assumes it with the project's id as external id: let its trust policy demand that.",
    )
    .like(ROLE_ARN, 2_048),
    SSL_MODE,
    field(
        "caCertificate",
        FieldKind::Certificate,
        "Another authority (PEM) to trust; Amazon's own for RDS are trusted already.",
    ),
    field(
        "pooler",
        FieldKind::Boolean,
        "Whether RDS Proxy or another transaction pooler is in between.",
    ),
];

const COCKROACHDB: &[Field] = &[
    connection_string(
        "postgresql://user:password@host:26257/database, with ?options=--cluster%3Dname where clusters share a host; in place of the fields below.",
    ),
    host(
        "The cluster's host name. Transactions that conflict are run anew, up to five times; 64-bit integers are shown as JSON strings. Tried against a PostgreSQL that acts like CockroachDB, not against CockroachDB itself.",
    ),
    port(26_257),
    text(
        "database",
        "The database's name; where clusters share a host, cluster-name.database.",
    ),
    USERNAME,
    password(),
    SSL_MODE,
    CA,
    POOLER,
];

const MYSQL: &[Field] = &[
    field(
        "connectionString",
        FieldKind::Text,
        "mysql://user:password@host:3306/database, in place of the fields below.",
    )
    .secret()
    .replaces(PARTS)
    .like("^(mysql|mariadb)://", 4_096),
    host("The server's public host name or address."),
    port(3_306),
    DATABASE,
    text("username", "The account that signs in."),
    password(),
    SSL_MODE,
    CA,
];

const PLANETSCALE: &[Field] = &[
    field(
        "connectionString",
        FieldKind::Text,
        "mysql://user:password@host/database, as shown under Connect, in place of the fields below.",
    )
    .secret()
    .replaces(&["host", "port", "database", "username", "password"])
    .like("^mysql://", 4_096),
    host("The branch's host, as shown under Connect: the host, the user name and the password are one branch's."),
    port(3_306),
    text("database", "The database's name."),
    text("username", "The password's user name, as shown once when it is made."),
    password(),
    field(
        "transport",
        FieldKind::Choice,
        "MySQL's own protocol, always encrypted; HTTP cannot be used yet.",
    )
    .or(Initial::Text("mysql"))
    .of(&["mysql", "http"]),
    field(
        "caCertificate",
        FieldKind::Certificate,
        "Not for PlanetScale itself, whose certificate is a public one: the authority (PEM) of a server in its place.",
    ),
];

const MONGODB: &[Field] = &[
    field(
        "uri",
        FieldKind::Text,
        "mongodb:// or mongodb+srv:// with user and password.",
    )
    .required()
    .secret()
    .like(r"^mongodb(\+srv)?://", 4_096),
    DATABASE,
    field("authSource", FieldKind::Text, "The database that knows the user.").or(Initial::Text("admin")),
    field(
        "tls",
        FieldKind::Boolean,
        "Whether the connection is encrypted and verified.",
    )
    .or(Initial::Flag(true)),
    CA,
];

const FIREBASE: &[Field] = &[
    field(
        "serviceAccount",
        FieldKind::Json,
        "The key file of a service account: Project settings, Service accounts, Generate new private key.",
    )
    .required()
    .secret(),
    field("databaseId", FieldKind::Text, "The Firestore database.").or(Initial::Text("(default)")),
    field(
        "databaseUrl",
        FieldKind::Url,
        "The Realtime Database's URL, to use that instead of Firestore.",
    )
    .like(HTTPS, 2_048),
];

const AZURE_SQL: &[Field] = &[
    host("name.database.windows.net."),
    port(1_433),
    DATABASE,
    text("username", "The SQL login."),
    password(),
];

const REST: &[Field] = &[
    field(
        "baseUrl",
        FieldKind::Url,
        "What every path is appended to, such as https://api.example.com/v1.",
    )
    .required()
    .like(HTTPS, 2_048),
    field("auth", FieldKind::Choice, "How requests prove who sends them.")
        .or(Initial::Text("none"))
        .of(&["none", "bearer", "basic", "header", "query", "oauth2"]),
    field(
        "token",
        FieldKind::Text,
        "The bearer token, or the API key, with auth bearer, header or query.",
    )
    .secret(),
    field(
        "headerName",
        FieldKind::Text,
        "The header that carries the key, with auth header; such as X-Api-Key.",
    ),
    field(
        "queryName",
        FieldKind::Text,
        "The query parameter that carries the key, with auth query.",
    ),
    field("username", FieldKind::Text, "The user, with auth basic."),
    field("password", FieldKind::Text, "The password, with auth basic.").secret(),
    field(
        "tokenUrl",
        FieldKind::Url,
        "Where tokens are had, with auth oauth2 (the client credentials grant).",
    )
    .like(HTTPS, 2_048),
    field("clientId", FieldKind::Text, "The client, with auth oauth2."),
    field(
        "clientSecret",
        FieldKind::Text,
        "The client's secret, with auth oauth2.",
    )
    .secret(),
    field("scope", FieldKind::Text, "What the token is for, with auth oauth2."),
    field(
        "headers",
        FieldKind::Json,
        "Headers that go with every request, as an object of texts. They are kept sealed.",
    )
    .secret(),
    field(
        "healthPath",
        FieldKind::Text,
        "A path that answers 2xx when all is well; without one the first resource's list is asked.",
    ),
    field(
        "resources",
        FieldKind::Json,
        "By name, the paths of each resource (list, get, create, update, delete), its key, pagination, filters, order and columns; or openapi or openapiPath in its place.",
    ),
    field(
        "openapi",
        FieldKind::Json,
        "An OpenAPI document that the resources are derived from.",
    ),
    field(
        "openapiPath",
        FieldKind::Text,
        "The path of the API that answers its OpenAPI document.",
    ),
    CA,
];

/// The fields of a kind of database.
pub fn of(provider: Provider) -> &'static [Field] {
    match provider {
        Provider::Supabase => SUPABASE,
        Provider::Postgresql => POSTGRESQL,
        Provider::Mysql => MYSQL,
        Provider::Mongodb => MONGODB,
        Provider::Firebase => FIREBASE,
        Provider::AwsRds => AWS_RDS,
        Provider::Planetscale => PLANETSCALE,
        Provider::Cockroachdb => COCKROACHDB,
        Provider::AzureSql => AZURE_SQL,
        Provider::Rest => REST,
    }
}
