#!/usr/bin/env bash
# Asks every judge of GitHub workflows that works offline, and says which one objects.
# usage: lint-gha.sh FILE.yml…     env: RIG, see rig.sh. Exit status: the number of judges that object.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd); . "$here/rig.sh"
objections=0
ask() {
  local name=$1 said; shift
  if said=$("$@" 2>&1); then echo "ok    $name"; else
    echo "FAIL  $name"; head -60 <<< "$said"; objections=$((objections + 1))
  fi
}
ask "github's own parser" node --no-warnings "$here/gha/official.mjs" "$@"
ask "actionlint"          "$RIG/bin/actionlint" -no-color -oneline "$@"
ask "json schema"         "$RIG/venv/bin/check-jsonschema" --builtin-schema vendor.github-workflows "$@"
ask "zizmor"              "$RIG/venv/bin/zizmor" --offline --no-progress -q "$@"
exit $objections
