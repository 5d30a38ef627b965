"""Makes the rows of this example, daily loads of three grids: the same ones every time, from fixed seeds.

usage: make.py FOLDER     writes clients/<client>.csv
"""

import csv
import datetime
import math
import random
import sys

# Base load, per degree of cold, per degree of heat, share on a day off, spread of the noise.
CLIENTS = {"nord": (420.0, 11.0, 1.5, 0.86, 9.0), "syd": (350.0, 4.0, 6.0, 0.80, 8.0), "west": (510.0, 7.5, 3.0, 0.90, 12.0)}


def rows(seed, base, cold, heat, off, spread):
    chance = random.Random(seed)
    day = datetime.date(2024, 1, 1)
    weather = 0.0
    for at in range(500):
        weather = 0.8 * weather + 2.0 * chance.gauss(0, 1)
        temperature = 9.0 - 10.0 * math.cos(2 * math.pi * at / 365) + weather
        load = base + cold * max(15 - temperature, 0) + heat * max(temperature - 20, 0)
        date = day + datetime.timedelta(days=at)
        if date.weekday() >= 5:
            load *= off
        yield [date.isoformat(), f"{temperature:.1f}", date.weekday(), f"{load + spread * chance.gauss(0, 1):.1f}"]


for seed, (client, shape) in enumerate(CLIENTS.items(), 1):
    with open(f"{sys.argv[1]}/clients/{client}.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["date", "temperature", "weekday", "load"])
        writer.writerows(rows(seed, *shape))
