"""Judges documents and data by the validators that others use: `openapi-spec-validator` and `jsonschema`.

Reads {"documents": [document, …], "data": [[document's number, pointer to a schema, data], …]} and prints every fault.
"""

import json
import sys

from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

asked = json.load(sys.stdin)
faults = []
for number, document in enumerate(asked["documents"]):
    for error in OpenAPIV31SpecValidator(document).iter_errors():
        faults.append(f"document {number}: {'/'.join(map(str, error.path))}: {error.message[:300]}")
registry = Registry().with_resources(
    (f"urn:document:{number}", Resource(contents=document, specification=DRAFT202012))
    for number, document in enumerate(asked["documents"])
)
for number, pointer, data in asked["data"]:
    schema = {"$ref": f"urn:document:{number}#{pointer}"}
    checker = Draft202012Validator.FORMAT_CHECKER
    for error in Draft202012Validator(schema, registry=registry, format_checker=checker).iter_errors(data):
        faults.append(f"{pointer}: {'/'.join(map(str, error.path))}: {error.message[:300]}")
print("\n".join(faults))
