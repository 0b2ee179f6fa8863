#!/usr/bin/env bash
# ThreadSanitizer: it watches each access to memory, and tells which two are made by two threads without an order between them.
#
#     tests/concurrency/tsan.sh                   a planted race, which has to be found, and the tests of what threads share
#     tests/concurrency/tsan.sh build             builds what that needs
#     tests/concurrency/tsan.sh test ARGUMENT…    what `cargo test ARGUMENT…` runs
#     tests/concurrency/tsan.sh load [SECONDS]    a server under the loads of chatbench, each for so long (5)
#
# It takes Rust's nightly with the source of std: rustup toolchain install nightly --component rust-src. Then std is
# built with the sanitizer, too, which otherwise would take what std orders by fences for races; and so is SQLite.
# What is not to be told, and why, stands in tsan.supp.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=x86_64-unknown-linux-gnu

source=$(rustc +nightly --print sysroot 2> /dev/null)/lib/rustlib/src/rust/library/Cargo.lock
if [ ! -e "$source" ]; then
    echo "SKIPPED tsan.sh: Rust's nightly is not here, or not with its component rust-src" >&2
    exit 3
fi

export CARGO_TARGET_DIR=$PWD/target/tsan CARGO_INCREMENTAL=0
# The reports name lines; and the sanitizer is slow enough.
export CARGO_PROFILE_DEV_DEBUG=line-tables-only CARGO_PROFILE_DEV_OPT_LEVEL=1
export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS=-Zsanitizer=thread
export CFLAGS_x86_64_unknown_linux_gnu=-fsanitize=thread # of gcc: the calls are the same
reports=$(mktemp -d)
# A test, and a server that is killed, need not wait for every thread; and a program that ends would wait for a second for those
# that still run, which is time that the tests of stops and restarts measure.
export TSAN_OPTIONS="report_thread_leaks=0 atexit_sleep_ms=0 suppressions=$PWD/tests/concurrency/tsan.supp log_path=$reports/report exitcode=66"

tsan() { cargo +nightly "$1" --locked -Zbuild-std=std,panic_unwind,test --target $target "${@:2}"; }

# has_reports: whether any process has reported something.
has_reports() { compgen -G "$reports/report.*" > /dev/null; }

# finish CODE: shows the reports, each kind once; fails if there are some, or with this code.
finish() {
    if has_reports; then
        cat "$reports"/report.*
        echo
        grep -h '^SUMMARY' "$reports"/report.* | sort | uniq -c
        exit 1
    fi
    echo "tsan.sh: nothing to report"
    exit "$1"
}

# Without chat and chatbench, which have much to build.
alone=(test --quiet --no-default-features --test concurrency) shared=(test --no-default-features --lib)
case ${1:-} in
test)
    # The tests run programs, in which a report counts, too. Of the examples, cargo builds none for a single test.
    tsan build --features bench --examples
    code=0
    tsan test --features bench "${@:2}" || code=$?
    finish $code
    ;;
load)
    tsan build --features bench --bins
    bin=$CARGO_TARGET_DIR/$target/debug code=0
    for load in throughput latency churn connect "attack login-storm"; do
        # shellcheck disable=SC2086
        "$bin/chatbench" --server "tsan=$bin/chatd" --runs 1 --time "${2:-5}" $load || code=$?
    done
    finish $code
    ;;
build)
    tsan "${alone[@]}" --no-run
    tsan "${shared[@]}" --no-run
    ;;
"")
    tsan "${alone[@]}" -- --include-ignored || true # it ends with the sanitizer's code
    if ! grep -q a_planted_data_race "$reports"/report.*; then
        echo "tsan.sh: the planted race was not found" >&2
        exit 1
    fi
    rm "$reports"/report.*
    echo "tsan.sh: the planted race was found"
    code=0
    tsan "${shared[@]}" -- lock:: thread_status:: socketserver:: server:: || code=$?
    finish $code
    ;;
*)
    sed -n '2,/^set/p' "$0"
    exit 2
    ;;
esac
