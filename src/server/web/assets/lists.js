// Who is here, the rooms, hands, and menus. The menus stand in page.html: a button says a line, or begins one.
"use strict";

const isWide = matchMedia("(min-width: 50rem)");
let hereTimer = 0;

function showHereSoon() {
  clearTimeout(hereTimer);
  hereTimer = setTimeout(showHere, 100);
  $("count").textContent = `${chat.here.size} here`;
}

function showHere() {
  const names = [...chat.here.keys()].sort().map((name) => chat.here.get(name));
  $("here-title").textContent = `Here: ${names.length}`;
  for (const count of document.querySelectorAll("#rooms [aria-current] small")) count.textContent = names.length;
  if (!isWide.matches && !$("sheet").open) return;
  $("here").replaceChildren(...names.map((who) => {
    const item = itemOf(who, isMine({ who }) ? "you" : hands.get(bare(who)) ?? "", () => openPerson(who));
    paint(item.firstChild.firstChild, who);
    return item;
  }));
}

function itemOf(name, remark, onclick) {
  const item = make("li", "");
  const button = make("button", "");
  button.append(make("span", "", name), make("small", "", remark));
  button.onclick = onclick;
  item.append(button);
  return item;
}

// /rooms is asked for by the page itself, and the answer becomes the list. A /rooms that was typed is answered in the log.
const rooms = {
  isAsked: false,
  isRead: false, // in one message or several: until a line is no row

  ask() {
    if (!isOn("in") || !(isWide.matches || $("sheet").open)) return;
    this.isAsked = true;
    tell("/rooms");
  },

  take(text) {
    const isHead = this.isAsked && text === "Rooms:";
    const row = this.isRead && /^ {2}(\S+) +(\d+) here/.exec(text);
    if (isHead) $("rooms").replaceChildren();
    if (row) $("rooms").append(this.item(row[1], row[2]));
    this.isAsked &&= !isHead;
    return (this.isRead = isHead || !!row);
  },

  item(name, count) {
    const item = itemOf(name, count, () => goTo(name));
    if (name === chat.room) item.firstChild.setAttribute("aria-current", "true");
    return item;
  },
};

function goTo(room) {
  closeDialogs();
  if (room !== chat.room) own.say(`/join ${room}`);
  $("say").focus();
}

$("joining").onsubmit = (event) => {
  event.preventDefault();
  goTo($("other").value.trim());
  $("other").value = "";
};

function openLists() {
  if (!isWide.matches) {
    $("sheet").append($("lists"));
    $("sheet").showModal();
  }
  showHere();
  rooms.ask();
  if (isWide.matches) $("other").focus();
}

$("open-lists").onclick = $("open-here").onclick = openLists;
$("sheet").onclose = () => $("side").append($("lists"));
isWide.onchange = () => { $("sheet").close(); showHere(); };

// --- Hands ---

const hands = new Map(); // who has a hand up: told to administrators

function handIs(up) {
  $("hand").setAttribute("aria-pressed", up);
  hands.clear();
}

function handsAre(who, number) {
  if (number) hands.set(bare(who), `hand ${number}`);
  else hands.delete(bare(who));
  showHereSoon();
}

$("hand").onclick = () => own.say("/hand");

// --- Menus ---

const DEEDS = {
  save: saveLog,
  keys: () => $("keys").showModal(),
  address: showAddress,
};

// The server knows by which address others reach the page, if it is not the one by which we do.
async function showAddress() {
  $("url").textContent = location.origin;
  $("code").hidden = true;
  $("address").showModal();
  const answer = await fetch(`/join.svg?${location.protocol}`).catch(() => null);
  if (!answer?.ok) return;
  const picture = await answer.text();
  $("url").textContent = /<title>([^<]*)/.exec(picture)[1];
  $("code").src = `data:image/svg+xml,${encodeURIComponent(picture)}`;
  $("code").hidden = false;
}

function openPerson(who) {
  closeDialogs();
  $("person-name").textContent = who;
  $("person").showModal();
}

function closeDialogs() {
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
}

function choose({ type, say, do: deed }) {
  const name = $("person-name").textContent.replace("@", "");
  closeDialogs();
  if (deed) return DEEDS[deed]();
  $("say").focus();
  if (type) setTyped(type.replace("NAME", name));
  else own.say(say.replace("NAME", name));
}

$("open-menu").onclick = () => $("menu").showModal();
for (const button of document.querySelectorAll(".items button")) button.onclick = () => choose(button.dataset);
for (const button of document.querySelectorAll(".close")) button.onclick = closeDialogs;
for (const dialog of document.querySelectorAll("dialog")) dialog.onclick = ({ target }) => { if (target === dialog) dialog.close(); }; // beside it

function saveLog() {
  const all = [...$("lines").querySelectorAll(".line, .rule, .table")].map(lines.asText);
  const a = make("a", "");
  a.href = URL.createObjectURL(new Blob([`${all.join("\n")}\n`], { type: "text/plain" }));
  a.download = `chat-${chat.room}-${new Date().toISOString().slice(0, 10)}.txt`;
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 60_000);
}

// The ticket is good once and for a minute. It stands behind #, which no browser sends to a server.
function openView(ticket) {
  const view = open(`/view#${ticket}`, "_blank");
  if (!view) lines.add({ kind: "server", who: null, text: `Your browser opens no window by itself. The view: ${location.origin}/view#${ticket}`, time: clock() });
}

connect();
