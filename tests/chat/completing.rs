//! Tab completes commands, names and rooms.

use crate::person::alice;

#[test]
fn names_come_in_the_order_of_who_spoke_last() {
    let (_server, client, person) = alice();
    client.gets(
        "*** bella entered lobby\n{\"+\":\"bella\"}\n<bob> first\n<bella> later\n{\"last\":12}",
    );
    person.sees("<bella> later");
    // Tab, Tab, Shift-Tab
    for (keys, line) in [("hi b\t", "hi bella"), ("\t", "hi bob"), ("\x1b[Z", "hi bella")] {
        person.types(keys);
        person.sees_prompt(&format!("alice@lobby> {line}"));
    }
    person.types("and c\t!\r");
    client.says("hi bella and carol !");
}

#[test]
fn what_comes_is_shown_between_two_tabs() {
    let (_server, client, person) = alice();
    person.types("b\t"); // whoever is named first is spoken to
    person.sees_prompt("alice@lobby> bob:");
    client.gets("<carol> while you choose");
    person.sees("<carol> while you choose");
    person.sees_prompt("alice@lobby> bob:");
}

#[test]
fn commands_and_rooms() {
    let (_server, client, person) = alice();
    client.gets(
        "*** Rooms:\n\
         ***   lobby                   1 here\n\
         ***   math                    1 here   1 + 1",
    );
    person.sees("1 + 1");
    person.types("/jo\t");
    person.sees_prompt("alice@lobby> /join");
    person.types("m\t\r");
    client.says("/join math ");
    client.moves_to("math");
    person.sees_prompt("alice@math> ");
    person.types("/conn\t");
    person.sees_prompt("alice@math> /connect");
}

#[test]
fn the_rest_of_the_line_stays() {
    let (_server, client, person) = alice();
    person.types("ask ca why\x1b[D\x1b[D\x1b[D\x1b[D\t\r"); // the cursor behind "ca"
    client.says("ask carol  why");
}
