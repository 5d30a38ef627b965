"""Makes the customers of this example: the same ones every time, from a fixed seed. No real person is in them.

usage: make.py FOLDER     writes customers.csv and requests.jsonl
"""

import csv
import json
import math
import random
import sys

COLUMNS = ["months", "monthly_fee", "calls_to_support", "yearly_contract"]


def customer(chance):
    months = min(int(chance.expovariate(1 / 24)) + 1, 120)
    fee = round(20 + 60 * chance.random(), 2)
    calls = min(int(chance.expovariate(1 / 1.5)), 12)
    yearly = int(chance.random() < 0.4)
    z = 0.4 - 0.05 * months + 0.03 * (fee - 50) + 0.8 * calls - 2.2 * yearly
    return [months, fee, calls, yearly], int(chance.random() < 1 / (1 + math.exp(-1.5 * z)))


chance = random.Random(2026)
with open(f"{sys.argv[1]}/customers.csv", "w", newline="") as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*COLUMNS, "churned"])
    for _ in range(1500):
        values, churned = customer(chance)
        writer.writerow([*values, churned])
with open(f"{sys.argv[1]}/requests.jsonl", "w") as file:
    for _ in range(100):
        file.write(json.dumps(dict(zip(COLUMNS, customer(chance)[0]))) + "\n")
