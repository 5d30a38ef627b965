#!/usr/bin/env bash
# Executes a workflow on this machine with act: no Docker, no network, each job in a copy of the work tree.
# usage: run-gha.sh REPO_DIR WORKFLOW.yml [EVENT=push] [act options…]
#   REPO_DIR      git work tree with at least one commit
#   WORKFLOW.yml  path inside REPO_DIR
# actions/checkout is act's own copy; upload-artifact, download-artifact, setup-*, cache and the step that gets AWS's keys are the stand-ins in gha/.
# env: RIG, see rig.sh; GHA_ARTIFACTS, the folder of the artifacts (default: a fresh one, printed at the end).
# Exit status: act's own.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); . "$here/rig.sh"
repo=$1 workflow=$2; shift 2; event=push
if [ $# -gt 0 ] && [ "${1#-}" = "$1" ]; then event=$1; shift; fi
export GHA_ARTIFACTS=${GHA_ARTIFACTS:-$(mktemp -d)}
args=()
for label in ubuntu-latest ubuntu-24.04 ubuntu-22.04 self-hosted; do args+=(-P "$label=-self-hosted"); done
# Each action of the workflow at the commit that it is pinned to there.
while read -r uses; do
  case $uses in
    actions/upload-artifact@*) stand_in=upload-artifact ;;
    actions/download-artifact@*) stand_in=download-artifact ;;
    actions/setup-*) stand_in=setup ;;
    actions/cache@* | actions/cache/*) stand_in=cache ;;
    aws-actions/*) stand_in=credentials ;;
    *) continue ;;
  esac
  args+=(--local-repository "$uses=$here/gha/$stand_in")
done < <(grep -ohE '(actions/(upload-artifact|download-artifact|setup-[a-z]+|cache)|aws-actions/configure-aws-credentials)@[A-Za-z0-9._-]+' "$repo/$workflow" | sort -u)
home=$(mktemp -d); trap 'rm -rf "$home"' EXIT
status=0
(cd "$repo" && env -i HOME="$home" PATH="$PATH" LANG=C.UTF-8 "$RIG/venv/bin/act" "$event" -W "$workflow" \
  --no-cache-server --env GHA_ARTIFACTS="$GHA_ARTIFACTS" "${args[@]}" "$@") || status=$?
echo "artifacts: $GHA_ARTIFACTS"
exit $status
