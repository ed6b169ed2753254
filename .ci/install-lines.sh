#!/usr/bin/env bash
# Runs each `npm install` line of the README and the docs in an empty directory, with the tarball in place of effect-arta.
# The entries that the page imports must load then, and so must the entries that need no optional peer.
# Usage: install-lines.sh <tarball> [file…]
set -euo pipefail
tarball=$(realpath "$1")
shift
cd "$(dirname "$0")/.."
files=("$@")
((${#files[@]})) || files=(README.md docs/*.md)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Collect the lines of shell code blocks, each after its file, with continuation lines joined.
mapfile -t lines < <(awk '
  FNR == 1 { inside = 0; joined = "" }
  /^[ ]*```/ { inside = !inside && $0 ~ /^[ ]*```(sh|bash|shell)[ ]*$/; next }
  inside {
    joined = joined $0
    if (sub(/\\$/, "", joined)) next
    sub(/^[ ]*(\$ )?/, "", joined)
    if (joined ~ /^npm (install|i) /) print FILENAME "\t" joined
    joined = ""
  }' "${files[@]}" | sort -u)
((${#lines[@]})) || { echo "no npm install line found in ${files[*]}" >&2; exit 1; }

for file_and_line in "${lines[@]}"; do
  IFS=$'\t' read -r file line <<<"$file_and_line"
  directory=$(mktemp -d "$work/XXXXXX")
  command=$(TARBALL=$tarball awk '{
    for (i = 1; i <= NF; i++) {
      if ($i ~ /^#/) break
      printf "%s ", ($i == "effect-arta" ? ENVIRON["TARBALL"] : $i)
    }
  }' <<<"$line")
  printf '\n$ %s\n' "$line"
  (cd "$directory" && npm init --yes >/dev/null && bash -euo pipefail -c "$command") ||
    { echo "this install line of the documentation failed: $line" >&2; exit 1; }
  [[ $command == *"$tarball"* ]] || continue
  printf 'import "%s"\n' effect-arta{,/node,/testing,/server} >"$directory/imports.mjs"
  { grep -oE 'from "effect-arta[^"]*"' "$file" || true; } | sed 's/^from/import/' >>"$directory/imports.mjs"
  node "$directory/imports.mjs" || { echo "$file imports what this line does not install: $line" >&2; exit 1; }
done
