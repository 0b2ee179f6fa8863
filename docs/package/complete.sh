#!/usr/bin/env bash
# Prints what a shell completes behind a program of ours, made from what its --help says, and that of its commands:
# docs/package/complete.sh target/release/chatd bash      or zsh, or fish
set -euo pipefail
program=$1 shell=$2
name=$(basename "$program")

# rows COMMAND...: of this command and of those below it, a line each: the command, what it is about (an option, the word
# of a command, or one of the words that come first), its name, its short name, its value, what help says of it.
# Values are as in the usage: FILE is one, a|b is one of two, and N... may be given again.
rows() {
    local help below
    help=$("$program" "${@:2}" --help)
    awk -v command="$*" '
        function end() {
            if (what == "") return
            sub(/[.;(].*/, "", text); sub(/ +$/, "", text)
            print command "\t" kind "\t" what "\t" short "\t" value "\t" (text == "" ? what : text)
            what = ""
        }
        function value_of(option, found) {
            if (!match(usage, "[[]" option " <[^>]*>")) return ""
            return substr(usage, RSTART + length(option) + 3, RLENGTH - length(option) - 4)
        }
        /^Usage: / {
            usage = $0
            # The first word behind the options may be one of several.
            if (match(usage, /--\] <[a-z|]+[|][a-z|]+>/)) {
                count = split(substr(usage, RSTART + 5, RLENGTH - 6), words, "|")
                for (i = 1; i <= count; i++) print command "\tword\t" words[i] "\t\t\t" words[i]
            }
        }
        /^[A-Z][A-Za-z ]*:$/ { end(); inside = $0; next }
        /^  [^ ]/ && inside != "Positional Arguments:" {
            end()
            what = substr($0, 3, length($0) > 20 ? 18 : length($0)); sub(/ +$/, "", what)
            short = ""; value = ""; kind = "command"
            if (inside == "Options:") {
                kind = "option"
                if (match(what, /^-[A-Za-z],/)) short = substr(what, 2, 1)
                match(what, /--[a-z-]+/); what = substr(what, RSTART, RLENGTH); value = value_of(what)
            }
            text = length($0) > 20 ? substr($0, 21) : ""
            next
        }
        what != "" && /^ / { sub(/^ +/, " "); text = text $0 }
        END { end() }' <<< "$help"
    for below in $(awk '/^[A-Z]/ { inside = $0 == "Commands:" } inside && /^  [^ ]/ { print $1 }' <<< "$help"); do
        rows "$@" "$below"
    done
}

bash_script() {
    awk -F '\t' -v name="$name" '
        function add(list, item) { return list == "" ? item : list " " item }
        !($1 in seen) { seen[$1] = 1; order[++commands] = $1 }
        $2 == "word" { first[$1] = add(first[$1], $3); next }
        { words[$1] = add(words[$1], $3 ($4 == "" ? "" : " -" $4)) }
        $2 == "command" { below = below "            \"" $1 " " $3 "\") command=\"$command $word\" ;;\n" }
        $2 == "option" && $5 != "" {
            taking = taking (taking == "" ? "" : " | ") "\"" $1 " " $3 "\""
            gsub(/[|]/, " ", $5)
            does = $5 ~ /^[a-z ]+$/ ? "COMPREPLY=($(compgen -W \"" $5 "\" -- \"$word\"))" : $5 == "FILE" ? "compopt -o default" : ""
            if (does != "") values = values "        \"" $1 " " $3 "\") " does " ;;\n"
        }
        END {
            print "# What bash completes behind " name ", made from what its --help says.\n_" name "() {"
            print "    local command=" name " option= first= word words=() i"
            print "    for ((i = 1; i < COMP_CWORD; i++)); do\n        word=${COMP_WORDS[i]}"
            print "        if [[ -n $option ]]; then option=; continue; fi\n        case \"$command $word\" in"
            printf "%s", below
            if (taking != "") print "            " taking ") option=$word ;;"
            print "            *\" -\"*) ;;\n            *) first=$word ;;\n        esac\n    done\n    word=${COMP_WORDS[COMP_CWORD]}"
            print "    COMPREPLY=()\n    case \"$command $option\" in"
            printf "%s", values
            print "    esac\n    [[ -z $option ]] || return\n    case $command in"
            for (i = 1; i <= commands; i++) {
                command = order[i]
                print "        \"" command "\") words=(" words[command] ") ;;"
            }
            print "    esac\n    [[ -n $first ]] || case $command in"
            for (i = 1; i <= commands; i++) if (order[i] in first) print "        \"" order[i] "\") words+=(" first[order[i]] ") ;;"
            print "    esac\n    COMPREPLY=($(compgen -W \"${words[*]}\" -- \"$word\"))"
            print "    [[ -n ${COMPREPLY[*]} ]] || compopt -o default # the name of a file\n}\ncomplete -F _" name " " name
        }'
}

zsh_script() {
    awk -F '\t' -v name="$name" -v quote="'" '
        function escaped(text) {
            gsub(/\[/, "\\[", text); gsub(/\]/, "\\]", text); gsub(/:/, "\\:", text)
            gsub(quote, quote "\\" quote quote, text)
            return text
        }
        function begin(command) {
            if (open != "") finish()
            open = command; has_commands = words = ""; function_name = command; gsub(/ /, "_", function_name)
            print "_" function_name "() {\n    local curcontext=$curcontext state line\n    typeset -A opt_args\n    _arguments -C -s \\"
        }
        function finish() {
            if (has_commands != "") {
                print "        " quote "1:command:((" has_commands "))" quote " \\\n        " quote "*:: :->below" quote
                print "    [[ $state != below ]] || _" function_name "_$line[1]"
            } else if (words != "") {
                print "        " quote "1: :(" words ")" quote " \\\n        " quote "*: :_files" quote
            } else {
                print "        " quote "*: :_files" quote
            }
            print "}\n"
        }
        BEGIN { print "#compdef " name "\n# What zsh completes behind " name ", made from what its --help says.\n" }
        $1 != open { begin($1) }
        $2 == "option" {
            many = sub(/[.][.][.]$/, "", $5) ? "*" : ""
            does = ""
            if ($5 != "") {
                label = escaped($5); gsub(/[|]/, " ", $5)
                does = ":" label ":" ($5 ~ /^[a-z ]+$/ ? "(" $5 ")" : $5 == "FILE" ? "_files" : " ")
            }
            print "        " quote many $3 "[" escaped($6) "]" does quote " \\"
            if ($4 != "") print "        " quote "-" $4 "[" escaped($6) "]" does quote " \\"
        }
        $2 == "word" { words = words (words == "" ? "" : " ") $3 }
        $2 == "command" { text = $6; gsub(/[^A-Za-z0-9,.:\/-]/, "\\\\&", text); text = escaped(text); has_commands = has_commands (has_commands == "" ? "" : " ") $3 "\\:" text }
        END { finish(); print "[[ $funcstack[1] != _" name " ]] || _" name " \"$@\"" }'
}

fish_script() {
    awk -F '\t' -v name="$name" -v quote="'" '
        function escaped(text) { gsub(/\\/, "\\\\", text); gsub(quote, "\\" quote, text); return quote text quote }
        { at = "complete -c " name " -n " escaped("__" name "_is_at " $1) }
        $2 == "command" { below = below " " escaped($1 " " $3); print_later[++rows] = at " -f -a " $3 " -d " escaped($6) }
        $2 == "word" { first = first " " escaped($1 " " $3); print_later[++rows] = "complete -c " name " -n " escaped("__" name "_is_at " $1 "; and not __" name "_has_first") " -f -a " $3 }
        $2 == "option" {
            does = ""
            if ($5 != "") {
                taking = taking " " escaped($1 " " $3); gsub(/[|]/, " ", $5)
                does = $5 ~ /^[a-z ]+$/ ? " -x -a " escaped($5) : $5 == "FILE" ? " -r -F" : " -x"
            }
            print_later[++rows] = at " -l " substr($3, 3) ($4 == "" ? "" : " -s " $4) does " -d " escaped($6)
        }
        END {
            print "# What fish completes behind " name ", made from what its --help says."
            print "function __" name "_look # prints the command that is being typed, and the first word behind it"
            print "    set -l command " name "\n    set -l option\n    set -l first\n    for word in (commandline -opc)[2..]"
            print "        if test -n \"$option\"\n            set option\n            continue\n        end\n        switch \"$command $word\""
            if (below != "") print "            case" below "\n                set command \"$command $word\""
            print "            case" taking "\n                set option $word"
            print "            case " escaped("* -*") "\n            case " escaped("*") "\n                set first $word\n        end\n    end"
            print "    echo $command\n    echo $first\nend"
            print "function __" name "_is_at\n    test \"$argv\" = (__" name "_look)[1]\nend"
            print "function __" name "_has_first\n    set -l seen (__" name "_look)\n    test -n \"$seen[2]\"\nend"
            for (i = 1; i <= rows; i++) print print_later[i]
        }'
}

case $shell in bash | zsh | fish) rows "$name" | "${shell}_script" ;; *) echo "complete.sh: bash, zsh or fish" >&2; exit 2 ;; esac
