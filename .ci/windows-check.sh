#!/usr/bin/env bash
# Builds chat.exe and chatd.exe for Windows, and lets them talk under wine: .ci/windows-check.sh [WORKDIR]
#
# Rust's std for Windows is built from source (-Zbuild-std), by Debian's rustc-web, because compiler and library source
# must be of the same version. Those packages are only unpacked, below WORKDIR; mingw and wine are installed (needs root).
# WORKDIR is worth keeping: a second run takes a fraction of the first. Wine is not Windows: say "runs under wine".
#
# Where the tools cannot be had, it says SKIPPED and is content; under CI it fails.
set -euo pipefail
project=$(cd "$(dirname "$0")/.." && pwd)
work=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/chatd-windows}

# Twelve minutes, whatever happens; from nothing on two quiet cores it takes about four.
if [ -z "${WINDOWS_CHECK_BOUNDED:-}" ]; then
    code=0
    WINDOWS_CHECK_BOUNDED=1 timeout --kill-after=20 720 "$0" "$work" || code=$?
    [ $code != 124 ] || echo "windows-check: not done after 720 s, given up" >&2
    exit $code
fi

since() { printf 'windows-check: %4d s  %s\n' "$SECONDS" "$1"; }
wrong() { printf 'windows-check: %s\n' "$1" >&2; exit 1; }
unable() {
    [ "${CI:-}" != true ] || wrong "$1"
    printf '\nSKIPPED windows-check: %s\nSKIPPED windows-check: chat.exe and chatd.exe were neither built nor tried.\n\n' "$1"
    exit 0
}

# --- Tools ---

mkdir -p "$work" && work=$(cd "$work" && pwd)
updated=
apt_update() {
    [ -n "$updated" ] || apt-get update -qq || unable "apt-get update fails, and packages are missing"
    updated=yes
}

need=()
command -v x86_64-w64-mingw32-gcc > "$work/tools.log" || need+=(gcc-mingw-w64-x86-64-posix)
command -v wine >> "$work/tools.log" || need+=(wine wine64)
command -v nc >> "$work/tools.log" || need+=(netcat-openbsd)
if [ ${#need[@]} -gt 0 ]; then
    command -v apt-get >> "$work/tools.log" || unable "${need[*]} missing, and there is no apt-get"
    [ "$(id -u)" = 0 ] || unable "${need[*]} missing, and only root can install them"
    apt_update
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${need[@]}" > "$work/apt.log" 2>&1 ||
        unable "${need[*]} cannot be installed: see $work/apt.log"
fi
since "mingw and wine are there"

root=$work/sys/usr
if [ ! -x "$root/bin/cargo" ]; then
    command -v apt-get >> "$work/tools.log" || unable "the compiler comes as Debian packages, and there is no apt-get"
    [ "$(id -u)" != 0 ] || apt_update
    # What they depend on has names with versions in them, which move: apt knows them.
    mapfile -t packages < <(apt-get install -qq --simulate --no-install-recommends rustc-web cargo-web rust-web-src |
        awk '$1 == "Inst" { print $2 }')
    [[ " ${packages[*]} " == *" rustc-web "* ]] || unable "apt has no rustc-web, cargo-web and rust-web-src"
    rm -rf "$work/deb" "$work/sys" && mkdir "$work/deb"
    (cd "$work/deb" && apt-get download -qq "${packages[@]}" > "$work/apt.log" 2>&1) ||
        unable "the compiler's packages cannot be downloaded: see $work/apt.log"
    for package in "$work"/deb/*.deb; do dpkg -x "$package" "$work/deb/sys"; done
    mv "$work/deb/sys" "$work/sys" && rm -r "$work/deb" # in one step: what is there is whole
fi
since "compiler and library source are there"

. "$project/.ci/wine.sh"
prepare_wine "$work"
since "wine is ready"

# --- Programs ---

cd "$project"
(
    export LD_LIBRARY_PATH=$root/lib/x86_64-linux-gnu RUSTC=$root/bin/rustc RUSTC_BOOTSTRAP=1
    export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=x86_64-w64-mingw32-gcc CARGO_TARGET_DIR=$work/target
    export CARGO_PROFILE_DEV_DEBUG=0 # the lock rule's assertions stay in
    windows=(--locked -Zbuild-std=std,panic_unwind,test --target x86_64-pc-windows-gnu)
    "$root/bin/cargo" build --quiet "${windows[@]}" --bin chat --bin chatd
    "$root/bin/cargo" test --no-run "${windows[@]}" --bin chat 2> "$work/test.log" || { cat "$work/test.log" >&2; exit 1; }
)
exe=$work/target/x86_64-pc-windows-gnu/debug
unit_tests=$(sed -n 's/.*Executable.* (\(.*\.exe\))$/\1/p' "$work/test.log")
since "chat.exe, chatd.exe and chat's own tests are built"
cargo build --quiet --locked --bin chat --bin chatd
here=${CARGO_TARGET_DIR:-$project/target}/debug
since "chat and chatd of this machine are built"

# --- People: each has a pipe to speak into and a file of what was heard ---

run=$(mktemp -d)
declare -A mouth pid
finish() {
    code=$?
    [ $code = 0 ] || tail -n 30 "$run"/*.heard >&2
    for each in "${pid[@]}"; do
        { kill -KILL "$each" && wait "$each" || true; } 2> "$run/kill.log" # or bash tells of each that it was killed
    done
    rm -r "$run"
}
trap finish EXIT

# starts WHO COMMAND...
starts() {
    local who=$1 way
    shift
    mkfifo "$run/$who.mouth"
    (exec "$@" < "$run/$who.mouth" > "$run/$who.heard" 2>&1) &
    pid[$who]=$!
    exec {way}> "$run/$who.mouth"
    mouth[$who]=$way
}
# says WHO LINE
says() { printf '%s\n' "$2" >&"${mouth[$1]}"; }
# hears WHO LINE: exactly this line, sooner or later
hears() {
    for _ in $(seq 600); do
        if grep -Fxq -- "$2" "$run/$1.heard"; then return; fi
        sleep 0.1
    done
    wrong "$1 never hears \"$2\""
}
# logs WHO TEXT
logs() {
    for _ in $(seq 600); do
        if grep -Fq -- "$2" "$run/$1.heard"; then return; fi
        sleep 0.1
    done
    wrong "$1 never logs \"$2\""
}
port_of() { sed -n 's/^chatd: listening on 127.0.0.1:\([0-9]*\).*/\1/p' "$run/$1.heard"; }
# leaves WHO CODE: it ends by itself, with this exit code
leaves() {
    local code=0
    wait "${pid[$1]}" || code=$?
    unset "pid[$1]"
    [ "$code" = "$2" ] || wrong "$1 ends with exit code $code, not $2"
}

# converse SERVER: chat.exe, chat and nc meet there
converse() {
    local server=$1 port
    logs "$server" "listening on"
    port=$(port_of "$server")
    starts nina@"$server" nc 127.0.0.1 "$port"
    says nina@"$server" nina
    hears nina@"$server" "*** You are in lobby, alone."
    starts wendy@"$server" wine "$exe/chat.exe" "127.0.0.1:$port" --name wendy
    says wendy@"$server" "hello from wine"
    hears nina@"$server" "*** wendy entered lobby"
    hears nina@"$server" "<wendy> hello from wine"
    starts luis@"$server" "$here/chat" "127.0.0.1:$port" --name luis
    says luis@"$server" "grüße, 日本 🙂"
    hears nina@"$server" "<luis> grüße, 日本 🙂"
    hears wendy@"$server" "<luis> grüße, 日本 🙂"
    says nina@"$server" "and from nc"
    hears wendy@"$server" "<nina> and from nc"
    hears luis@"$server" "<nina> and from nc"
    says wendy@"$server" "/msg nina for you alone"
    hears nina@"$server" "[from wendy] for you alone"
    says luis@"$server" "/quit"
    hears luis@"$server" "*** Goodbye."
    leaves luis@"$server" 0
    hears wendy@"$server" "*** luis left lobby (quit)"
}

# --- What chat.exe does without a terminal: the random test of 10,000 steps is among it ---

timeout 120 wine "$unit_tests" > "$work/unit-tests.log" 2>&1 || { tail -n 40 "$work/unit-tests.log" >&2; wrong "chat's own tests fail"; }
grep -q "ten_thousand_steps ... ok" "$work/unit-tests.log" || wrong "the random test did not run"
since "$(sed -n 's/^test result: ok. \([0-9]*\) passed.*/\1/p' "$work/unit-tests.log") of chat's own tests passed"

# --- chat.exe and a chatd of this machine ---

version=$(wine "$exe/chat.exe" --version | tr -d '\r')
grep -Eq '^chat [0-9.]+$' <<< "$version" || wrong "chat.exe --version says: $version"
starts chatd "$here/chatd" --listen 127.0.0.1:0 --db none
converse chatd
says wendy@chatd "/quit"
hears wendy@chatd "*** Goodbye."
leaves wendy@chatd 0
since "chat.exe talked at this machine's chatd with nc and chat"

# --- chatd.exe ---

db=$(mktemp -d)/chatd.db
starts chatd.exe wine "$exe/chatd.exe" --listen 127.0.0.1:0 --flood off --db "Z:$db"
converse chatd.exe
since "chat.exe talked at chatd.exe with nc and chat"

# It keeps what was said, and names.
says nina@chatd.exe "/register correct horse"
hears nina@chatd.exe "*** nina is yours from now on. When you come again, you are asked for your password."
says nina@chatd.exe "/search grüße"
hears nina@chatd.exe "<luis> grüße, 日本 🙂"
[ -s "$db" ] || wrong "chatd.exe wrote no $db"
since "chatd.exe kept a name and the history"

# Somebody who does not read is hung up, and nobody else waits.
port=$(port_of chatd.exe)
exec {sleeper}<> "/dev/tcp/127.0.0.1/$port"
printf 'sleeper\n/join dormitory\n' >&"$sleeper"
hears nina@chatd.exe "*** sleeper left lobby (went to dormitory)"
starts talker nc 127.0.0.1 "$port"
says talker talker
says talker "/join dormitory"
hears talker "*** You are in dormitory with sleeper."
yes "$(printf 'z%.0s' {1..1000})" | head -n 15000 >&"${mouth[talker]}" &
pid[snore]=$!
logs chatd.exe "c4:sleeper left: too slow"
says nina@chatd.exe "still here"
hears wendy@chatd.exe "<nina> still here"
since "chatd.exe hung up one who did not read, and nobody waited"

# Ctrl-C: everybody is told, and every thread ends.
kill -INT "${pid[chatd.exe]}"
hears wendy@chatd.exe "*** Hung up: the server is shutting down."
hears nina@chatd.exe "*** Hung up: the server is shutting down."
logs chatd.exe "every thread has ended"
leaves chatd.exe 0
leaves wendy@chatd.exe 8
since "chatd.exe stopped gracefully"
