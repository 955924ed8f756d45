#!/usr/bin/env python3
"""Lets schemathesis ask a running stack whatever its two descriptions allow, and some of what they do not.

    PLINTH_STACK=…/stack.json PLINTH_SCHEMATHESIS=…/bin/schemathesis tests/openapi/fuzz.py

A project of its own is made for it, with one table of every kind of column. What it is asked is the same in every run.
The stack must not dial out (PLINTH_OUTBOUND_ONLY=true): hosts are made up too. Nothing else should run on the stack
afterwards: whatever the admin may delete may be deleted.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

# Checks that do not hold, each with the reason why it is no fault.
OFF = {
    # A filter is a text to JSON Schema; whether it fits its column's type, only the database knows.
    "positive_data_acceptance": "a valid text may be no valid filter, order or id",
    # A number where a text is expected is taken as that text by Postgres, and unknown members of most bodies are left alone.
    "negative_data_rejection": "what can be understood is taken",
    # Deleted things can be restored and are shown as such.
    "use_after_free": "a deleted table answers with its day of deletion",
    "ensure_resource_availability": "a project without a backend has no tables yet",
    # It shows what may be asked of the table that is there: a description of all tables, or of what one role may, knows less.
    "allow_header_conformance": "`Allow` is what the table takes",
}
# Of a project's description alone: what the role may not is refused as that (403), whatever the method.
OFF_FOR_PROJECTS = ["unsupported_method"]
# One worker, few examples: the two runs take a minute or two.
EXAMPLES = {"project": 25, "platform": 8}

# Each with the reason why it is left out.
LEFT_OUT = {
    "platform": {
        "post_auth_v1_logout": "it would sign itself out",
        "post_p_ref_auth_v1_logout": "it would sign itself out",
    },
    "project": {"accounts.signOut": "it would sign itself out"},
}

COLUMNS = [
    {"name": "id", "type": "uuid", "primary_key": True, "default": "gen_random_uuid()"},
    {"name": "n", "type": "integer"},
    {"name": "big", "type": "bigint"},
    {"name": "s", "type": "text"},
    {"name": "done", "type": "boolean", "default": False},
    {"name": "at", "type": "timestamptz"},
    {"name": "local", "type": "timestamp"},
    {"name": "day", "type": "date"},
    {"name": "hour", "type": "time"},
    {"name": "doc", "type": "jsonb"},
    {"name": "plain", "type": "json"},
    {"name": "price", "type": "decimal(10,2)"},
    {"name": "r", "type": "real"},
    {"name": "d", "type": "double"},
    {"name": "tags", "type": "text[]"},
]


class Stack:
    """The running stack, and somebody who is signed in."""

    def __init__(self, path):
        self.about = json.loads(Path(path).read_text())
        self.url = self.about["url"]
        self.token = None

    def ask(self, method, path, body=None, headers=None):
        """The reply's JSON; any refusal ends the run."""
        data = None if body is None else json.dumps(body).encode()
        signed_in = {"authorization": "Bearer " + self.token} if self.token and not headers else {}
        headers = {"content-type": "application/json", **signed_in, **(headers or {})}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as reply:
            return json.load(reply)

    def sign_in(self):
        admin = {key: self.about["admin"][key] for key in ("email", "password")}
        session = self.ask("POST", "/auth/v1/token?grant_type=password", admin)
        self.token = session["access_token"]


def scratch(stack):
    """A project with a table, a row and an end user."""
    project = stack.ask("POST", "/api/projects", {"name": f"schemathesis {time.time_ns()}"})["project"]
    backend = stack.ask("POST", f"/api/projects/{project['id']}/backend/provision", {"backendType": "managed"})
    database = backend["database"]["id"]
    design = {"name": "things", "columns": COLUMNS, "policies": ["authenticated"]}
    table = stack.ask("POST", f"/api/database/{database}/tables/create", {"schemaJson": design})["table"]
    # To be rotated, as often as it may be: the others are in use.
    spare = stack.ask("POST", f"/api/projects/{project['id']}/keys", {"class": "publishable", "name": "spare"})
    row = {"s": "one", "n": 1}
    made = stack.ask("POST", f"/api/database/{database}/records/create", {"tableName": "things", "data": row})
    person = {"email": "ada@example.com", "password": "a long enough one"}
    session = stack.ask("POST", f"/p/{project['ref']}/auth/v1/signup", person, {"apikey": backend["apiKey"]})
    version = stack.ask("POST", f"/api/projects/{project['id']}/docs", {"content": "# Things\n"})
    job = stack.ask("POST", "/api/generate-docs", {"projectId": project["id"]})["jobId"]
    return {
        "id": project["id"],
        "ref": project["ref"],
        "database": database,
        "table": table["id"],
        "key": spare["id"],
        "record": made["record"]["id"],
        "version": version["versionId"],
        "job": job,
        "publishable": backend["apiKey"],
        "secret": backend["secretKey"],
        "user": session["access_token"],
    }


def text(value):
    """A TOML string."""
    return json.dumps(value)


def settings(name, document, credentials, parameters):
    """schemathesis.toml: `parameters` tells for each path what its parts are, where they name what is there."""
    off = [*OFF, *(OFF_FOR_PROJECTS if name == "project" else [])]
    parts = [
        'workers = 1\ncontinue-on-failure = true\nsuppress-health-check = ["all"]',
        f"[generation]\ndeterministic = true\nmax-examples = {EXAMPLES[name]}\nno-shrink = true",
        "[phases.stateful]\nenabled = false",
        # What one reply names, another request might delete.
        *(f"[phases.{phase}.extra-data-sources]\nresponses = false" for phase in ("examples", "coverage", "fuzzing")),
        "[auth]\nauto-signup = false",
        *(f"[checks.{check}]\nenabled = false" for check in off),
        # What is not there yet says so: 501 is declared where it may be answered.
        '[checks.not_a_server_error]\nexpected-statuses = ["2xx", "3xx", "4xx", 501]',
    ]
    for scheme, (kind, value) in credentials.items():
        parts.append(f"[auth.openapi.{scheme}]\n{kind} = {text(value)}")
    for path, item in document["paths"].items():
        for method, operation in item.items():
            known = parameters(method, path)
            lines = ["[[operations]]", f"include-operation-id = {text(operation['operationId'])}"]
            if operation["operationId"] in LEFT_OUT[name]:
                lines.append("enabled = false")
            if known:
                values = ", ".join(f"{text('path.' + part)} = {text(value)}" for part, value in known.items())
                lines.append(f"parameters = {{ {values} }}")
            if len(lines) > 2:
                parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def names_of(made):
    """What the parts of the platform's paths are; but what deletes something gets names that are made up."""

    def parameters(method, path):
        kinds = {"database": made["database"], "jobs": made["job"]}
        known = {
            "{ref}": made["ref"],
            "{id}": kinds.get(path.removeprefix("/api/").split("/")[0], made["id"]),
            "{tableId}": "things" if path.endswith("/policies") else made["table"],
            "{keyId}": made["key"],
            "{table}": "things",
            "{recordId}": made["record"],
            "{versionId}": made["version"],
        }
        rows = "/records/" in path or path.startswith(("/api/v1/", "/p/"))
        if method == "delete" and not rows:
            return {}
        return {part.strip("{}"): value for part, value in known.items() if part in path.split("/")}

    return parameters


def run(schemathesis, name, url, document, config, folder):
    files = {"json": folder / f"{name}.json", "toml": folder / f"{name}.toml"}
    files["json"].write_text(json.dumps(document))
    files["toml"].write_text(config)
    command = [schemathesis, "--config-file", str(files["toml"]), "run", str(files["json"]), "--url", url, "--no-color"]
    print(f"-- {name}: {url}", flush=True)
    return subprocess.run(command, cwd=folder, check=False).returncode


def main():
    stack = Stack(os.environ["PLINTH_STACK"])
    schemathesis = os.environ["PLINTH_SCHEMATHESIS"]
    stack.sign_in()
    made = scratch(stack)
    base = f"{stack.url}/p/{made['ref']}"
    # With the secret key, which may do everything; accounts as somebody who has signed in.
    project = stack.ask("GET", f"/p/{made['ref']}/openapi.json", headers={"apikey": made["secret"]})
    platform = stack.ask("GET", "/openapi.json")
    as_server = {"apikey": ("api_key", made["secret"]), "bearer": ("bearer", made["user"])}
    as_everybody = {
        "platform": ("bearer", stack.token),
        "apikey": ("api_key", made["publishable"]),
        "user": ("bearer", made["user"]),
    }
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(os.environ.get("PLINTH_FUZZ_FOLDER", folder))
        config = settings("project", project, as_server, lambda method, path: {})
        failed = run(schemathesis, "project", base, project, config, folder)
        config = settings("platform", platform, as_everybody, names_of(made))
        failed |= run(schemathesis, "platform", stack.url, platform, config, folder)
    sys.exit(failed)


if __name__ == "__main__":
    main()
