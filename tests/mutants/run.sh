#!/usr/bin/env bash
# Mutants: one expression of the source is changed at a time, and a test has to notice. A change that none notices has survived.
#
#     tests/mutants/run.sh weave FOLDER…                puts all changes of these folders (src/core, …) into one copy of the tree
#     tests/mutants/run.sh try TARGET FOLDER [PATTERN]  makes each change of a folder, and runs the tests that reach it: those of
#                                                       TARGET (lib, or a folder of tests/) whose names match (as grep -E has it)
#
# The changes are those that `cargo mutants --list` names (cargo install cargo-mutants@27.1.0). cargo-mutants builds the library
# anew for each of them; here one build has them all, and the variable MUTANT says which one is made. All is in target/mutants:
# `changes` has each change's number, whether it could be woven in, and its name; `result.TARGET` has what became of it.
# A change of a constant, or of what a function of the type `impl …` returns, cannot be woven in: cargo-mutants can try it.
#
# JOBS=N: so many at once (2). ONLY=FILE: only the changes whose numbers are in the file.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p target/mutants
cd target/mutants
export CARGO_PROFILE_DEV_DEBUG=0 CARGO_INCREMENTAL=0
tool=tool/debug/chatd-mutants
built=$PWD/target # without `..`: the disk of tests/storage knows its files by their names

# copy: a new tree, with the changes that are not known to be unviable. Lints say nothing of them.
copy() {
    rm -rf tree
    mkdir tree
    (cd ../.. && git ls-files -z | xargs -0 cp --parents -t target/mutants/tree)
    $tool weave list.json tree unviable >changes
    sed -i '/^\[lints/,/^\[profile/{/^\[profile/!d}; s/^\[profile.dev.package\]/&\nchatd.opt-level = 1/' tree/Cargo.toml
    sed -i '1i #![allow(warnings, arithmetic_overflow, unconditional_panic)]' tree/src/lib.rs
}

weave() {
    local folders=()
    for folder in "$@"; do folders+=(--file "$folder/**"); done
    cargo build --quiet --locked --target-dir tool --manifest-path ../../tests/mutants/Cargo.toml
    (cd ../.. && cargo mutants --list --json "${folders[@]}") >list.json
    : >unviable
    while copy && ! (cd tree && cargo check --quiet --locked --lib --target-dir "$built" --message-format json) >messages; do
        $tool blame tree <messages >blamed
        [ -s blamed ] || exit 1
        cat blamed >>unviable
    done
    cut -d' ' -f2 changes | sort | uniq -c
}

# reach TEST: runs one test alone. Writes down each change that it reaches, and how many milliseconds it took.
reach() {
    local start
    start=$(date +%s%N)
    if (cd tree && MUTANTS_SEEN=$PWD/../seen/$$ timeout 120 "$program" --exact "$1") &>/dev/null </dev/null; then
        [ ! -e seen/$$ ] || sort -nu seen/$$ | sed "s|\$| $((($(date +%s%N) - start) / 1000000)) $1|" >seen/$$.done
    else
        echo "$1 fails by itself, and is left out"
    fi
    rm -f seen/$$
}

# one NUMBER: makes one change, and runs the tests that reach it, the quick ones first, until one fails.
one() {
    local milliseconds tests code result=survived
    [ -e "plan/$1" ] || result=unreached
    while read -r milliseconds tests; do
        code=0
        (
            cd tree
            ulimit -v 16000000 -c 0 # some changes take memory for ever
            # shellcheck disable=SC2086
            MUTANT=$1 timeout -k 2 $((20 + milliseconds / 100)) "$program" --exact $tests
        ) &>"log/$1" </dev/null || code=$?
        case $code in
        0) continue ;;
        124 | 137) result=timeout ;;
        *) result="caught $(sed -n 's/^test \(.*\) \.\.\. FAILED$/\1/p' "log/$1" | head -1)" ;;
        esac
        break
    done < <(cat "plan/$1" 2>/dev/null)
    rm -f "log/$1"
    echo "$1 $result" >>"$results"
}

try() {
    local target=$1 folder=$2 pattern=${3:-.} which=(--lib)
    [ "$target" = lib ] || which=(--test "$target")
    program=$(cd tree && cargo test --quiet --locked --target-dir "$built" --no-run --message-format json "${which[@]}" |
        sed -n 's/.*"profile":{[^}]*"test":true.*"executable":"\([^"]*\)".*/\1/p')
    results=result.$target
    export program results
    rm -rf seen plan log
    mkdir seen plan log
    "$program" --list --format terse | sed -n 's/: test$//p' | grep -E "$pattern" |
        xargs -P "${JOBS:-2}" -I{} bash -c 'reach {}'
    # For each change: its tests in groups of three seconds.
    find seen -name '*.done' -exec cat {} + | sort -k1,1n -k2,2n | awk '
        function end() { if (number) print sum, tests > ("plan/" number); sum = 0; tests = "" }
        $1 != number { end(); close("plan/" number); number = $1 }
        sum > 0 && sum + $2 > 3000 { end() }
        { sum += $2; tests = tests " " $3 }
        END { end() }'
    : >"$results"
    awk -v folder="$folder/" '$2 == "woven" && index($3, folder) == 1 { print $1 }' changes |
        if [ -n "${ONLY:-}" ]; then grep -xFf "$ONLY"; else cat; fi |
        xargs -P "${JOBS:-2}" -I{} bash -c 'one {}'
    awk 'NR == FNR { result[$1] = $2; next } $1 in result { if (result[$1] != "caught") print result[$1], $0 }' "$results" changes |
        sort
    cut -d' ' -f2 "$results" | sort | uniq -c
}

export -f reach one
case ${1:-} in
weave) weave "${@:2}" ;;
try) try "${@:2}" ;;
*) sed -n '2,/^set/p' ../../tests/mutants/run.sh ;;
esac
