"""Unit tests of the model's code, written as JUnit XML: what pytest does where it is installed.

usage: run.py RESULTS     ends with 1 where a test fails; the gate reads the file
"""

import sys
from xml.sax.saxutils import quoteattr

from load import features, forecast


def a_day_off_is_told_apart():
    assert features({"temperature": "10.0", "weekday": "6"}) != features({"temperature": "10.0", "weekday": "1"})


def mild_days_need_neither_heat_nor_cold():
    assert features({"temperature": "17.0", "weekday": "1"}) == [1.0, 0.0, 0.0, 0.0, 0.0, 0.0]


def a_forecast_is_the_weighted_sum():
    assert forecast([1.0, 2.0, 0.0, 0.0, 0.0, 0.0], {"temperature": "5.0", "weekday": "1"}) == 21.0


TESTS = [a_day_off_is_told_apart, mild_days_need_neither_heat_nor_cold, a_forecast_is_the_weighted_sum]
cases, failed = [], 0
for test in TESTS:
    inner = ""
    try:
        test()
    except AssertionError as problem:
        failed += 1
        inner = f"<failure message={quoteattr(str(problem))}/>"
        print(f"{test.__name__} failed: {problem}")
    cases.append(f'<testcase classname="load" name="{test.__name__}">{inner}</testcase>')
with open(sys.argv[1], "w") as file:
    file.write(f'<testsuite name="load" tests="{len(TESTS)}" failures="{failed}">\n' + "\n".join(cases) + "\n</testsuite>\n")
sys.exit(failed > 0)
