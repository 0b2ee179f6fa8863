#!/usr/bin/env bash
# Installs, upgrades, removes and purges the package in a Debian of its own, below a folder, and looks what is there:
# docs/package/try.sh target/package/chatd_0.1.0-1_amd64.deb [FOLDER]
# Needs root, and debootstrap, which makes FOLDER if it is not there. No systemd runs in it: that the service is
# started is not tried here, that it is enabled is. With --bare in place of FOLDER it is not a Debian but an empty root, which
# this machine's dpkg serves: that takes seconds, and what the package depends on is not looked at.
set -euo pipefail
package=$(realpath "$1")
work=$(mktemp -d)
. "$(dirname "$0")/talk.sh"
trap '[ -z "$server" ] || kill -KILL $server; rm -r "$work"' EXIT
root=${2:-$work/root}
if [ "$root" = --bare ]; then
    root=$work/root
    mkdir -p "$root"/{etc/systemd/system,tmp,var/lib/{dpkg/{info,updates},systemd}} # as on every Debian
    touch "$root/var/lib/dpkg/status"
    dpkg=(dpkg --root="$root" --force-script-chrootless --force-depends)
    run=(env)
    bin=$root/usr/bin/ etc=$root/etc/
else
    [ -e "$root/etc/debian_version" ] || debootstrap --variant=minbase stable "$root" > "$work/log" || { cat "$work/log"; exit 1; }
    run=(chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive)
    dpkg=("${run[@]}" dpkg)
    bin= etc=/etc/
fi
says() { printf 'try: %s\n' "$1"; }
wrong() { printf 'try: %s\n' "$1" >&2; exit 1; }
has() { [ -e "$root$1" ] || [ -L "$root$1" ] || wrong "$1 is missing"; }
lacks() { if [ -e "$root$1" ] || [ -L "$root$1" ]; then wrong "$1 is there"; fi; }
all_files() { (cd "$root" && find . -xdev ! -path './var/lib/dpkg/*' ! -path './var/log/*' ! -path './proc/*' | sort); }
# installs FILE: as dpkg does it without a question; a dependency that is missing is an error
installs() {
    cp "$1" "$root/tmp/it.deb"
    local path=/tmp/it.deb
    [ -z "$bin" ] || path=$root$path
    "${dpkg[@]}" --install --force-confold "$path" > "$work/log" 2>&1 || { cat "$work/log"; wrong "dpkg fails"; }
    rm "$root/tmp/it.deb"
}
enabled=/etc/systemd/system/multi-user.target.wants/chatd.service

"${dpkg[@]}" --purge chatd > "$work/log" 2>&1 # of a run that was cut off
rm -rf "$root/var/lib/private"
all_files > "$work/before"

installs "$package"
for file in /usr/bin/{chat,chatd} /etc/chatd/chatd.toml /usr/share/man/man{1/chat.1,8/chatd.8}.gz; do has "$file"; done
for file in bash-completion/completions/chatd zsh/vendor-completions/_chat fish/vendor_completions.d/chatd.fish; do
    has "/usr/share/$file"
done
has "$enabled"
"${run[@]}" "${bin}chatd" --config "${etc}chatd/chatd.toml" config check
says "$("${run[@]}" "${bin}chatd" --version) and $("${run[@]}" "${bin}chat" --version) are installed, and the service is enabled"

# They talk there, with no library but what the package depends on.
client=("${run[@]}" "${bin}chat")
talks "${run[@]}" "${bin}chatd" --config "${etc}chatd/chatd.toml" --db none
says "chat has talked with chatd there, on port $port"

# A newer one: the same files with a higher version.
dpkg-deb --raw-extract "$package" "$work/newer"
sed -i 's/^Version: .*/&+1/' "$work/newer/DEBIAN/control"
echo '# what is usual, has changed' >> "$work/newer/etc/chatd/chatd.toml"
dpkg-deb -Zgzip -z1 --root-owner-group --build "$work/newer" "$work/newer.deb" > "$work/log"
echo 'threads-max = 37' >> "$root/etc/chatd/chatd.toml"
install -D /dev/null "$root/var/lib/private/chatd/chatd.db"
installs "$work/newer.deb"
grep -q 'threads-max = 37' "$root/etc/chatd/chatd.toml" || wrong "an upgrade loses what the operator has set"
has "$enabled"
says "an upgrade keeps the operator's options"
rm "$root$enabled" # what systemctl disable does
installs "$package"
lacks "$enabled"
says "a service that was disabled stays so; the older version went in again"

"${dpkg[@]}" --remove chatd > "$work/log" 2>&1
lacks /usr/bin/chatd
has /etc/chatd/chatd.toml
says "removed: the options are kept"
"${dpkg[@]}" --purge chatd > "$work/log" 2>&1
grep -q 'var/lib/private/chatd, with the database, is still there' "$work/log" || wrong "a purge does not say what it leaves"
has /var/lib/private/chatd/chatd.db
rm -r "$root/var/lib/private"
all_files > "$work/after"
diff "$work/before" "$work/after" || wrong "a purge leaves these"
says "purged: nothing is left but the database, and it says so"
