#!/usr/bin/env bash
# Uses the package with Yarn's Plug'n'Play, in a webpack bundle, and on Bun. Skips each of them that cannot be downloaded.
# Usage: elsewhere.sh <tarball>
set -euo pipefail
tarball=$(realpath "$1")
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp .ci/elsewhere.mjs "$work"
peers=(effect@3 @effect/platform@0.97 @effect/platform-node@0.108)

skip() { echo "skipped: $1 could not be downloaded"; }
yarn() { npm exec --yes --package=@yarnpkg/cli-dist@4 -- yarn "$@"; }

with_skip() { echo "skipped: $1 could not be downloaded"; }
yarn() {
  mkdir "$work/yarn"
  cd "$work/yarn"
  cp ../elsewhere.mjs program.mjs
  echo '{ "private": true, "type": "module" }' >package.json
  touch yarn.lock
  # Yarn does not read the settings of npm.
  YARN_NPM_REGISTRY_SERVER=$(npm config get registry)
  export YARN_NPM_REGISTRY_SERVER YARN_UNSAFE_HTTP_WHITELIST='*' YARN_ENABLE_TELEMETRY=0 YARN_NODE_LINKER=pnp YARN_ENABLE_IMMUTABLE_INSTALLS=false
  yarn --version >yarn.log 2>&1 || { skip Yarn; return 0; }
  if ! yarn add "effect-arta@file:$tarball" "${peers[@]}" >yarn.log 2>&1; then
    cat yarn.log
    # What Yarn prints if the registry cannot be reached or refuses a download.
    grep -qE 'YN0035|YN0041|YN0080|RequestError|ENOTFOUND|ECONN|ETIMEDOUT' yarn.log || return 1
    skip "what Yarn needs"
    return 0
  fi
  yarn node program.mjs | grep -x "1 image"
  yarn effect-arta generate "a fox" --seed 7 --emulator | grep -x images/a-fox-7-0.png
}

with_webpack() {
  npm install --silent webpack@5 webpack-cli@7 || { skip webpack; return 0; }
  npx webpack --mode production --no-optimization-minimize --target node --entry ./program.mjs >webpack.log || { cat webpack.log; return 1; }
  node dist/main.js | grep -x "1 image"
}

with_bun() {
  npm install --silent @oven/bun-linux-x64@1 || { skip Bun; return 0; }
  local bun=node_modules/@oven/bun-linux-x64/bin/bun
  "$bun" program.mjs | grep "Arta.layer with FetchHttpClient.layer"
  "$bun" program.mjs fetch | grep -x "1 image"
}

printf "\nYarn Plug'n'Play\n"
(with_yarn)

mkdir "$work/npm"
cd "$work/npm"
cp ../elsewhere.mjs program.mjs
npm init --yes >/dev/null
npm install --silent "$tarball" "${peers[@]}"
printf '\nwebpack\n'
with_webpack
printf '\nBun\n'
with_bun
