#!/usr/bin/env bash
# Runs fuzz targets: tests/fuzz/run.sh SECONDS [TARGET…]; 10 s each, and all of them, by default.
#
# They are built as cargo-fuzz builds them, but without a sanitizer of memory: no unsafe code of ours is there to be
# checked. So the stable compiler is enough, and a C++ compiler for libFuzzer. (cargo-fuzz works, too:
# cargo fuzz run --fuzz-dir tests/fuzz --target-dir target/fuzz room.)
#
# Each begins with its small corpus and its words; `room` also with the conversations of docs/protocol.md. What it finds
# besides gathers in target/fuzz/found. An input that fails is kept in target/fuzz/failed, and is run again by
#     target/fuzz/TRIPLE/release/TARGET FILE
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${1:-10}
targets=("${@:2}")
if [ ${#targets[@]} -eq 0 ]; then
    mapfile -t targets < <(sed -n 's/^path = "targets\/\(.*\)\.rs"/\1/p' tests/fuzz/Cargo.toml)
fi
triple=$(rustc -vV | sed -n 's/^host: //p')
flags=(-Cpasses=sancov-module -Cdebug-assertions --cfg fuzzing)
for option in level=4 trace-compares inline-8bit-counters pc-table; do
    flags+=("-Cllvm-args=-sanitizer-coverage-$option")
done
RUSTFLAGS="${flags[*]}" cargo build --quiet --locked --release --target "$triple" \
    --target-dir target/fuzz --manifest-path tests/fuzz/Cargo.toml

mkdir -p target/fuzz/seeds/room
awk -v folder=target/fuzz/seeds/room -f tests/fuzz/seeds.awk docs/protocol.md
for target in "${targets[@]}"; do
    found=target/fuzz/found/$target failed=target/fuzz/failed/$target
    mkdir -p "$found" "$failed"
    more=(tests/fuzz/corpus/"$target" -dict=tests/fuzz/words/"$target".txt)
    [ "$target" = room ] && more+=(target/fuzz/seeds/room)
    echo "== $target"
    # FUZZ_OPTIONS: more of libFuzzer's.
    # shellcheck disable=SC2086
    if ! "target/fuzz/$triple/release/$target" "$found" "${more[@]}" -artifact_prefix="$failed/" \
        -max_total_time="$seconds" -max_len=400 -timeout=20 -rss_limit_mb=1024 ${FUZZ_OPTIONS:-} >"$failed.log" 2>&1; then
        cat "$failed.log"
        exit 1
    fi
    grep DONE "$failed.log"
done
