#!/usr/bin/env bash
# Runs each `npm install` line of the README and the docs in an empty directory, with the tarball in place of effect-arta.
# Usage: install-lines.sh <tarball> [file…]
set -euo pipefail
tarball=$(realpath "$1")
shift
cd "$(dirname "$0")/.."
files=("$@")
((${#files[@]})) || files=(README.md docs/*.md)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Collect the lines of shell code blocks, with continuation lines joined.
mapfile -t lines < <(awk '
  FNR == 1 { inside = 0; joined = "" }
  /^[ ]*```/ { inside = !inside && $0 ~ /^[ ]*```(sh|bash|shell)[ ]*$/; next }
  inside {
    joined = joined $0
    if (sub(/\\$/, "", joined)) next
    sub(/^[ ]*(\$ )?/, "", joined)
    if (joined ~ /^npm (install|i) /) print joined
    joined = ""
  }' "${files[@]}" | sort -u)
((${#lines[@]})) || { echo "no npm install line found in ${files[*]}" >&2; exit 1; }

for line in "${lines[@]}"; do
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
done
