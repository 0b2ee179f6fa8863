#!/usr/bin/env bash
# Makes the Debian package of chatd and chat from this source, and SHA256SUMS beside it: docs/package/deb.sh [FOLDER]
# FOLDER is target/package unless said. Needs cargo, gcc and dpkg-dev. See docs/operations.md, "Install".
#
# PROGRAMS=FOLDER takes the programs from there, and compresses nothing: a test does that.
#
# Two runs on the same commit make the same bytes (compared on 2026-11-28, in two folders). What that takes is marked
# "same bytes" below, or stands in same-bytes.sh.
set -euo pipefail
. "$(dirname "$0")/same-bytes.sh"
version=$version-1
architecture=$(dpkg --print-architecture)
maintainer="the authors of chatd <chatd@example.invalid>"
target=$(rustc -vV | sed -n 's/^host: //p')
if [ -n "${PROGRAMS:-}" ]; then
    programs=$PROGRAMS compress=-Znone
else
    build "$target"
    programs=$out/build/$target/release compress=-Zxz
fi

# --- What the package holds ---

tree=$out/tree
rm -rf "$tree"
mkdir -p "$tree"/{DEBIAN,etc/chatd,usr/bin,usr/lib/systemd/system,usr/share/{doc/chatd,man/man1,man/man8}}
doc=$tree/usr/share/doc/chatd
mkdir "$doc/fail2ban"
install "$programs"/{chat,chatd} "$tree/usr/bin/"
install -m 644 docs/systemd/chatd.service docs/systemd/*.socket "$tree/usr/lib/systemd/system/"
install -m 644 docs/package/chatd.toml "$tree/etc/chatd/"
docs/package/man.sh "$tree/usr/bin/chatd" 8 | gzip -9n > "$tree/usr/share/man/man8/chatd.8.gz" # same bytes: n, no time
docs/package/man.sh "$tree/usr/bin/chat" 1 | gzip -9n > "$tree/usr/share/man/man1/chat.1.gz"
share=$tree/usr/share
mkdir -p "$share"/{bash-completion/completions,zsh/vendor-completions,fish/vendor_completions.d}
for program in chat chatd; do
    docs/package/complete.sh "$tree/usr/bin/$program" bash > "$share/bash-completion/completions/$program"
    docs/package/complete.sh "$tree/usr/bin/$program" zsh > "$share/zsh/vendor-completions/_$program"
    docs/package/complete.sh "$tree/usr/bin/$program" fish > "$share/fish/vendor_completions.d/$program.fish"
done
install -m 644 docs/{operations,client,web,protocol,security}.md "$doc/"
install -m 644 docs/fail2ban/chatd.conf "$doc/fail2ban/"
gzip -9n < docs/CHANGELOG.md > "$doc/changelog.gz"
printf 'chatd (%s) unstable; urgency=medium\n\n  * What is new is in changelog.gz.\n\n -- %s  %s\n' "$version" "$maintainer" \
    "$(date --rfc-email --date="@$SOURCE_DATE_EPOCH")" | gzip -9n > "$doc/changelog.Debian.gz"
{
    printf 'chatd is distributed under the MIT licence, below, or the Apache License 2.0, which is in\n'
    printf '/usr/share/common-licenses/Apache-2.0, as you prefer.\n\n'
    cat docs/LICENSE-MIT
    printf '\nThe programs contain these libraries, under licences of their own:\n\n'
    libraries "$target"
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
Recommends: ca-certificates, tzdata
Section: net
Priority: optional
Description: chat server with one thread per connection, and its client
 People join with a browser, nc, telnet, or the client chat. What is said is
 kept in an SQLite file, with accounts, mailboxes and a full-text search.
END
echo /etc/chatd/chatd.toml > "$tree/DEBIAN/conffiles"
install docs/package/{preinst,postinst,prerm,postrm} "$tree/DEBIAN/"
(cd "$tree" && find etc usr -type f -print0 | sort -z | xargs -0 md5sum) > "$tree/DEBIAN/md5sums"

dated "$tree"
package=chatd_${version}_$architecture.deb
# same bytes: owners are root, and xz cuts its blocks by the number of its threads.
DPKG_DEB_THREADS_MAX=1 dpkg-deb $compress --root-owner-group --build "$tree" "$out/$package"
(cd "$out" && sha256sum "$package" > SHA256SUMS && cat SHA256SUMS)
