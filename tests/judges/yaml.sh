#!/usr/bin/env bash
# Asks readers of YAML 1.1 and 1.2 whether they read the emitter's corpus as it was meant.
# usage: yaml.sh      env: RIG, where setup.sh put the judges. Exit status: 0 when every reader agrees.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); . "$here/rig.sh"
"$RIG/venv/bin/python" "$here/yaml/read.py"
node "$here/yaml/read.mjs"
