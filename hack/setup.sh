#!/bin/sh
# Installs the pinned dependencies, Node included, when they are missing or older than package-lock.json.
# npm runs this before every script of ours, so that each works on a fresh clone.
set -eu
cd "$(dirname "$0")/.."

fail() {
  echo "setup: $1" >&2
  exit 1
}

# True when version $1 (such as v24.21.0 or 11.19.1) is at least major $2, minor $3.
at_least() {
  version=${1#v}
  major=${version%%.*}
  rest=${version#*.}
  minor=${rest%%.*}
  [ "$major" -gt "$2" ] || { [ "$major" -eq "$2" ] && [ "$minor" -ge "$3" ]; }
}

# npm writes this file at the end of an installation, so it is missing after one that was interrupted.
installed=node_modules/.package-lock.json
if [ ! -f "$installed" ] || [ -n "$(find package-lock.json -newer "$installed")" ]; then
  command -v npm >/dev/null || fail "npm is missing, expected npm 9 or newer: install Node.js from https://nodejs.org"
  npm_version=$(npm --version)
  at_least "$npm_version" 9 0 || fail "npm is $npm_version, expected 9 or newer: install a newer Node.js"
  echo "setup: installing the pinned dependencies (npm ci), about half a minute"
  npm ci --ignore-scripts --loglevel=error
  touch "$installed"
fi

# On Linux x86-64 the right Node comes with the dependencies; elsewhere the machine's own has to do.
node=node_modules/.bin/node
[ -x "$node" ] || node=$(command -v node) || fail "node is missing, expected Node.js 24.7 or newer"
node_version=$("$node" --version)
at_least "$node_version" 24 7 || fail "Node.js is $node_version, expected 24.7 or newer on this kind of machine"
