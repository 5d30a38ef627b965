#!/usr/bin/env bash
# A real DVC project (data added, three stages and two of several legs, parameters): what `dvc repro` makes, the imported pipeline makes too, byte for byte, with the data
# read out of DVC's cache. Then DVC's cache loses the data, and mlpc says which `dvc pull` brings it back.
# usage: dvc.sh [MLPC]     MLPC: the program (default: built here). env: RIG, see rig.sh (DVC goes there); DVC: a `dvc` to take instead.
# Exit status: 0 when all of it is so.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); . "$here/rig.sh"
root=$(cd "$here/../.." && pwd)
MLPC=${1:+$(realpath "$1")}
[ -n "$MLPC" ] || { (cd "$root" && cargo build --locked -q); MLPC=${CARGO_TARGET_DIR:-$root/target}/debug/mlpc; }
if [ -z "${DVC:-}" ]; then
  "$here/setup.sh" dvc > /dev/null
  DVC=$RIG/dvc/bin/dvc
fi
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
export GIT_CONFIG_GLOBAL=/dev/null DVC_NO_ANALYTICS=1
for role in AUTHOR COMMITTER; do export "GIT_${role}_NAME=j" "GIT_${role}_EMAIL=j@example.com"; done
fail() { echo "FAIL: $1"; tail -40 "$work/log"; exit 1; }

mkdir "$work/project"; cd "$work/project"
git init -q; "$DVC" init -q
mkdir -p data/images src
python3 - <<'END'
import random
chance = random.Random(5)
with open("data/rows.csv", "w") as file:
    print("x,y", file=file)
    for _ in range(400):
        x = chance.random()
        print(f"{x:.6f},{2 * x + 1 + chance.gauss(0, 0.1):.6f}", file=file)
for name in "abc":
    with open(f"data/images/{name}.txt", "w") as file:
        file.write(name * 10)
END
cat > params.yaml <<'END'
split: {seed: 7, share: 0.25}
fit: {rounds: 40, rate: 0.5, sign: plus}
END
cat > src/common.py <<'END'
def rows(path):
    with open(path) as file:
        next(file)
        return [tuple(map(float, line.split(","))) for line in file]
def params(section):
    found, lines = {}, open("params.yaml").read().splitlines()
    for line in lines:
        name, _, rest = line.partition(":")
        if name == section:
            for field in rest.strip(" {}").split(","):
                key, value = field.split(":")
                found[key.strip()] = value.strip(" '\"")
    return found
END
cat > src/split.py <<'END'
import os, random, sys
from common import params, rows
asked = params("split")
chance = random.Random(int(asked["seed"]))
os.makedirs("work/split", exist_ok=True)
with open("work/split/train.csv", "w") as train, open("work/split/test.csv", "w") as test:
    for file in (train, test):
        print("x,y", file=file)
    for x, y in rows(sys.argv[1]):
        print(f"{x},{y}", file=test if chance.random() < float(asked["share"]) else train)
END
cat > src/fit.py <<'END'
import json, os, sys
from common import rows
rounds, rate, folder = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
data, slope, offset = rows("work/split/train.csv"), 0.0, 0.0
for _ in range(rounds):
    errors = [(slope * x + offset - y, x) for x, y in data]
    slope -= rate * sum(error * x for error, x in errors) / len(data)
    offset -= rate * sum(error for error, _ in errors) / len(data)
seen = sorted(os.listdir(folder))
json.dump({"slope": slope, "offset": offset, "seen": seen}, open("work/model.json", "w"))
END
cat > src/score.py <<'END'
import json
from common import rows
model = json.load(open("work/model.json"))
errors = [(model["slope"] * x + model["offset"] - y) ** 2 for x, y in rows("work/split/test.csv")]
json.dump({"rmse": (sum(errors) / len(errors)) ** 0.5, "n": len(errors)}, open("work/scores.json", "w"))
open("work/curve.csv", "w").writelines(["step,error\n"] + [f"{i},{e}\n" for i, e in enumerate(errors)])
END
cat > dvc.yaml <<'END'
stages:
  split:
    cmd: python3 src/split.py data/rows.csv
    deps: [data/rows.csv, src/split.py]
    params: [split.seed, split.share]
    outs: [work/split]
  fit:
    cmd: python3 src/fit.py ${fit.rounds} ${fit.rate} data/images
    deps: [work/split/train.csv, data/images, src/fit.py]
    outs: [work/model.json]
  score:
    cmd: python3 src/score.py
    deps: [work/model.json, work/split, src/score.py]
    metrics:
      - work/scores.json: {cache: false}
    plots:
      - work/curve.csv: {cache: false}
  look:
    foreach: [slope, offset]
    do:
      cmd: python3 -c "import json; print(json.load(open('work/model.json'))['${item}'])" > work/look-${item}.txt
      deps: [work/model.json]
      outs: ['work/look-${item}.txt']
  all:
    matrix:
      part: [slope, offset]
      times: [2, 3]
    cmd: 'for i in $(seq ${item.times}); do cat "work/look-${item.part}.txt"; done > work/all-${item.part}-${item.times}.txt'
    deps: ['work/look-${item.part}.txt']
    outs: ['work/all-${item.part}-${item.times}.txt']
  # No loop: the shell reads braces before it puts variables in.
  count:
    foreach: [2, 3]
    do:
      cmd: echo {1..${item}} > work/count-${item}.txt
      outs: ['work/count-${item}.txt']
END
"$DVC" add -q data/rows.csv data/images
# DVC runs a command in $SHELL, else in sh, which knows no braces; what is imported always runs in bash.
SHELL=$(command -v bash) "$DVC" repro -q > "$work/log" 2>&1 || fail "dvc repro"
cp -r work "$work/expected"
rm -rf work data/rows.csv data/images .dvc/tmp
git add -A; git commit -qm "a project"

"$MLPC" import dvc.yaml > "$work/log" 2>&1 || fail "mlpc import"
grep -q 'dvc("data/rows.csv")' pipeline.mlp || fail "the data is no source of DVC's"
grep -q '^stage look for item in \["slope", "offset"\]' pipeline.mlp || fail "a foreach is no loop: $(cat pipeline.mlp)"
"$MLPC" check > "$work/log" 2>&1 || fail "mlpc check"
"$MLPC" run > "$work/log" 2>&1 || fail "mlpc run"
diff -x .gitignore -r work "$work/expected" > "$work/log" || fail "other outputs than dvc repro's"
[ ! -e data/rows.csv ] || fail "the workspace got data that nobody asked for there"

"$MLPC" run --set fit_rounds=3 > "$work/log" 2>&1 || fail "another parameter"
diff -x .gitignore -rq work "$work/expected" > "$work/log" && fail "a parameter changes nothing"
"$MLPC" run > "$work/log" 2>&1 || fail "back again"
diff -x .gitignore -r work "$work/expected" > "$work/log" || fail "not as it was"

rm -rf .dvc/cache .mlpc work
"$MLPC" run > "$work/log" 2>&1 && fail "it ran without its data"
grep -q 'run `dvc pull data/rows.csv`' "$work/log" || fail "it does not say how the data comes back"
echo "dvc: imported, and the same outputs as dvc repro"
