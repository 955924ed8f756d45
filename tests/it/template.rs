//! `template.yaml` says what the code says: functions, routes, variables, logins and rights.

mod rights;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use plinth_local::platform::Function;
use plinth_local::router::functions;
use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

use crate::layers::{folders, root};
use crate::world::{platform, run};
use rights::RIGHTS;

#[test]
fn every_function_is_in_the_template_and_built_as_it_runs() {
    let template = Template::read();
    let built: BTreeSet<_> = template.functions.keys().cloned().collect();
    assert_eq!(built, folders("functions").into_iter().collect());
    let globals = &template.document["Globals"]["Function"];
    assert_eq!(globals["Runtime"], "provided.al2023");
    assert_eq!(globals["Architectures"], json!(["arm64"]));
    assert_eq!(globals["CodeUri"], ".");
    for (name, function) in &template.functions {
        assert_eq!(function["Metadata"]["BuildMethod"], "rust-cargolambda", "{name}");
    }
}

#[test]
fn routers_and_template_have_the_same_paths() {
    let template = Template::read();
    let mut faults = Vec::new();
    for (function, routes) in functions() {
        let name = function_name(function);
        let declared: BTreeSet<_> = routes
            .into_openapi()
            .paths
            .paths
            .into_keys()
            .map(|path| path.replace("{*path}", "{path+}"))
            // The gateway knows no path that ends in a slash: it takes the way of all unknown ones.
            .filter(|path| !(path.ends_with('/') && template.default_function() == name))
            .collect();
        let mut used = BTreeSet::new();
        for path in declared {
            match template.route_of(&path) {
                Some((route, owner)) if owner == name => {
                    used.insert(route);
                }
                Some((route, owner)) => faults.push(format!("{name}: {path} would go to {owner} by {route}")),
                None => faults.push(format!("{name}: {path} is not in the template")),
            }
        }
        let unused = template.paths(&name).into_iter().filter(|path| !used.contains(path));
        faults.extend(unused.map(|path| format!("{name}: {path} is in the template only")));
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn routes_take_every_method_and_their_functions_may_be_called() {
    let template = Template::read();
    for (path, _) in template.routes() {
        assert!(path == "$default" || path.starts_with("ANY /"), "{path}");
    }
    let integrated: BTreeSet<_> = template.routes().into_iter().map(|(_, function)| function).collect();
    let permitted: BTreeSet<_> = template
        .of_type("AWS::Lambda::Permission")
        .map(|(_, permission)| template.binary(permission["Properties"]["FunctionName"]["Ref"].as_str().unwrap()))
        .collect();
    assert_eq!(integrated, permitted);
}

#[test]
fn the_watch_routes_are_those_of_the_template() {
    let template = Template::read();
    let deployed: BTreeSet<_> = template
        .routes()
        .into_iter()
        .filter_map(|(key, function)| Some((key.strip_prefix("ANY ")?.replace("{path+}", "{*path}"), function)))
        .chain([("/health".to_owned(), template.default_function())])
        .collect();
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let section = manifest
        .split("[workspace.metadata.lambda.watch.router]\n")
        .nth(1)
        .unwrap();
    let watched: BTreeSet<_> = section
        .lines()
        .take_while(|line| line.starts_with('"'))
        .map(|line| {
            let (path, function) = line.split_once(" = ").unwrap();
            (path.trim_matches('"').to_owned(), function.trim_matches('"').to_owned())
        })
        .collect();
    assert_eq!(watched, deployed);
}

#[test]
fn every_variable_is_one_the_configuration_reads() {
    let template = Template::read();
    let read: String = fs::read_dir(root().join("shared/src/config"))
        .unwrap()
        .map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    let globals = &template.document["Globals"]["Function"];
    for (name, properties) in template
        .functions
        .iter()
        .map(|(name, function)| (name.as_str(), &function["Properties"]))
        .chain([("Globals", globals)])
    {
        for variable in names(&properties["Environment"]["Variables"]) {
            assert!(
                read.contains(&format!("\"{variable}\"")),
                "{name}: nothing reads {variable}"
            );
        }
    }
}

#[test]
fn functions_sign_in_with_the_logins_they_have_locally() {
    let template = Template::read();
    run(async {
        let platform = platform().await;
        for function in [
            Function::Projects,
            Function::Provision,
            Function::Tables,
            Function::Records,
            Function::Sql,
            Function::Auth,
            Function::Connections,
            Function::ConnectionTest,
            Function::GenerateDocs,
            Function::GdprExport,
            Function::GdprDelete,
            Function::Worker,
            Function::Purge,
        ] {
            let name = function_name(function);
            let local = platform.env(function);
            let login = local["PLINTH_CONTROL_URL"]
                .strip_prefix("postgresql://")
                .unwrap()
                .split('@')
                .next();
            assert_eq!(Some(template.control_login(&name).as_str()), login, "{name}");
            let cell = template
                .variable(&name, "PLINTH_CELL_LOGIN")
                .as_str()
                .map(str::to_owned);
            assert_eq!(cell, local.get("PLINTH_CELL_LOGIN").cloned(), "{name}");
        }
    });
}

#[test]
fn functions_may_do_what_the_table_says_and_no_more() {
    let template = Template::read();
    for (name, function) in &template.functions {
        let rights: Vec<_> = template.rights(function).into_iter().collect();
        let (_, expected) = RIGHTS
            .iter()
            .find(|(known, _)| known == name)
            .unwrap_or_else(|| panic!("{name} has no row: it may {rights:?}"));
        assert_eq!(rights, *expected, "{name}");
        let cell = template.variable(name, "PLINTH_CELL_LOGIN").as_str();
        let logins: BTreeSet<_> = cell
            .map(str::to_owned)
            .into_iter()
            .chain([template.control_login(name)])
            .collect();
        let connects = rights.iter().filter_map(|right| right.strip_prefix("rds-db:connect "));
        // Beside its own, what the operator lends to users.
        let connects = connects.filter(|login| *login != "IamDatabaseUsers");
        assert_eq!(connects.map(str::to_owned).collect::<BTreeSet<_>>(), logins, "{name}");
        let key = template.variable(name, "PLINTH_ENCRYPTION_KEY_ARN");
        assert_eq!(
            !key.is_null(),
            rights.iter().any(|right| right.ends_with("MasterKey")),
            "{name}: a right and its variable go together"
        );
        let queue = template.variable(name, "PLINTH_QUEUE_URL");
        assert_eq!(
            !queue.is_null(),
            rights.iter().any(|right| right.starts_with("sqs:")),
            "{name}"
        );
    }
    assert_eq!(RIGHTS.len(), template.functions.len());
    let globals = &template.document["Globals"]["Function"]["Environment"]["Variables"];
    assert_eq!(globals["PLINTH_CREDENTIALS"], "secrets-manager");
    assert_eq!(
        globals["PLINTH_STAGE"],
        json!({ "Ref": "AWS::StackName" }),
        "as the rights name it"
    );
}

#[test]
fn nothing_of_a_tenant_goes_with_the_stack_and_the_queue_outlives_its_worker() {
    let template = Template::read();
    let resources = &template.document["Resources"];
    assert_eq!(resources["MasterKey"]["DeletionPolicy"], "Retain");
    assert_eq!(resources["Cluster"]["DeletionPolicy"], "Snapshot");
    assert_eq!(resources["Cluster"]["Properties"]["StorageEncrypted"], true);
    assert_eq!(resources["Cluster"]["Properties"]["DeletionProtection"], true);
    let worker = &template.functions["worker"]["Properties"];
    assert_eq!(
        worker["Events"]["Jobs"]["Properties"]["FunctionResponseTypes"],
        json!(["ReportBatchItemFailures"])
    );
    let visible = resources["Queue"]["Properties"]["VisibilityTimeout"].as_i64().unwrap();
    assert!(visible >= 6 * worker["Timeout"].as_i64().unwrap());
}

/// The crate of a function: `ConnectionTest` is `connection-test`.
fn function_name(function: Function) -> String {
    let mut name = String::new();
    for letter in format!("{function:?}").chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

struct Template {
    document: Value,
    /// Function resources by the name of their crate.
    functions: BTreeMap<String, Value>,
}

impl Template {
    fn read() -> Self {
        let text = fs::read_to_string(root().join("template.yaml")).unwrap();
        let document = plain(&Yaml::load_from_str(&text).unwrap()[0]);
        let functions = document["Resources"]
            .as_object()
            .unwrap()
            .values()
            .filter(|resource| resource["Type"] == "AWS::Serverless::Function")
            .map(|function| {
                let binary = function["Metadata"]["BuildProperties"]["Binary"].as_str().unwrap();
                (binary.to_owned(), function.clone())
            })
            .collect();
        Self { document, functions }
    }

    fn of_type<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (&'a String, &'a Value)> {
        let resources = self.document["Resources"].as_object().unwrap();
        resources.iter().filter(move |(_, resource)| resource["Type"] == kind)
    }

    /// The crate of a function resource.
    fn binary(&self, resource: &str) -> String {
        let metadata = &self.document["Resources"][resource]["Metadata"];
        metadata["BuildProperties"]["Binary"].as_str().unwrap().to_owned()
    }

    /// Route keys and the functions they lead to.
    fn routes(&self) -> Vec<(String, String)> {
        self.of_type("AWS::ApiGatewayV2::Route")
            .map(|(_, route)| {
                let target = route["Properties"]["Target"]["Sub"].as_str().unwrap();
                let integration = target
                    .strip_prefix("integrations/${")
                    .unwrap()
                    .strip_suffix('}')
                    .unwrap();
                let uri = &self.document["Resources"][integration]["Properties"]["IntegrationUri"]["GetAtt"];
                let function = uri.as_str().unwrap().strip_suffix(".Arn").unwrap();
                (
                    route["Properties"]["RouteKey"].as_str().unwrap().to_owned(),
                    self.binary(function),
                )
            })
            .collect()
    }

    fn paths(&self, function: &str) -> BTreeSet<String> {
        let mine = self.routes().into_iter().filter(|(_, owner)| owner == function);
        mine.filter_map(|(key, _)| key.strip_prefix("ANY ").map(str::to_owned))
            .collect()
    }

    /// The route that takes a path, as the gateway chooses it: the same path, else the longest beginning.
    fn route_of(&self, path: &str) -> Option<(String, String)> {
        let takes = |route: &str| match route.strip_suffix("{path+}") {
            Some(start) => route == path || path.strip_prefix(start).is_some_and(|rest| !rest.is_empty()),
            None => route == path,
        };
        let routes = self.routes().into_iter();
        let routes = routes.filter_map(|(key, owner)| Some((key.strip_prefix("ANY ")?.to_owned(), owner)));
        routes
            .filter(|(route, _)| takes(route))
            .max_by_key(|(route, _)| (route == path, route.len()))
    }

    /// Where requests go that no route takes.
    fn default_function(&self) -> String {
        self.routes().into_iter().find(|(key, _)| key == "$default").unwrap().1
    }

    fn variable(&self, function: &str, name: &str) -> &Value {
        &self.functions[function]["Properties"]["Environment"]["Variables"][name]
    }

    fn control_login(&self, function: &str) -> String {
        let url = self.variable(function, "PLINTH_CONTROL_URL")["Sub"][0]
            .as_str()
            .unwrap();
        let (login, rest) = url.strip_prefix("postgresql://").unwrap().split_once('@').unwrap();
        assert!(rest.ends_with("?sslmode=require"), "{function}: {url}");
        login.to_owned()
    }

    /// `action resource`, in order, each right by itself.
    fn rights(&self, function: &Value) -> BTreeSet<String> {
        let policies = function["Properties"]["Policies"].as_array().unwrap();
        let statements = policies
            .iter()
            .flat_map(|policy| policy["Statement"].as_array().unwrap())
            // What the operator asks for by a parameter, which is empty by default.
            .map(|statement| statement["If"].get(1).unwrap_or(statement));
        statements
            .flat_map(|statement| {
                assert_eq!(statement["Effect"], "Allow");
                let actions = match &statement["Action"] {
                    Value::Array(several) => several.clone(),
                    one => vec![one.clone()],
                };
                let resources = match &statement["Resource"] {
                    Value::Array(several) => several.clone(),
                    one => vec![one.clone()],
                };
                resources.into_iter().flat_map(move |resource| {
                    let name = resource_name(&resource);
                    let right = |action: &Value| format!("{} {name}", action.as_str().unwrap());
                    actions.iter().map(right).collect::<Vec<_>>()
                })
            })
            .collect()
    }
}

fn resource_name(resource: &Value) -> String {
    if let Some(name) = resource["Ref"].as_str() {
        return name.to_owned();
    }
    if let Some(attribute) = resource["GetAtt"].as_str() {
        return attribute.strip_suffix(".Arn").unwrap().to_owned();
    }
    if resource["Sub"] == "${Exports.Arn}/*" {
        return "Exports".to_owned();
    }
    if let Some(arn) = resource["Sub"].as_str() {
        // The names that `plinth::vault` gives, under this stack's stage.
        assert_eq!(
            arn,
            "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:\
             plinth/${AWS::StackName}/connection/*"
        );
        return "connections".to_owned();
    }
    if let Some(arn) = resource["Sub"][0].as_str() {
        let user = arn.strip_prefix("arn:${AWS::Partition}:rds-db:${AWS::Region}:${AWS::AccountId}:dbuser:${Id}/");
        assert_eq!(
            resource["Sub"][1]["Id"]["If"],
            json!(["OwnCluster", { "GetAtt": "Cluster.DBClusterResourceId" }, { "Ref": "DatabaseResourceId" }])
        );
        return user.unwrap().to_owned();
    }
    let master =
        json!(["OwnCluster", { "GetAtt": "Cluster.MasterUserSecret.SecretArn" }, { "Ref": "DatabaseSecretArn" }]);
    assert_eq!(resource["If"], master);
    "master login".to_owned()
}

fn names(object: &Value) -> Vec<&String> {
    object
        .as_object()
        .map(|object| object.keys().collect())
        .unwrap_or_default()
}

/// YAML as JSON; `!Tag x` becomes `{"Tag": x}`.
fn plain(node: &Yaml<'_>) -> Value {
    match node {
        Yaml::Tagged(tag, inner) => json!({ tag.suffix.clone(): plain(inner) }),
        Yaml::Mapping(mapping) => Value::Object(
            mapping
                .iter()
                .map(|(key, value)| (key.as_str().unwrap().to_owned(), plain(value)))
                .collect::<Map<_, _>>(),
        ),
        Yaml::Sequence(items) => items.iter().map(plain).collect(),
        Yaml::Value(Scalar::String(text)) => json!(text),
        Yaml::Value(Scalar::Integer(number)) => json!(number),
        Yaml::Value(Scalar::FloatingPoint(number)) => json!(number.into_inner()),
        Yaml::Value(Scalar::Boolean(truth)) => json!(truth),
        _ => Value::Null,
    }
}
