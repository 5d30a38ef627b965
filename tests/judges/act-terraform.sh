#!/usr/bin/env bash
# Runs the example fraud-sagemaker as GitHub would, under act, with its stand-ins for terraform and aws: data out of DVC's remote, Terraform's plan as a stage, its apply as an
# action, its outputs as a stage that the deploy reads. The same run again applies nothing twice; an apply that fails leaves the endpoint alone.
# usage: act-terraform.sh [MLPC]     MLPC: the program (default: built here). env: RIG, see rig.sh. Exit status: 0 when all of it is so.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); . "$here/rig.sh"
root=$(cd "$here/../.." && pwd)
MLPC=${1:+$(realpath "$1")}
[ -n "$MLPC" ] || { (cd "$root" && cargo build --locked -q); MLPC=${CARGO_TARGET_DIR:-$root/target}/debug/mlpc; }
work=$(mktemp -d); trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
mkdir "$work/bin"; ln -s "$MLPC" "$work/bin/mlpc"
export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=j GIT_AUTHOR_EMAIL=j@example.com GIT_COMMITTER_NAME=j GIT_COMMITTER_EMAIL=j@example.com
workflow=.github/workflows/fraud_sagemaker.yml
"$root/examples/try" --set-up fraud-sagemaker "$work"
cd "$work/fraud-sagemaker"; export PATH="$work/bin:$PWD/bin:$PATH"
# As its README does: the event is somebody else's to send. This machine is the runner.
sed -i -e '/^## What the endpoint was asked/d; /^source asked/d; /^## Looks every day/d' pipeline.mlp
sed -i -e '/^monitor drift/,/^}/c external event "retrain-model"' -e 's/^target github .*/target github { install: "preinstalled" }/' pipeline.mlp

fail() { echo "FAIL: $1"; tail -80 "$work/log"; cat .cloud/calls.txt || true; exit 1; }
act() { GHA_ARTIFACTS=$(mktemp -d -p "$work") "$here/run-gha.sh" . "$workflow" push --env "GITHUB_RUN_ID=$1" --env "GITHUB_RUN_ATTEMPT=${2:-1}" > "$work/log" 2>&1; }
calls() { grep -c "^$1" .cloud/calls.txt || true; }
has() { grep -qF "$1" "$work/log" || fail "not said: $1"; }

mlpc compile --target github
"$here/lint-gha.sh" "$workflow"
git add -A; git commit -qm "as a workflow"; git push -q origin main
act 1 || fail "the first run is red"
has 'fetched the source `transactions`: 1 object of DVC'
order=$(grep -oE 'infra (plan|apply|output)|sagemaker update-endpoint' .cloud/calls.txt | tr '\n' ',')
[ "$order" = "infra plan,infra apply,infra output,sagemaker update-endpoint," ] || fail "the order was $order"
version=$(cat .cloud/endpoint-fraud-scoring)
echo "ok: planned, applied, its outputs read, and $version deployed where they say"

act 1 2 || fail "the same run again is red"
has 'infra: hit'; has 'deploy: hit'
[ "$(calls 'terraform -chdir=infra apply')" = 1 ] || fail "it was applied twice in one run"
[ "$(calls 'terraform -chdir=infra output')" = 2 ] || fail "what an action left was not looked up again"
[ "$(calls 'aws sagemaker update-endpoint')" = 1 ] || fail "it was deployed twice in one run"
echo "ok: the same run again applies and deploys nothing twice, and still knows the outputs"

sed -i 's/^  apply)$/  apply) echo "Error: no quota" >\&2; exit 1/' bin/terraform
if act 2; then fail "a failed apply is green"; fi
has 'Error: no quota'
[ "$(calls 'terraform -chdir=infra output')" = 2 ] && [ "$(calls 'aws sagemaker update-endpoint')" = 1 ] || fail "it went on behind a failed apply"
echo "ok: a failed apply is red, and the endpoint stays"
