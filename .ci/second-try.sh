#!/usr/bin/env bash
# Tries what has failed in a run of the tests once more, each test alone: second-try.sh LOG
# The machine is shared: another's work may take a core for seconds in the middle of a test. A fault fails twice.
# Prints what failed once and passed now, for the last line of the run: to be looked at, for chance is a fault of somebody's, too.
set -euo pipefail
cd "$(dirname "$0")/.."
most=2 # failures that may be chance

failed=$(awk '
    /^ +Running unittests / { target = $3 }
    /^ +Running tests\// { target = $2 }
    /^ +Doc-tests / { target = "a doc test" }
    /^test .* \.\.\. FAILED$/ { print target, $2 }' "$1")
count=$(grep -c . <<<"$failed" || true)
if [ "$count" = 0 ]; then
    exit 1 # it was not a test: the compiler, or a signal
elif [ "$count" -gt $most ]; then
    echo "$count tests failed: that is no chance" >&2
    exit 1
fi
names=()
while read -r target name; do
    case $target in
    src/lib.rs) which=(--lib) ;;
    src/bin/*/main.rs) which=(--bin "$(cut -d/ -f3 <<<"$target")") ;;
    tests/*/main.rs) which=(--test "$(cut -d/ -f2 <<<"$target")") ;;
    *)
        echo "$target: not tried once more" >&2
        exit 1
        ;;
    esac
    code=0
    said=$(cargo test --locked --all-features "${which[@]}" -- --exact "$name" 2>&1) || code=$?
    echo "$said" >&2
    if [ $code != 0 ] || ! grep -q '^test result: ok. 1 passed' <<<"$said"; then
        exit 1
    fi
    names+=("$name")
done <<<"$failed"
echo "; failed once, and passed alone: ${names[*]}"
