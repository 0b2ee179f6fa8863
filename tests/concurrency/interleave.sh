#!/usr/bin/env bash
# Plays what threads do to each other in many orders: tests/concurrency/interleave.sh [ORDERS [NAME…]]; 1,000 of each
# scenario by default. What is played, and which mistakes have to be found: tests/concurrency/interleavings.
#
# If an order goes wrong, it is shown, with the seed that repeats it.
set -euo pipefail
cd "$(dirname "$0")/../.."

cargo build --quiet --locked --target-dir target/interleavings \
    --manifest-path tests/concurrency/interleavings/Cargo.toml
# The scheduler tells of each planted mistake that is found, too. That is not shown.
log=$(mktemp)
if ! target/interleavings/debug/chatd-interleavings --schedules "${1:-1000}" "${@:2}" 2> "$log"; then
    cat "$log" >&2
    exit 1
fi
rm "$log"
