#!/usr/bin/env bash
# Keeps values by name.
set -euo pipefail

LIMIT=10
export NAME="store"

# Loads a value
# by its name.
function load() {
  local name=$1
  echo "$name"
}

save () {
  cat <<EOF
hello # no comment
EOF
}

alias ll='ls -l'

main() { load "$@"; }
main "$@"
