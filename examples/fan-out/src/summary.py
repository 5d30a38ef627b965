"""Writes a line for each report.

usage: summary.py TABLE ROWS REPORT...
"""

import json
import sys

table, rows, *reports = sys.argv[1:]
with open(table, "w") as out:
    print(f"up to {rows} rows a clinic", file=out)
    for path in reports:
        with open(path) as file:
            print(f"{path.split('/')[1]}: {json.load(file)['accuracy']:.1%} right", file=out)
