#!/usr/bin/env bash
# Makes everything that is released, from this source, into one folder: docs/package/release.sh [FOLDER]
# FOLDER is target/package unless said. Without building, docs/package/release.sh --list names the files.
#
# Needs rustup, and Debian's gcc, musl-tools, gcc-mingw-w64-x86-64, wine, dpkg-dev, zip and buildah. Two runs on the same
# commit make the same bytes: see same-bytes.sh. What it makes is tried as far as this machine can; see try.sh for the .deb.
set -euo pipefail
linux=x86_64-unknown-linux-musl windows=x86_64-pc-windows-gnu
is_list=
[ "${1:-}" != --list ] || { is_list=yes && set --; }
. "$(dirname "$0")/same-bytes.sh"
debian=chatd_$version-1_$(dpkg --print-architecture).deb
files=("chatd-$version-$linux.tar.gz" "chatd-$version-$windows.zip" "$debian" "chatd-$version-container.tar.gz" SHA256SUMS)
[ -z "$is_list" ] || { printf '%s\n' "${files[@]}" && exit; }

says() { printf 'release: %4d s  %s\n' "$SECONDS" "$1"; }
wrong() { printf 'release: %s\n' "$1" >&2; exit 1; }
for tool in cargo musl-gcc x86_64-w64-mingw32-gcc wine dpkg-shlibdeps zip buildah; do
    command -v "$tool" > "$out/which" || wrong "$tool is missing: the head of this script has the packages"
done
rustup --quiet target add "$linux" "$windows"
work=$(mktemp -d)
. docs/package/talk.sh
trap '[ -z "$server" ] || kill -KILL $server; rm -r "$work" "$out/which"' EXIT

# folder TARGET: what the archive for a target has beside the programs; its path is printed.
folder() {
    local folder=$work/chatd-$version-$1
    mkdir -p "$folder/docs"
    cp -r docs/{operations,client,web,protocol,security,CHANGELOG}.md docs/fail2ban "$folder/docs"
    cp docs/LICENSE-MIT docs/LICENSE-APACHE docs/package/chatd.toml "$folder"
    { printf 'The programs contain these libraries, under licences of their own:\n\n' && libraries "$1"; } > "$folder/LIBRARIES"
    echo "$folder"
}

# archive FOLDER FILE.tar.gz
archive() {
    dated "$1"
    tar -C "$(dirname "$1")" --sort=name --owner=0 --group=0 --numeric-owner --format=ustar -cf - "$(basename "$1")" |
        gzip -9n > "$out/$2"
}

# --- Linux: one file that runs everywhere ---

build "$linux"
programs=$out/build/$linux/release
static=$(folder "$linux")
install "$programs"/{chat,chatd} "$static"
mkdir -p "$static"/{man,completions}
for program in chat chatd; do
    ldd "$static/$program" 2>&1 | grep -q 'statically linked' || wrong "$program needs libraries"
    for shell in bash zsh fish; do
        docs/package/complete.sh "$static/$program" $shell > "$static/completions/$program.$shell"
    done
done
docs/package/man.sh "$static/chatd" 8 > "$static/man/chatd.8"
docs/package/man.sh "$static/chat" 1 > "$static/man/chat.1"
cp -r docs/systemd "$static/docs"
client=("$static/chat")
talks "$static/chatd" --db none
archive "$static" "${files[0]}"
says "${files[0]}: no library is needed, and chat talks with chatd"

# --- Windows ---

export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=x86_64-w64-mingw32-gcc
export WINAPI_NO_BUNDLED_LIBRARIES=1 # same bytes: ld sorts import libraries by path, and these would be in cargo's folder
build "$windows" -C link-arg=-Wl,--no-insert-timestamp # same bytes
zipped=$(folder "$windows")
install "$out/build/$windows/release"/{chat,chatd}.exe "$zipped"
cache=${XDG_CACHE_HOME:-$HOME/.cache}/chatd-windows
mkdir -p "$cache"
. .ci/wine.sh
prepare_wine "$cache"
client=(wine "$zipped/chat.exe")
talks wine "$zipped/chatd.exe" --db none
dated "$zipped"
rm -f "$out/${files[1]}"
(cd "$work" && find "$(basename "$zipped")" | sort | zip -q -9 -X "$out/${files[1]}" -@) # same bytes: X, no owners
says "${files[1]}: chat.exe talks with chatd.exe under wine"

# --- Debian ---

docs/package/deb.sh "$out" > "$work/log" || { cat "$work/log" >&2; exit 1; }
says "$debian: docs/package/try.sh tries it"

# --- A container ---

context=$work/chatd-$version-container
mkdir -p "$context/data"
cp docs/package/Containerfile "$static/chatd" "$context"
archive "$context" "${files[3]}"
container=(buildah --storage-driver vfs --root "$work/images" --runroot "$work/run")
"${container[@]}" build --isolation chroot --timestamp "$SOURCE_DATE_EPOCH" --tag chatd "$context" > "$work/log" 2>&1 ||
    { cat "$work/log" >&2; wrong "buildah does not build the container"; }
"${container[@]}" inspect --type image chatd > "$work/image"
for expected in '"User": "65532:65532"' '"StopSignal": "SIGTERM"' '"/data": {}' '"5000/tcp": {}' '"5080/tcp": {}'; do
    grep -qF "$expected" "$work/image" || wrong "the container's image lacks $expected"
done
client=("$static/chat")
talks "${container[@]}" run --isolation chroot "$("${container[@]}" from chatd)" /bin/chatd # it writes its database in /data
says "${files[3]}: buildah has built it, and chat talks with it; image $("${container[@]}" images --format '{{.ID}}' chatd)"

# ---

(cd "$out" && sha256sum "${files[@]:0:4}" > SHA256SUMS && cat SHA256SUMS)
[ -n "${KEEP_BUILD:-}" ] || rm -r "$out"/{build,tree,shlibs,depends} # 2 GB; KEEP_BUILD=1 makes the next run quick
says "everything is in $out"
