# shellcheck shell=bash
# Sourced by the judges: where setup.sh puts what it installs. Outside the repository, kept from run to run.
export RIG=${RIG:-${XDG_CACHE_HOME:-$HOME/.cache}/mlpc-judges}
