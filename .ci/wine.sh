# Sourced by windows-check.sh and docs/package/release.sh. prepare_wine WORKDIR: a wine prefix below it, in which programs
# of Rust's run.
prepare_wine() {
    export WINEPREFIX=$1/prefix WINEDEBUG=-all DISPLAY=
    local dll=$WINEPREFIX/drive_c/windows/system32/bcryptprimitives.dll
    [ ! -e "$dll" ] || return 0
    timeout 120 wine wineboot -i > "$1/wineboot.log" 2>&1 || true
    # Wine 8 lacks the one function of this library that Rust's std calls; Windows 10 and later have it.
    cat > "$1/bcryptprimitives.c" << 'C'
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(BYTE *bytes, SIZE_T count) {
    for (ULONG n; count; bytes += n, count -= n) {
        n = count > 0x40000000 ? 0x40000000 : (ULONG)count;
        if (!SystemFunction036(bytes, n)) return FALSE;
    }
    return TRUE;
}
C
    x86_64-w64-mingw32-gcc -O2 -shared -o "$dll" "$1/bcryptprimitives.c" -ladvapi32
}
