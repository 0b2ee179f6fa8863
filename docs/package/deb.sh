#!/usr/bin/env bash
# Makes the Debian package of chatd and chat from this source, and SHA256SUMS beside it: docs/package/deb.sh [FOLDER]
# FOLDER is target/package unless said. Needs cargo, gcc and dpkg-dev. See docs/operations.md, "Install".
#
# Two runs on the same commit make the same bytes, in whatever folders, with the same compilers and linker (compared on
# 2026-11-28, in two folders). What that takes is marked "same bytes" below.
set -euo pipefail
umask 022 # same bytes: modes of files
export LC_ALL=C.UTF-8 TZ=UTC # same bytes: order of names, dates of manual pages
project=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "${1:-$project/target/package}"
out=$(cd "${1:-$project/target/package}" && pwd)
cd "$project"

# same bytes: the time in the archive and in the manual pages is that of the commit, not now.
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)-1
architecture=$(dpkg --print-architecture)
maintainer="the authors of chatd <chatd@example.invalid>"

# --- Programs ---

# same bytes: panics name source files, and SQLite's C code does. So the folders that differ from machine to machine are
# renamed. The separator 0x1f is cargo's; a path may have blanks.
cargo_home=${CARGO_HOME:-$HOME/.cargo}
printf -v CARGO_ENCODED_RUSTFLAGS '%s\x1f' --remap-path-prefix="$cargo_home"=/cargo --remap-path-prefix="$project"=/chatd \
    --remap-path-prefix="$out"=/build
export CARGO_ENCODED_RUSTFLAGS=${CARGO_ENCODED_RUSTFLAGS%$'\x1f'}
export CFLAGS="-ffile-prefix-map=$cargo_home=/cargo -ffile-prefix-map=$out=/build" CARGO_INCREMENTAL=0
export CARGO_PROFILE_RELEASE_DEBUG=none CARGO_PROFILE_RELEASE_STRIP=symbols
cargo build --release --locked --bin chat --bin chatd --target-dir "$out/build"

# --- What the package holds ---

tree=$out/tree
rm -rf "$tree"
mkdir -p "$tree"/{DEBIAN,etc/chatd,usr/bin,usr/lib/systemd/system,usr/share/{doc/chatd,man/man1,man/man8}}
doc=$tree/usr/share/doc/chatd
install "$out"/build/release/{chat,chatd} "$tree/usr/bin/"
install -m 644 docs/systemd/chatd.service docs/systemd/*.socket "$tree/usr/lib/systemd/system/"
install -m 644 docs/package/chatd.toml "$tree/etc/chatd/"
docs/package/man.sh "$tree/usr/bin/chatd" 8 | gzip -9n > "$tree/usr/share/man/man8/chatd.8.gz" # same bytes: n, no time
docs/package/man.sh "$tree/usr/bin/chat" 1 | gzip -9n > "$tree/usr/share/man/man1/chat.1.gz"
install -m 644 docs/{operations,client,web,protocol,security}.md docs/fail2ban/chatd.conf "$doc/"
gzip -9n < docs/CHANGELOG.md > "$doc/changelog.gz"
printf 'chatd (%s) unstable; urgency=medium\n\n  * What is new is in changelog.gz.\n\n -- %s  %s\n' "$version" "$maintainer" \
    "$(date --rfc-email --date="@$SOURCE_DATE_EPOCH")" | gzip -9n > "$doc/changelog.Debian.gz"
{
    printf 'chatd is distributed under the MIT licence, below, or the Apache License 2.0, which is in\n'
    printf '/usr/share/common-licenses/Apache-2.0, as you prefer.\n\n'
    cat docs/LICENSE-MIT
    printf '\nThe programs contain these libraries, under licences of their own:\n\n'
    cargo tree --locked --edges normal --prefix none --no-dedupe --format '{p}: {l}' |
        sed -n 's/^\([^ ]*\) v\([^ ]*\).*: /\1 \2: /p' | grep -v '^chatd ' | sort -u
} > "$doc/copyright"

# --- What dpkg has to know ---

(
    mkdir -p "$out/shlibs/debian" && cd "$out/shlibs"
    printf 'Source: chatd\n\nPackage: chatd\nArchitecture: any\n' > debian/control
    dpkg-shlibdeps -O "$tree"/usr/bin/*
) > "$out/depends"
# KiB, a file's last one counted as whole: what du says depends on the disk.
size=$(find "$tree" -type f -printf '%s\n' | awk '{ sum += int(($1 + 1023) / 1024) } END { print sum }')
cat > "$tree/DEBIAN/control" << END
Package: chatd
Version: $version
Architecture: $architecture
Maintainer: $maintainer
Installed-Size: $size
Depends: $(sed -n 's/^shlibs:Depends=//p' "$out/depends")
Section: net
Priority: optional
Description: chat server with one thread per connection, and its client
 People join with a browser, nc, telnet, or the client chat. What is said is
 kept in an SQLite file, with accounts, mailboxes and a full-text search.
END
echo /etc/chatd/chatd.toml > "$tree/DEBIAN/conffiles"
install docs/package/{postinst,prerm,postrm} "$tree/DEBIAN/"
(cd "$tree" && find etc usr -type f -print0 | sort -z | xargs -0 md5sum) > "$tree/DEBIAN/md5sums"

find "$tree" -print0 | xargs -0 touch --no-dereference --date="@$SOURCE_DATE_EPOCH"
package=chatd_${version}_$architecture.deb
# same bytes: owners are root, and xz cuts its blocks by the number of its threads.
DPKG_DEB_THREADS_MAX=1 dpkg-deb -Zxz --root-owner-group --build "$tree" "$out/$package"
(cd "$out" && sha256sum "$package" > SHA256SUMS && cat SHA256SUMS)
