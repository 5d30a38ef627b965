#!/usr/bin/env bash
# Runs the quickstart's workflow with a gate that asks a person, under act, with a stand-in for `gh`: act asks nobody, as GitHub does
# where an environment has no reviewers, so without a new review nothing is released; with one, it is.
# usage: act-approval.sh [MLPC]     MLPC: the program (default: built here). env: RIG, see rig.sh. Exit status: 0 when both are so.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); . "$here/rig.sh"
root=$(cd "$here/../.." && pwd)
MLPC=${1:+$(realpath "$1")}
[ -n "$MLPC" ] || { (cd "$root" && cargo build --locked -q); MLPC=${CARGO_TARGET_DIR:-$root/target}/debug/mlpc; }
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"; ln -s "$MLPC" "$work/bin/mlpc"; export PATH="$work/bin:$PATH"
export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=j GIT_AUTHOR_EMAIL=j@example.com GIT_COMMITTER_NAME=j GIT_COMMITTER_EMAIL=j@example.com
# The reviews of a run: none when the gate's job asks, and $work/reviews afterwards.
cat > "$work/bin/gh" <<END
#!/usr/bin/env bash
[ "\$1" = api ] || exit 1
if [ -e "$work/asked" ]; then cat "$work/reviews"; else touch "$work/asked"; echo '[]'; fi
END
chmod +x "$work/bin/gh"
workflow=.github/workflows/quickstart.yml
git init -q --bare -b main "$work/remote.git"
git init -q -b main "$work/repo"; cd "$work/repo"; git remote add origin "$work/remote.git"
cp -r "$root/examples/quickstart/." .; rm -rf .mlpc out registry
sed -i -e 's/^target github .*/target github { install: "preinstalled" }\napproval bootstrap of train.model { by: ["alice"], environment: "bootstrap", timeout: 24h }/' \
  -e 's/on no_baseline: pass/on no_baseline: ask bootstrap/' pipeline.mlp

fail() { echo "FAIL: $1"; tail -60 "$work/log"; exit 1; }
run=0
act() { run=$((run + 1)); rm -f "$work/asked"; GHA_ARTIFACTS=$(mktemp -d -p "$work") "$here/run-gha.sh" . "$workflow" push --env "GITHUB_RUN_ID=$run" > "$work/log" 2>&1; }
pointer() { git -C "$work/remote.git" rev-parse -q --verify refs/heads/mlpc-registry || echo none; }
review() { echo "[{\"state\": \"$2\", \"comment\": \"\", \"user\": {\"login\": \"$1\"}, \"environments\": [{\"name\": \"bootstrap\"}]}]" > "$work/reviews"; }
has() { grep -q "$1" "$work/log" || fail "no \`$1\`"; }

mlpc compile --target github
"$here/lint-gha.sh" "$workflow"
git add -A; git commit -qm "the quickstart"; git push -q origin main

echo '[]' > "$work/reviews"
if act; then fail "nobody approved, and the run is green"; fi
has 'GitHub ran the job without asking'; has 'bootstrap: not approved'
[ "$(pointer)" = none ] || fail "nobody approved, and the branch is there"
echo "ok: red where nobody was asked, and nothing released"

review mallory approved
if act; then fail "somebody else approved, and the run is green"; fi
has 'mallory, who may not decide'
[ "$(pointer)" = none ] || fail "somebody else approved, and the branch is there"
echo "ok: red where somebody else approved"

review alice approved
act || fail "alice approved, and the run is red"
has 'bootstrap: approved by alice'; has 'quality: pass (approved)'
[ "$(pointer)" != none ] || fail "alice approved, and the branch is not there"
echo "ok: green where a listed person approved, and the registry's branch moved"
