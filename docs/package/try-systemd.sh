#!/usr/bin/env bash
# Has a real systemd run the package, in a Debian of its own in which it is process 1. It installs, starts, reloads, watches
# and stops chatd, keeps its ports, and upgrades it while 20 people talk:
# docs/package/try-systemd.sh target/package/chatd_0.1.0-1_amd64.deb [FOLDER]
# Needs root, debootstrap, which makes FOLDER if it is not there, nc, and a kernel with cgroup 2. Takes about three minutes.
set -euo pipefail
package=$(realpath "$1")
work=$(mktemp -d)
root=$(realpath -m "${2:-$work/root}")
group=$(findmnt --noheadings --raw --output TARGET --types cgroup2 | head -n 1)/chatd-try-$$
unit=/usr/lib/systemd/system/chatd.service
outside= # the process that stands outside of the namespaces and ends with them
ends() {
    touch "$work/over"
    [ -z "$outside" ] || { kill -KILL "$outside" && wait; } 2> "$work/log" || true
    for _ in $(seq 100); do # a group that has processes stays; the last of them are ending
        find "$group" -depth -type d -exec rmdir {} + 2> "$work/log" || true
        [ -e "$group" ] || break
        sleep 0.1
    done
    rm -rf "$work"
}
trap ends EXIT
says() { printf 'try-systemd: %3d s  %s\n' "$SECONDS" "$1"; }
wrong() { printf 'try-systemd: %s\n' "$1" >&2; inside journalctl --no-pager --lines 20 >&2 || true; exit 1; }
# waits WHAT COMMAND...: until the command succeeds, for at most a minute
waits() {
    local end=$((SECONDS + 60))
    while [ $SECONDS -lt $end ]; do
        ! "${@:2}" > "$work/waits" 2>&1 || return 0
        sleep 0.1
    done
    wrong "$1: $(cat "$work/waits")"
}

# --- A systemd of our own ---

[ -e "$root/etc/debian_version" ] ||
    debootstrap --variant=minbase --include=systemd stable "$root" > "$work/log" || { cat "$work/log"; exit 1; }
touch "$root/var/is-tried"
cat > "$work/begin" << 'END'
set -e
mount --bind "$1" "$1" && cd "$1"
mount -t proc proc proc
mount --bind proc/sys proc/sys && mount -o remount,ro,bind proc/sys # they are this machine's
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
for folder in dev run tmp; do mount -t tmpfs tmpfs "$folder"; done
for device in null zero full random urandom tty; do touch "dev/$device" && mount --bind "/dev/$device" "dev/$device"; done
mkdir dev/pts dev/shm && ln -s pts/ptmx dev/ptmx
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
ip link set lo up
pivot_root . . && umount -l .
mount --make-rshared /
exec env -i container=chatd-try PATH=/usr/sbin:/usr/bin:/sbin:/bin /usr/lib/systemd/systemd
END
mkdir "$group"
(
    echo "$BASHPID" > "$group/cgroup.procs"
    exec unshare --fork --kill-child --pid --mount --cgroup --ipc --uts --net sh "$work/begin" "$root"
) < /dev/null > "$work/console" 2>&1 &
outside=$!
begun() { manager=$(tr -d ' ' < "/proc/$outside/task/$outside/children") && inside test -e /var/is-tried && inside systemctl list-units; }
# inside COMMAND...: as root, there
inside() {
    nsenter --target "$manager" --mount --pid --net --ipc --uts --root \
        env -i --chdir=/ PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"
}
waits "systemd does not begin: $work/console" begun
says "$(inside systemctl --version | head -n 1) runs"
of() { inside systemctl show --value --property "$1" chatd.service; }
is() { [ "$(of "$1")" = "$2" ]; }
logs() { inside journalctl --no-pager --quiet --unit chatd | grep -F "$1"; }

# --- The package, and what systemd does with it ---

# installs [NUMBER [LINE]]: the package; or the same with a higher version, and one more line in its unit
installs() {
    rm -rf "$work/it" && dpkg-deb --raw-extract "$package" "$work/it"
    [ -z "${1:-}" ] || sed -i "s/^Version: .*/&+$1/" "$work/it/DEBIAN/control"
    [ -z "${2:-}" ] || echo "$2" >> "$work/it$unit"
    dpkg-deb -Zgzip -z1 --root-owner-group --build "$work/it" "$root/var/it.deb" > "$work/log"
    inside dpkg --install --force-confold /var/it.deb > "$work/said" 2>&1 || wrong "dpkg fails: $(cat "$work/said")"
}
tells() { grep -qF "$1" "$work/said" || wrong "dpkg does not say: $1, but $(cat "$work/said")"; }

inside dpkg --purge chatd > "$work/log" 2>&1 # of a run that was cut off
rm -rf "$root/var/lib/private/chatd"
installs
is ActiveState active || wrong "it does not run after the installation"
waits "no status comes" is StatusText "0 of 512 clients"
inside systemd-analyze verify "$unit" || wrong "systemd complains of the unit"
says "installed: the service runs. $(inside systemd-analyze security chatd.service | tail -n 1)"

echo 'flood = "64/16"' >> "$root/etc/chatd/chatd.toml"
inside systemctl reload chatd
waits "it does not read its options" logs "the options were read again: changed: flood"
is ActiveState active || wrong "a reload ends it"
says "reloaded: systemd waits for that, and nothing ends"

inside sh -c 'mkdir -p /run/systemd/system/chatd.service.d && cd /run/systemd/system/chatd.service.d &&
    printf "[Service]\nWatchdogSec=3\n" > try.conf && systemctl daemon-reload && systemctl restart chatd'
inside systemctl kill --signal STOP chatd
waits "nobody starts it anew" is NRestarts 1
waits "it does not run again" is ActiveState active
inside sh -c 'rm -r /run/systemd/system/chatd.service.d && systemctl daemon-reload && systemctl restart chatd'
says "stopped by SIGSTOP: the watchdog starts it anew"

inside systemctl stop chatd
is Result success || wrong "a stop fails: $(of Result)"
inside systemctl start chatd.socket chatd-web.socket chatd
says "stopped: well. Started again with systemd's sockets"

# --- People who talk meanwhile ---

# twenty people come, and each says two lines a second; what n1 reads is in $work/n1, and so on
crowd() {
    rm -f "$work"/{enough,over}
    for number in $(seq 20); do
        (
            echo "n$number"
            for line in $(seq 1000); do
                [ ! -e "$work/enough" ] || break
                echo "line $line" && sleep 0.5
            done
            echo "that is all"
            while [ ! -e "$work/over" ]; do sleep 0.2; done
        ) | nsenter --net="/proc/$manager/ns/net" nc -N 127.0.0.1 5000 > "$work/n$number" &
    done
    for number in $(seq 20); do waits "n$number hears nothing" grep -E '^<n(19|20)> line 3' "$work/n$number"; done
}
is_all() { [ "$(grep -c '> that is all' "$work/$1")" = "${2:-20}" ]; }
# each of them has read every line since they came, once and in its place, to the end
has_heard_all() {
    touch "$work/enough"
    for number in $(seq 20); do
        waits "n$number does not hear the last lines" is_all "n$number" 19
        awk '/^<n[0-9]+> line [0-9]+\r?$/ {
            if ($1 in last && $3 != last[$1] + 1) { print last[$1], "and then", $0; lost = 1 }
            last[$1] = $3
        } END { exit lost }' "$work/n$number" > "$work/lost" || wrong "n$number has lost something: $(cat "$work/lost")"
    done
    touch "$work/over"
    waits "they do not leave" is StatusText "0 of 512 clients"
}

crowd
process=$(of MainPID)
installs 1
tells "Process $process is upgraded."
is MainPID "$process" && is ActiveState active || wrong "systemd takes it for another process"
waits "the status is another one" is StatusText "20 of 512 clients"
for _ in 1 2 3; do inside chatd upgrade --db /var/lib/chatd/chatd.db > "$work/said" && tells "Process $process is upgraded."; done
has_heard_all
is NRestarts 0 && is MainPID "$process" || wrong "it was started anew"
says "a newer package, and three more upgrades: process $process as before, $(grep -c line "$work/n1") lines heard by each of 20, none lost"

rm "$work/over"
(
    while [ ! -e "$work/over" ]; do
        echo knocks && printf 'knock\n/quit\n' | nsenter --net="/proc/$manager/ns/net" nc -N 127.0.0.1 5000 || echo refused
    done
) > "$work/knocks" 2>&1 &
for _ in 1 2 3; do inside systemctl restart chatd; done
touch "$work/over"
! grep -q refused "$work/knocks" || wrong "a restart refuses somebody, in spite of systemd's sockets"
says "three restarts: of $(grep -c '^knocks' "$work/knocks") who came meanwhile nobody was refused"

process=$(of MainPID)
installs 2 "# another unit"
tells "chatd is started anew, because its unit for systemd has changed."
is MainPID "$process" && wrong "it is the old process still"
echo 'unicode-names = true' >> "$root/etc/chatd/chatd.toml"
installs 3 "# another unit"
tells "nothing is upgraded: the new program refuses: --unicode-names was changed. The server goes on. So chatd is started anew."
is ActiveState active || wrong "it does not run"
says "a package with another unit, and one that refuses: both started anew, and dpkg says why"

inside dpkg --purge chatd > "$work/log" 2>&1
[ "$(of ActiveState)" = inactive ] || wrong "it runs still: $(of ActiveState)"
says "purged: it has stopped"
