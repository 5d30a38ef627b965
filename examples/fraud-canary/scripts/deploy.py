"""Gives a version of the service its share of the traffic; the version before it keeps the rest.

usage: deploy.py --version VERSION --traffic PERCENT
"""

import argparse
import json
import subprocess

parser = argparse.ArgumentParser()
parser.add_argument("--version", required=True)
parser.add_argument("--traffic", type=int, required=True)
options = parser.parse_args()

current = json.loads(subprocess.run(["kubectl", "get", "httproute", "fraud-scoring", "-o", "json"], check=True, capture_output=True, text=True).stdout)
backends = {ref["name"]: ref["weight"] for ref in current["spec"]["rules"][0]["backendRefs"]}
name = f"fraud-scoring-{options.version}"
others = {other: weight for other, weight in backends.items() if other != name and weight > 0}
left = 100 - options.traffic
# What is left is the stable version's: the one that has most of it now.
stable = max(others, key=others.get, default=None)
weights = {name: options.traffic}
if left and stable is None:
    raise SystemExit("there is no other version to take the rest")
if stable is not None:
    weights[stable] = left
subprocess.run(["kubectl", "set", "image", f"deployment/{name}", f"model=registry.internal/fraud:{options.version}"], check=True)
refs = [{"name": name, "port": 8080, "weight": weight} for name, weight in weights.items()]
subprocess.run(["kubectl", "patch", "httproute", "fraud-scoring", "--type", "merge", "-p", json.dumps({"spec": {"rules": [{"backendRefs": refs}]}})], check=True)
