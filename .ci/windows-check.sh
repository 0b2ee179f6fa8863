#!/bin/bash
# Builds chat.exe for Windows and starts it under wine: .ci/windows-check.sh [WORKDIR [CHATD]]
# With CHATD, a chatd built for this machine, chat.exe also talks to it.
#
# Rust's std for Windows is built from source (-Zbuild-std), by Debian's rustc-web, because compiler and library source
# must be of the same version. Those packages are only unpacked, below WORKDIR; mingw and wine are installed (needs root).
# WORKDIR is worth keeping: a second run takes a fraction of the first. Wine is not Windows: say "runs under wine".
set -euo pipefail
project=$(cd "$(dirname "$0")/.." && pwd)
work=${1:-${TMPDIR:-/tmp}/chatd-windows}
mkdir -p "$work/deb" && work=$(cd "$work" && pwd)
since() { printf '%4d s  %s\n' "$SECONDS" "$1"; }

if ! command -v wine x86_64-w64-mingw32-gcc > "$work/tools"; then
    apt-get install -y -qq --no-install-recommends gcc-mingw-w64-x86-64-posix wine wine64 > "$work/apt.log"
fi
since "mingw and wine are there"

root=$work/sys/usr
if [ ! -x "$root/bin/cargo" ]; then
    # The version is part of one name, and moves with security updates.
    std=$(apt-cache search --names-only '^libstd-rust-web-[0-9.]+$' | awk '{print $1}' | sort -V | tail -n 1)
    (cd "$work/deb" && apt-get download -qq rustc-web cargo-web rust-web-src "$std" libstd-rust-web-dev \
        libllvm22 libgit2-1.5 libhttp-parser2.9 libmbedcrypto7 libmbedx509-1 libmbedtls14)
    for package in "$work"/deb/*.deb; do dpkg -x "$package" "$work/sys"; rm "$package"; done
fi
since "compiler and library source are there"

export WINEPREFIX=$work/prefix WINEDEBUG=-all DISPLAY=
dll=$WINEPREFIX/drive_c/windows/system32/bcryptprimitives.dll
if [ ! -e "$dll" ]; then
    timeout 120 wine wineboot -i > "$work/wineboot.log" 2>&1 || true
    # Wine 8 lacks the one function of this library that Rust's std calls; Windows 10 and later have it.
    cat > "$work/bcryptprimitives.c" << 'C'
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE bytes, SIZE_T count) {
    for (ULONG n; count; bytes += n, count -= n) {
        n = count > 0x40000000 ? 0x40000000 : (ULONG)count;
        if (!SystemFunction036(bytes, n)) return FALSE;
    }
    return TRUE;
}
C
    x86_64-w64-mingw32-gcc -O2 -shared -o "$dll" "$work/bcryptprimitives.c" -ladvapi32
fi
since "wine is ready"

(
    cd "$project"
    export LD_LIBRARY_PATH=$root/lib/x86_64-linux-gnu RUSTC=$root/bin/rustc RUSTC_BOOTSTRAP=1
    export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=x86_64-w64-mingw32-gcc CARGO_TARGET_DIR=$work/target
    "$root/bin/cargo" build --bin chat -Zbuild-std=std,panic_unwind --target x86_64-pc-windows-gnu
)
since "chat.exe is built"

exe=$work/target/x86_64-pc-windows-gnu/debug/chat.exe
version=$(wine "$exe" --version | tr -d '\r')
echo "$version" | grep -Eq '^chat [0-9]' || { echo "chat.exe --version says: $version"; exit 1; }
since "runs under wine: $version"

[ $# -ge 2 ] || exit 0
"$2" --listen 127.0.0.1:0 > "$work/chatd.log" 2>&1 &
chatd=$!
trap 'kill $chatd' EXIT
for _ in $(seq 100); do
    address=$(sed -n 's/.*listening on \(127[0-9.:]*\).*/\1/p' "$work/chatd.log")
    [ -z "$address" ] || break
    sleep 0.1
done
heard=$(echo 'hi from wine' | wine "$exe" "$address" --name wine | tr -d '\r')
echo "$heard" | grep -q 'Hello wine' && echo "$heard" | grep -q 'Goodbye' || { echo "chat.exe heard: $heard"; exit 1; }
since "chat.exe talked to chatd"
