#!/usr/bin/env bash
# Asks the CRD schemas of Argo Workflows and Argo's own linter about manifests, and installs both first.
# usage: argo-lint.sh [FOLDER…]     folders with the files of one pipeline each; default: every golden of the target
# Exit status: 0 clean, 1 findings, 2 nothing to look at.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); . "$here/rig.sh"
"$here/setup.sh" argo >/dev/null
[ $# -gt 0 ] || set -- "$(cd "$here/../.." && pwd)"/targets/argo/fixtures/*/
bad=0
for folder; do folder=${folder%/}
  files=()
  for file in "$folder"/*-{template,submit,cron}.yaml; do [ -e "$file" ] && files+=("$file"); done
  [ ${#files[@]} -gt 0 ] || { echo "argo-lint.sh: no manifests in $folder" >&2; exit 2; }
  "$RIG/venv/bin/python" "$here/crd_validate.py" "$here/schemas/argo-workflows-v4.1.2.crds.json.gz" "${files[@]}" || bad=1
  "$RIG/bin/argo-lint" "${files[@]}" || bad=1
done
exit $bad
