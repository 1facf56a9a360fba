#!/usr/bin/env bash
# What each engine alone adds to a program that reads a request as JSON and decides (src/bin/one.rs): crates in the
# engine's own tree, clean release build, stripped size over a program that does nothing. Slow: each engine is built
# from nothing. `sizes.sh zen cel` measures these two.
set -euo pipefail
cd "$(dirname "$0")"

engines=("$@")
[ ${#engines[@]} -gt 0 ] || engines=(stagegate hand hand-times datalogic zen regorus casbin rhai cel cedar)
declare -A package=([stagegate]=stagegate [datalogic]=datalogic-rs [zen]=zen-expression [regorus]=regorus
  [casbin]=casbin [rhai]=rhai [cel]=cel [cedar]=cedar-policy)

# datalogic-rs may declare a newer Rust than is installed.
options=(--release --locked --ignore-rust-version --no-default-features)
export CARGO_PROFILE_RELEASE_STRIP=symbols
target=$(mktemp -d)
trap 'rm -rf "$target"' EXIT
cargo fetch --locked --quiet
TIMEFORMAT='%R %U %S'

cargo build "${options[@]}" --quiet --bin empty --target-dir "$target/empty"
empty=$(stat -c %s "$target/empty/release/empty")

echo "$(rustc --version), $(nproc) cores, $(date -u +%F); an empty program has $empty bytes"
echo
echo "| engine | version | crates | build: seconds passed | build: seconds of CPU | bytes added | load before |"
echo "| --- | --- | ---: | ---: | ---: | ---: | ---: |"
for engine in "${engines[@]}"; do
  crates=0 version=-
  if [ -n "${package[$engine]:-}" ]; then
    tree=$(cargo tree --locked --no-default-features --features "$engine" -e normal,build --prefix depth --no-dedupe |
      awk -v engine="1${package[$engine]}" '
        { depth = name = $0; sub(/[^0-9].*/, "", depth); sub(/^[0-9]+/, "", name) }
        depth == 1 { inside = $1 == engine }
        inside { print name }' | sed 's/ (.*//' | sort -u)
    crates=$(wc -l <<<"$tree")
    version=$(sed -n "s/^${package[$engine]} v//p" <<<"$tree")
  fi
  load=$(cut -d' ' -f1 /proc/loadavg)
  took=$({ time cargo build "${options[@]}" --quiet --features "one,$engine" --bin one \
    --target-dir "$target/$engine" 2>"$target/log"; } 2>&1) || { cat "$target/log" >&2; exit 1; }
  read -r real user sys <<<"$took"
  bytes=$(($(stat -c %s "$target/$engine/release/one") - empty))
  cpu=$(awk "BEGIN { print $user + $sys }")
  echo "| $engine | $version | $crates | $real | $cpu | $bytes | $load |"
  rm -rf "${target:?}/$engine"
done
