#!/usr/bin/env bash
# Asks the judges of workflows about every golden of the target, each under the name that it has in a repository.
# usage: github.sh     env: RIG, see rig.sh. Exit status: 0 when nobody objects.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); . "$here/rig.sh"
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
mkdir -p "$work/.github/workflows"
# The labels of our own runners that the fixtures name; actionlint asks for a list of such labels.
printf 'self-hosted-runner:\n  labels: [gpu]\n' > "$work/.github/actionlint.yaml"
cd "$work"; git init -q
for golden in "$here"/../../targets/github/fixtures/*/workflow.yml; do
  cp "$golden" ".github/workflows/$(basename "$(dirname "$golden")").yml"
done
"$here/lint-gha.sh" .github/workflows/*.yml
