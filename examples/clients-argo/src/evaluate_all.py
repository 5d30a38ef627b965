"""Measures the models of all clients together, on days that they have not seen: the worst client counts.

usage: evaluate_all.py MODELS TESTS REPORT     MODELS and TESTS are folders with a file a client
"""

import csv
import json
import os
import sys

from load import forecast


def mape(model: str, test: str) -> float:
    with open(model) as file:
        weights = json.load(file)["weights"]
    with open(test, newline="") as file:
        rows = list(csv.DictReader(file))
    return sum(abs(float(row["load"]) - forecast(weights, row)) / float(row["load"]) for row in rows) / len(rows)


def main(folder: str, tests: str, report: str) -> None:
    found = {}
    for name in sorted(os.listdir(tests)):
        client = os.path.splitext(name)[0]
        found[client] = mape(os.path.join(folder, f"{client}.json"), os.path.join(tests, name))
    numbers = {"worst_mape": max(found.values()), "mean_mape": sum(found.values()) / len(found), "clients": len(found)}
    with open(report, "w") as file:
        json.dump(numbers, file, indent=1)
        file.write("\n")
    print(" ".join(f"{client}={value:.4g}" for client, value in found.items()))


main(*sys.argv[1:])
