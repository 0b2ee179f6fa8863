# Sourced by release.sh and try.sh: how chatd and chat are tried out of what was made. Whoever sources this has the
# function wrong, a folder in work, in client the command that is chat, and at its end kills server, if there is one.
server=

# serves COMMAND...: starts chatd by this command. Then server is its process, and it listens on port.
serves() {
    port=
    "$@" --listen 127.0.0.1:0 --web none > "$work/server" 2>&1 &
    server=$!
    for _ in $(seq 600); do # a minute: wine, on a busy machine
        port=$(sed -n 's/^chatd: listening on 127.0.0.1:\([0-9]*\).*/\1/p' "$work/server")
        [ -z "$port" ] || return 0
        sleep 0.1
    done
    wrong "$1 does not start: $(cat "$work/server")"
}

# talks COMMAND...: starts chatd by this command, has client talk with it, and stops it.
talks() {
    local heard
    serves "$@"
    # By a name, so that looking one up is tried, too.
    heard=$(printf '/who\n/quit\n' | "${client[@]}" "localhost:$port" --name wendy --wait 60) || true
    # wine and buildah do not hand the signal on.
    kill -TERM $server && wait $server || [[ $1 = wine || $1 = buildah ]] || wrong "$* does not end well: $(cat "$work/server")"
    server=
    [[ $heard = *"Hello wendy"* ]] || wrong "${client[*]} heard: $heard; the server said: $(cat "$work/server")"
}
