# Sourced by deb.sh and release.sh: what it takes so that two runs on the same commit, in whatever folders, make the same
# bytes with the same compilers. Sets project, out (where things are made), version; has build and libraries.
umask 022                     # modes of files
export LC_ALL=C.UTF-8 TZ=UTC  # order of names, dates
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
mkdir -p "${1:-$project/target/package}"
out=$(cd "${1:-$project/target/package}" && pwd)
cd "$project"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)

# The time in archives and manual pages is that of the commit, not now.
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}

# Panics name source files, and so does C code. So the folders that differ from machine to machine are renamed.
cargo_home=${CARGO_HOME:-$HOME/.cargo}
export CFLAGS="-ffile-prefix-map=$cargo_home=/cargo -ffile-prefix-map=$out=/build" CARGO_INCREMENTAL=0
export CARGO_PROFILE_RELEASE_DEBUG=none CARGO_PROFILE_RELEASE_STRIP=symbols

# build TARGET [FLAG...]: chat and chatd for a target, in $out/build/TARGET/release. All targets share what runs here.
build() {
    local target=$1 flags=(--remap-path-prefix="$cargo_home"=/cargo --remap-path-prefix="$project"=/chatd
        --remap-path-prefix="$out"=/build "${@:2}")
    # The separator 0x1f is cargo's: a path may have blanks.
    CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f' && printf '%s' "${flags[*]}") \
        cargo build --release --locked --bin chat --bin chatd --target "$target" --target-dir "$out/build"
}

# libraries TARGET: which libraries the programs contain, with their licences.
libraries() {
    cargo tree --locked --edges normal --prefix none --no-dedupe --target "$1" --format '{p}: {l}' |
        sed -n 's/^\([^ ]*\) v\([^ ]*\).*: /\1 \2: /p' | grep -v '^chatd ' | sort -u
}

# dated FOLDER: everything in it has the time of the commit, and may be read by all, whatever the umask was when this source
# was cloned.
dated() {
    chmod -R u=rwX,go=rX "$1"
    find "$1" -print0 | xargs -0 touch --no-dereference --date="@$SOURCE_DATE_EPOCH"
}
