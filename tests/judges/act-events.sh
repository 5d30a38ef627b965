#!/usr/bin/env bash
# Starts the quickstart's workflow, with managed steps, by other events than a push, under act: a pull request shows its gates and
# releases nothing; by hand it takes a parameter, refuses one out of its range, and releases from main alone.
# usage: act-events.sh [MLPC]     MLPC: the program (default: built here). env: RIG, see rig.sh. Exit status: 0 when all of it is so.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); . "$here/rig.sh"
root=$(cd "$here/../.." && pwd)
MLPC=${1:+$(realpath "$1")}
[ -n "$MLPC" ] || { (cd "$root" && cargo build --locked -q); MLPC=${CARGO_TARGET_DIR:-$root/target}/debug/mlpc; }
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"; ln -s "$MLPC" "$work/bin/mlpc"; export PATH="$work/bin:$PATH"
export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=j GIT_AUTHOR_EMAIL=j@example.com GIT_COMMITTER_NAME=j GIT_COMMITTER_EMAIL=j@example.com
workflow=.github/workflows/quickstart.yml
git init -q --bare -b main "$work/remote.git"
git init -q -b main "$work/repo"; cd "$work/repo"; git remote add origin "$work/remote.git"
cp -r "$root/examples/quickstart/." .; rm -rf .mlpc out registry
sed -i -e 's/^target github .*/target github { install: "preinstalled", steps: "managed" }/' \
  -e 's/^on push .*/on push { branches: ["main"], profile: shared }\non pull_request { branches: ["main"], profile: smoke }\non manual { epochs }/' \
  -e 's/^profile shared/profile smoke { set epochs = 1   set models = git("mlpc-registry") }\nprofile shared/' pipeline.mlp

fail() { echo "FAIL: $1"; tail -60 "$work/log"; exit 1; }
run=0
act() { run=$((run + 1)); GHA_ARTIFACTS=$(mktemp -d -p "$work") "$here/run-gha.sh" . "$workflow" "$@" --env "GITHUB_RUN_ID=$run" > "$work/log" 2>&1; }
pointer() { git -C "$work/remote.git" rev-parse -q --verify refs/heads/mlpc-registry || echo none; }
has() { grep -q "$1" "$work/log" || fail "no \`$1\`"; }

mlpc compile --target github
"$here/lint-gha.sh" "$workflow"
git add -A; git commit -qm "the quickstart"; git push -q origin main

echo '{"pull_request": {"head": {"ref": "feature", "sha": "0"}, "base": {"ref": "main"}}}' > "$work/event.json"
act pull_request -e "$work/event.json" || fail "the pull request is red"
has 'quality: pass (advisory)'; has 'release: skipped: not part of this run'
[ "$(pointer)" = none ] || fail "the pull request wrote to the registry"
echo "ok: a pull request shows its gates and releases nothing"

if act workflow_dispatch --input epochs=900; then fail "a parameter out of its range was taken"; fi
# shellcheck disable=SC2016
has '`900` is not in the range of `int in 1..500`'
act workflow_dispatch --input epochs=7 || fail "the start by hand is red"
has 'in 7 epochs'
first=$(pointer); [ "$first" != none ] || fail "the start by hand released nothing"
echo "ok: by hand it takes a parameter, and refuses one out of its range"

git checkout -q -b side
act workflow_dispatch --input epochs=9 || fail "the start by hand on another branch is red"
has 'release: skipped: nothing is released from here'
[ "$(pointer)" = "$first" ] || fail "another branch released"
echo "ok: another branch than main releases nothing"
