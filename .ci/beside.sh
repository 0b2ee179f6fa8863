#!/usr/bin/env bash
# What .ci/run does beside the tests, at the lowest priority: they wait for most of their time. No clock matters to it.
set -euo pipefail
cd "$(dirname "$0")/.."

# Each target, the same inputs each time; longer by hand: docs/reliability.md. Hardly optimized, for 360 of the 393 s of processor time are the build.
CARGO_PROFILE_RELEASE_OPT_LEVEL=1 FUZZ_OPTIONS=-seed=1 tests/fuzz/run.sh 2
tests/concurrency/interleave.sh 200 # each scenario, and the mistakes that are planted; longer by hand: docs/reliability.md
code=0
tests/concurrency/tsan.sh build || code=$?
[ $code = 0 ] || [ $code = 3 ] || exit $code
