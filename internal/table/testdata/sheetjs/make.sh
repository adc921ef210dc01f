#!/bin/sh
# Makes the workbooks in this folder anew, and beside each the cells that were put into it, with SheetJS
# (npm: xlsx 0.18.5; Debian: nodejs, npm). A second run changes no byte.
set -eu
cd "$(dirname "$0")"
modules=$(mktemp -d)
trap 'rm -rf "$modules"' EXIT
npm install --silent --no-save --prefix "$modules" xlsx@0.18.5
TZ=UTC NODE_PATH="$modules/node_modules" node make.js
