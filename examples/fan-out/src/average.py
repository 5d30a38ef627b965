"""Averages models that were learned from the same rows.

usage: average.py AVERAGE MODEL...
"""

import json
import sys

out, *paths = sys.argv[1:]
models = []
for path in paths:
    with open(path) as file:
        models.append(json.load(file))
average = dict(models[0])
average["weights"] = [sum(w) / len(models) for w in zip(*(model["weights"] for model in models))]
average["bias"] = sum(model["bias"] for model in models) / len(models)
with open(out, "w") as file:
    json.dump(average, file)
