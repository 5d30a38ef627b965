#!/usr/bin/env bash
# Asks the engine of Visual Studio Code whether the grammar marks what it should, and node whether the extension's files read.
# usage: editor.sh      env: RIG, see rig.sh (setup.sh editor).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); . "$here/rig.sh"
root=$(cd "$here/../.." && pwd)
for file in "$root"/editors/vscode/{package,language-configuration,syntaxes/mlp.tmLanguage}.json; do
  node -e 'JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"))' "$file"
done
node --check "$root/editors/vscode/extension.js"
node --no-warnings "$here/editor/grammar.mjs" "$root"
