#!/usr/bin/env bash
# Runs the quickstart in its several ways, and holds what `--json` writes against the published schemas.
# usage: schemas.sh MLPC     env: RIG, see rig.sh. Exit status: 0 when everything fits, and a broken value does not.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); . "$here/rig.sh"
root=$(cd "$here/../.." && pwd); MLPC=$(realpath "$1")
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
judge() { "$RIG/venv/bin/python" "$here/schemas.py" "$root/book/src/schemas" "$@"; }
cp -r "$root/examples/quickstart" "$work/quickstart"; cd "$work/quickstart"; rm -rf .mlpc out registry
run() { local name=$1 want=$2 got=0; shift 2; "$MLPC" run --json "$@" > "$work/$name.jsonl" || got=$?; [ "$got" = "$want" ] || { echo "FAIL: $name ended with $got"; exit 1; }; }
run first 0
run again 0
sed -i 's/^DECAY = .*/DECAY = 0.001/' src/train.py
run edited 0
run forced 0 train --force
sed -i 's/>= 0.95/>= 0.9999/' pipeline.mlp
run refused 10
echo 'raise SystemExit("no")' > src/train.py
run failed 1
reports=(); for report in .mlpc/gates/*/gate_report.json; do reports+=("$report=gate_report.schema.json"); done
judge "$work"/{first,again,edited,forced,refused,failed}.jsonl "${reports[@]}"
sed 's/"exit":1,/"exit":7,/' "$work/failed.jsonl" > "$work/broken.jsonl"
! judge "$work/broken.jsonl" > "$work/log" || { echo "FAIL: the judge objects to nothing"; exit 1; }
