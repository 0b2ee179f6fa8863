#!/usr/bin/env bash
# Installs what the tests of the page need beside Chromium and node: two packages of npm, by version, into target/browser.
set -euo pipefail
cd "$(dirname "$0")/../.."
packages=(playwright-core@1.60.0 axe-core@4.14.1)
stamp=target/browser/node_modules/.chatd-${packages[*]//[^a-z0-9.]/-}
[ -e "${stamp// /_}" ] && exit 0
mkdir -p target/browser
npm install --prefix target/browser --no-save --no-audit --no-fund --ignore-scripts --loglevel=error "${packages[@]}" >/dev/null
touch "${stamp// /_}"
