"""Makes the rows of this example: the same ones every time, from a fixed seed. No real person is in them.

usage: make.py FOLDER     writes raw/transactions.csv and smoke.csv
"""

import csv
import math
import random
import sys

CATEGORIES = {"card": (-0.6, 55), "transfer": (1.2, 25), "cash": (0.2, 20)}


def row(chance):
    category = chance.choices(list(CATEGORIES), [weight for _, weight in CATEGORIES.values()])[0]
    z = chance.gauss(0, 1)
    amount = round(math.exp(4.0 + 1.2 * z), 2)
    label = int(chance.random() < 1 / (1 + math.exp(-3.2 * (z - 0.9 + CATEGORIES[category][0]))))
    return [f"{amount:.2f}", category, label]


def write(path, seed, count):
    chance = random.Random(seed)
    with open(path, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["amount", "category", "label"])
        writer.writerows(row(chance) for _ in range(count))


folder = sys.argv[1]
write(f"{folder}/raw/transactions.csv", 2026, 3000)
write(f"{folder}/smoke.csv", 2027, 300)
