"""Writes the page that the domain expert reads: for every client its numbers and its worst days.

usage: report.py REPORTS DAYS PAGE     REPORTS and DAYS are files with one path a line, in the order of the clients
"""

import csv
import html
import json
import os
import sys


def lines(path: str) -> list[str]:
    with open(path) as file:
        return file.read().splitlines()


def worst(path: str) -> list[dict[str, str]]:
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    return sorted(rows, key=lambda row: -abs(float(row["load"]) - float(row["forecast"])))[:3]


def main(reports: str, days: str, page: str) -> None:
    body = []
    for report, table in zip(lines(reports), lines(days), strict=True):
        client = os.path.splitext(os.path.basename(report))[0]
        with open(report) as file:
            numbers = json.load(file)
        body.append(f"<h2>{html.escape(client)}</h2><p>mape {numbers['mape']:.2%} on {numbers['days']} days, worst day {numbers['worst']:.1%}</p><ul>")
        body += [f"<li>{row['date']}: {row['load']}, forecast {row['forecast']}</li>" for row in worst(table)]
        body.append("</ul>")
    with open(page, "w") as file:
        file.write("<!doctype html><title>Forecasts</title>\n" + "\n".join(body) + "\n")


main(*sys.argv[1:])
