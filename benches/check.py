#!/usr/bin/env python3
"""Measures `mlpc check` and `mlpc fmt --check` as processes: time, peak memory, how they grow, and what an unchanged file costs.

usage: benches/check.py [--within TIMES] [STAGES...]     (default 1000 10000 100000, about half a minute)

  --within TIMES   end with 1 where a figure is beyond so many times its goal

Needs cargo, or a program in CI_MLPC. Each figure is the best of several runs; the file is changed by a letter before every check that is
not called unchanged.
"""

import argparse
import pathlib
import sys
import tempfile

sys.dont_write_bytecode = True
import measure
from measure import process

# Goals by stages: milliseconds of a check, and of one of a file that did not change; MB of its peak. 120 MiB are 125.8 MB.
GOALS = {1_000: (None, None, None), 10_000: (350, 30, 120 * 1.048576), 100_000: (None, None, None)}


def best(tries, arguments, folder, before=lambda _: None):
    took = None
    for turn in range(tries):
        before(turn)
        one, _ = process(arguments, folder)
        took = one if took is None else took.best(one)
    return took


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--within", type=float)
    parser.add_argument("stages", type=int, nargs="*", default=[])
    asked = parser.parse_args()
    program, late, before = measure.mlpc(), [], None
    print(measure.machine())
    print("\n| stages | MB | lines | check, ms | cpu ms | peak MB | unchanged, ms | fmt --check, ms | ms a stage, to the size before |\n" + "|---:" * 9 + "|")
    with tempfile.TemporaryDirectory() as place:
        for stages in asked.stages or GOALS:
            folder = pathlib.Path(place, str(stages))
            folder.mkdir()
            for name in ("seed.txt", "leaf.txt"):
                (folder / name).write_text("x\n")
            text = measure.pipeline(stages)
            file = folder / "pipeline.mlp"
            # As often for each size: the best of more tries is a better one, and the sizes are held against each other.
            check = best(9, [program, "check"], folder, lambda turn: file.write_text(f"{text}# {turn}\n"))
            file.write_text(f"{text}# once more\n")
            peak = measure.peak([program, "check"], folder)
            unchanged = best(5, [program, "check"], folder)
            file.write_text(text)
            fmt = best(5, [program, "fmt", "--check"], folder)
            grown = check.wall / stages / before if before else None
            before = check.wall / stages
            cells = [f"{stages:,}", f"{len(text) / 1e6:.2f}", f"{text.count(chr(10)):,}", f"{check.wall:.1f}", f"{check.cpu:.0f}", f"{peak:.0f}"]
            cells += [f"{unchanged.wall:.1f}", f"{fmt.wall:.1f}", f"{grown:.2f}" if grown else ""]
            print("| " + " | ".join(cells) + " |", flush=True)
            wanted = dict(zip(("check", "unchanged", "memory"), GOALS.get(stages, (None, None, None))))
            is_ = {"check": check.wall, "unchanged": unchanged.wall, "memory": peak}
            for what, goal in wanted.items():
                if asked.within and goal and is_[what] > asked.within * goal:
                    late.append(f"{what} of {stages:,} stages: {is_[what]:.0f}, goal {goal:.0f}")
        lines = 10_000
        folder = pathlib.Path(place, "lines")
        folder.mkdir()
        (folder / "pipeline.mlp").write_text(measure.pipeline(lines // 14))
        count = (folder / "pipeline.mlp").read_text().count("\n")
        took = best(9, [program, "fmt", "--check"], folder)
        print(f"\n`mlpc fmt --check` of {count:,} lines: {took.wall:.1f} ms, goal 100")
        print("Goals: 10,000 stages in 350 ms and 126 MB (120 MiB), unchanged in 30 ms; a stage costs at most 1.2 of what it costs at the size before.")
    if late:
        sys.exit("beyond the goals: " + "; ".join(late))


main()
