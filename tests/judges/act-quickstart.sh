#!/usr/bin/env bash
# Runs the quickstart's workflow under act, with a bare repository on disk as the remote: green with the registry's branch
# moved; with the threshold raised and compiled again red, the branch untouched; not compiled again red as stale.
# usage: act-quickstart.sh [MLPC]     MLPC: the program (default: built here). env: RIG, see rig.sh. Exit status: 0 when all three are so.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); . "$here/rig.sh"
root=$(cd "$here/../.." && pwd)
MLPC=${1:+$(realpath "$1")}
[ -n "$MLPC" ] || { (cd "$root" && cargo build --locked -q); MLPC=${CARGO_TARGET_DIR:-$root/target}/debug/mlpc; }
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"; ln -s "$MLPC" "$work/bin/mlpc"; export PATH="$work/bin:$PATH"
export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=j GIT_AUTHOR_EMAIL=j@example.com GIT_COMMITTER_NAME=j GIT_COMMITTER_EMAIL=j@example.com
repo=$work/repo pipeline=examples/quickstart/pipeline.mlp workflow=.github/workflows/quickstart.yml
git init -q --bare -b main "$work/remote.git"
git init -q -b main "$repo"; cd "$repo"; git remote add origin "$work/remote.git"
mkdir -p examples; cp -r "$root/examples/quickstart" examples/; rm -rf examples/quickstart/{.mlpc,out,registry}
# The program is on the runner already: this machine is the runner.
sed -i 's/^target github .*/target github { install: "preinstalled", runners: { default: "ubuntu-latest" } }/' "$pipeline"

fail() { echo "FAIL: $1"; tail -60 "$work/log"; exit 1; }
push() { git add -A; git commit -qm "$1"; git push -q origin main; }
# Each run has artifacts of its own, and act says what it says into $work/log.
act() { GHA_ARTIFACTS=$(mktemp -d -p "$work") "$here/run-gha.sh" "$repo" "$workflow" push --env "GITHUB_RUN_ID=$1" > "$work/log" 2>&1; }
pointer() { git -C "$work/remote.git" rev-parse -q --verify refs/heads/mlpc-registry || echo none; }

mlpc compile -f "$pipeline" --target github
"$here/lint-gha.sh" "$workflow"
push "the quickstart"
act 1 || fail "the first run is red"
first=$(pointer); [ "$first" != none ] || fail "the registry's branch is not there"
git -C "$work/remote.git" ls-tree -r --name-only mlpc-registry | sed 's/^/  registry: /'
echo "ok: green, and the registry's branch moved"

# A comment changes no byte of what is compiled.
sed -i '1i # a comment' "$pipeline"; mlpc compile -f "$pipeline" --target github --check
echo "ok: a comment changes no byte"

sed -i 's/require auc_roc  *>= 0.95/require auc_roc >= 0.9999/' "$pipeline"
grep -q '0.9999' "$pipeline" || fail "the threshold is not where it was"
push "a higher bar, not compiled"
if act 2; then fail "the stale run is green"; fi
grep -q 'this workflow is stale: run mlpc compile' "$work/log" || fail "the stale run does not say so"
grep -q 'exit status 11' "$work/log" || fail "the stale run does not end with 11"
[ "$(pointer)" = "$first" ] || fail "the stale run moved the branch"
echo "ok: red as stale"

mlpc compile -f "$pipeline" --target github
push "a higher bar, compiled"
if act 3; then fail "the run with the higher bar is green"; fi
grep -q 'Summary - .*quality: fail' "$work/log" || fail "no \`quality: fail\` in the summary"
grep -q 'compared with .*models@production' "$work/log" || fail "the gate did not compare with the production model"
[ "$(pointer)" = "$first" ] || fail "the run with the higher bar moved the branch"
echo "ok: red with quality: fail, and the registry's branch where it was"
