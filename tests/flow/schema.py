"""schema.py SCHEMA FILE...: what a JSON Schema says of YAML files whose scalars are all texts, as Sluice reads them:
a line `right FILE`, `wrong FILE` or, where PyYAML cannot read it, `unreadable FILE`."""
import json
import sys

import jsonschema
import yaml


def documents(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(yaml.load_all(file, Loader=yaml.BaseLoader))


def verdict(validator, path):
    try:
        found = documents(path)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        return "unreadable"
    try:
        return "right" if found and all(map(validator.is_valid, found)) else "wrong"
    except RecursionError:
        return "unreadable"


with open(sys.argv[1], encoding="utf-8") as schema_file:
    schema = json.load(schema_file)
jsonschema.Draft202012Validator.check_schema(schema)
checker = jsonschema.Draft202012Validator(schema)
for name in sys.argv[2:]:
    print(verdict(checker, name), name)
