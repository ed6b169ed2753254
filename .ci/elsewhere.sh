#!/usr/bin/env bash
# Uses the package with Yarn's Plug'n'Play, in a webpack bundle, and on Bun.
# Usage: elsewhere.sh <tarball>
set -euo pipefail
tarball=$(realpath "$1")
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
peers=(effect@3 @effect/platform@0.97 @effect/platform-node@0.108)
cp .ci/elsewhere.mjs "$work"

printf "\nYarn Plug'n'Play\n"
mkdir "$work/yarn"
cd "$work/yarn"
cp ../elsewhere.mjs program.mjs
echo '{ "private": true, "type": "module" }' >package.json
touch yarn.lock
# Yarn does not read the settings of npm.
YARN_NPM_REGISTRY_SERVER=$(npm config get registry)
export YARN_NPM_REGISTRY_SERVER YARN_UNSAFE_HTTP_WHITELIST='*' YARN_ENABLE_TELEMETRY=0 YARN_NODE_LINKER=pnp YARN_ENABLE_IMMUTABLE_INSTALLS=false
yarn() { npm exec --yes --package=@yarnpkg/cli-dist@4 -- yarn "$@"; }
yarn add "effect-arta@file:$tarball" "${peers[@]}" >yarn.log || { cat yarn.log; exit 1; }
yarn node program.mjs | grep -x "1 image"
yarn effect-arta generate "a fox" --seed 7 --emulator | grep -x images/a-fox-7-0.png

printf '\nwebpack\n'
mkdir "$work/npm"
cd "$work/npm"
cp ../elsewhere.mjs program.mjs
npm init --yes >/dev/null
npm install --silent "$tarball" "${peers[@]}" webpack@5 webpack-cli@7 @oven/bun-linux-x64@1
npx webpack --mode production --no-optimization-minimize --target node --entry ./program.mjs >webpack.log || { cat webpack.log; exit 1; }
node dist/main.js | grep -x "1 image"

printf '\nBun\n'
bun=node_modules/@oven/bun-linux-x64/bin/bun
"$bun" program.mjs | grep "Arta.layer with FetchHttpClient.layer"
"$bun" program.mjs fetch | grep -x "1 image"
