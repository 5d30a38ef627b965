"""Holds what mlpc writes against the schemas that it publishes, with a validator that is not ours.

usage: schemas.py SCHEMAS EVENTS|FILE=SCHEMA...     EVENTS: a file of JSON lines from `mlpc run --json`
Exit status: 0 when everything fits.
"""
import json
import pathlib
import sys

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

folder = pathlib.Path(sys.argv[1])
schemas = {path.name: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}
registry = Registry().with_resources([(name, Resource.from_contents(schema)) for name, schema in schemas.items()])
for name, schema in schemas.items():
    Draft202012Validator.check_schema(schema)

bad, seen = 0, 0
for argument in sys.argv[2:]:
    path, _, name = argument.partition("=")
    text = pathlib.Path(path).read_text()
    values = [json.loads(line) for line in text.splitlines()] if not name else [json.loads(text)]
    validator = Draft202012Validator(schemas[name or "run_events.schema.json"], registry=registry)
    for value in values:
        seen += 1
        for error in validator.iter_errors(value):
            bad += 1
            print(f"{path}: {json.dumps(value)[:120]}: {error.json_path}: {error.message[-120:]}")
print(f"{len(schemas)} schemas, {seen} values, {bad} objections")
sys.exit(1 if bad or not seen else 0)
