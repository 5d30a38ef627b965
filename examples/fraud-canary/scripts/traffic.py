"""Reads back how the traffic is shared, as {"weights": {VERSION: PERCENT, …}}."""

import json
import subprocess

asked = subprocess.run(["kubectl", "get", "httproute", "fraud-scoring", "-o", "json"], check=True, capture_output=True, text=True)
backends = json.loads(asked.stdout)["spec"]["rules"][0]["backendRefs"]
print(json.dumps({"weights": {ref["name"].removeprefix("fraud-scoring-"): ref["weight"] for ref in backends}}))
