#!/usr/bin/env bash
# Prints the manual page of a program of ours, made from what its --help says, and that of its commands:
# docs/package/man.sh target/release/chatd 8
# docs/package/man.sh target/release/chat 1
set -euo pipefail
program=$1 section=$2
name=$(basename "$program")
date=$(date --utc --date="@${SOURCE_DATE_EPOCH:-$(date +%s)}" +%F)

# From help to roff. Help has paragraphs, headings that begin a line and end in ":", and below those a table: what it is
# about from the third column, the text from the 21st, on the next line if there is no room.
to_roff() {
    awk -v command="$1" '
        function escaped(text) { gsub(/\\/, "\\e", text); gsub(/-/, "\\-", text); return text }
        # A line that begins with one of these two would be an order to roff.
        function say(text) { print (text ~ /^[.'\'']/ ? "\\&" : "") escaped(text) }
        # The usage says what an option takes: [--db <FILE>], and [--web-name <NAME...>] if it may be repeated.
        function value_of(option) {
            if (!match(usage, "[[]" option " <[^>]*>")) return ""
            return " \\fI" escaped(substr(usage, RSTART + length(option) + 3, RLENGTH - length(option) - 4)) "\\fR"
        }
        /^Usage: / {
            usage = substr($0, 8)
            if (command !~ / /) { print ".SH SYNOPSIS" } else { print ".SH " toupper(command) }
            say(usage)
            if (command !~ / /) { print ".SH DESCRIPTION" } else { print ".PP" }
            next
        }
        /^[A-Z][A-Za-z ]*:$/ { title = substr($0, 1, length($0) - 1); print (command ~ / / ? ".SS " title : ".SH " toupper(title)); next }
        /^  [^ ]/ {
            has_text = length($0) > 20 && substr($0, 20, 1) == " "
            what = substr($0, 3, has_text ? 18 : length($0)); sub(/ +$/, "", what)
            option = match(what, /--[a-z-]+/) ? substr(what, RSTART, RLENGTH) : "-"
            print ".TP"; print "\\fB" escaped(what) "\\fR" value_of(option)
            if (has_text) say(substr($0, 21))
            next
        }
        /^$/ { print ".PP"; next }
        { sub(/^ +/, ""); say($0) }'
}

# pages COMMAND...: of this command and of those below it
pages() {
    local help below
    help=$("$program" "${@:2}" --help)
    to_roff "$*" <<< "$help"
    for below in $(awk '/^[A-Z]/ { inside = $0 == "Commands:" } inside && /^  [^ ]/ { print $1 }' <<< "$help"); do
        pages "$@" "$below"
    done
}

first_sentence=$("$program" --help | awk 'NR == 3 { sub(/[.].*/, ""); print tolower(substr($0, 1, 1)) substr($0, 2) }')
printf '.TH %s %s %s "%s"\n' "${name^^}" "$section" "$date" "$("$program" --version)"
printf '.nh\n.ad l\n.SH NAME\n%s \\- %s\n' "$name" "$first_sentence"
pages "$name"
printf '.SH SEE ALSO\n.BR chatd (8),\n.BR chat (1);\nthe pages in /usr/share/doc/chatd, first of all operations.md\n'
