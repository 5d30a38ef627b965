"""Asks an endpoint about three customers, and writes what came back as JUnit XML.

usage: smoke.py ENDPOINT REQUESTS RESULTS     ends with 1 where an answer is no probability
"""

import json
import subprocess
import sys
from xml.sax.saxutils import quoteattr


def main(endpoint, requests, results):
    with open(requests) as file:
        customers = [next(file) for _ in range(3)]
    cases, failed = [], 0
    for at, customer in enumerate(customers):
        with open("request.json", "w") as file:
            file.write(customer)
        asked = subprocess.run(["az", "ml", "online-endpoint", "invoke", "--name", endpoint, "--request-file", "request.json"], capture_output=True, text=True)
        inner = ""
        try:
            assert 0 <= json.loads(asked.stdout)["churn"] <= 1, asked.stdout
        except (AssertionError, KeyError, ValueError) as problem:
            failed += 1
            inner = f"<failure message={quoteattr(str(problem) + asked.stderr)}/>"
        cases.append(f'<testcase classname="{endpoint}" name="customer {at}">{inner}</testcase>')
    with open(results, "w") as file:
        file.write(f'<testsuite name="{endpoint}" tests="{len(cases)}" failures="{failed}">\n' + "\n".join(cases) + "\n</testsuite>\n")
    sys.exit(failed > 0)


main(*sys.argv[1:])
