#!/usr/bin/env bash
# Packs the package, and uses it as other projects do.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# `npm ci` has just downloaded much of what the projects below need.
export npm_config_prefer_offline=true

step() { printf '\n== %s\n' "$*"; }

step "build and pack"
npm pack --pack-destination "$work"
tarball=$(echo "$work"/effect-arta-*.tgz)
npm exec --yes --package=publint@0.3 -- publint --strict "$tarball"
npm exec --yes --package=@arethetypeswrong/cli@0.18 -- attw --profile esm-only "$tarball"

step "run the install lines of the documentation"
.ci/install-lines.sh "$tarball"

step "use the package in an empty project"
mkdir "$work/consumer"
cd "$work/consumer"
cp "$root/.ci/consumer.ts" .
npm init --yes >/dev/null
npm pkg set type=module >/dev/null
npm install "$tarball" effect@3 @effect/platform@0.97 @effect/platform-node@0.108
npm install --save-dev typescript@5.9 @types/node@20
compile=(--strict --target es2022 --module nodenext --moduleResolution nodenext --lib es2023,esnext.disposable,dom --types node)
npx tsc "${compile[@]}" consumer.ts
# The published types must compile in a project without @types packages.
printf 'export * from "%s"\n' effect-arta effect-arta/node effect-arta/testing effect-arta/server >types.ts
npx tsc --strict --target es2022 --module nodenext --typeRoots none --noEmit types.ts
npm exec --yes --package=typescript@7 -- tsc "${compile[@]}" --noEmit consumer.ts
# The entries for other libraries compile beside these libraries, whose own types need packages that nobody else does.
npm install --no-save @ai-sdk/provider@4 @effect/ai@0.37 \
  @effect/sql@0.52.1 @effect/experimental@0.61.1 @effect/sql-pg@0.53.0
printf 'export * from "%s"\n' effect-arta/ai effect-arta/ai-sdk effect-arta/batch >entries.ts
npx tsc "${compile[@]}" --skipLibCheck --noEmit entries.ts
node consumer.js | tee consumer.log
grep -qx "images/a-lighthouse-7-0.png 1" consumer.log
test "$(head -c 4 images/a-lighthouse-7-0.png | tail -c 3)" = PNG

step "run the command from the tarball"
npx effect-arta --version
npx effect-arta generate "a fox" --seed 7 --emulator | grep -qx images/a-fox-7-0.png
npx effect-arta gallery images
grep -q 'a-fox-7-0.png' images/index.html
call='{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"generate_image","arguments":{"prompt":"a hare","seed":7}}}'
echo "$call" | npx effect-arta mcp --emulator --directory images | grep -q a-hare-7-0.png
# The MCP server is part of the command.
test ! -e node_modules/@modelcontextprotocol && test ! -e node_modules/zod

step "use the package with Plug'n'Play, webpack and Bun"
"$root/.ci/elsewhere.sh" "$tarball"
