# Makes seeds for the target `room` of the conversations in docs/protocol.md, a file each:
#     awk -v folder=FOLDER -f tests/fuzz/seeds.awk docs/protocol.md
# Of each it takes what clients do. Each is written twice: for the model ("!") and for whatever is typed ("?").

function digit(name) {
    if (!(name in digits)) digits[name] = count++ % 6
    return digits[name]
}
function enter(name) { steps = steps digit(name) "+" name "\n" }

/^```chat/ { is_chat = 1; number++; steps = ""; count = 0; delete digits; delete waits; next }
/^```/ && is_chat {
    is_chat = 0
    for (i = 1; i <= 2; i++) {
        file = folder "/" (i == 1 ? "model-" : "free-") number
        printf "%s%s", (i == 1 ? "!" : "?"), steps > file
        close(file)
    }
    next
}
!is_chat { next }
/^@ / { for (i = 2; i <= NF; i++) enter($i); next }
/^\+ / { waits[$2] = 1; next }
/^- / { steps = steps digit($2) "-\n"; next }
/^[a-z]+ >/ {
    text = $0
    sub(/^[a-z]+ > ?/, "", text)
    if ($1 in waits) { steps = steps digit($1) "+" text "\n"; delete waits[$1] }
    else steps = steps digit($1) ">" text "\n"
}
