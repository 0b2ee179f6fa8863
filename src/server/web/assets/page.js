// The page: one client of the chat among others. It reads the same lines that nc reads, and beside them notes: JSON
// objects, one a line, which no other line can look like (docs/protocol.md). This file has the connection and how it comes
// back, the door, notes, and passwords; log.js what is shown of a line; say.js what you type; lists.js people, rooms, menus.
//
// Whatever somebody typed becomes text by textContent, never HTML. A password is in its field until it is sent, and
// nowhere else. The tab remembers your name and your room until it is closed.
"use strict";

const $ = (id) => document.getElementById(id);
const SILENT_FOR = 60_000; // ms without a byte: the server says something every 25 s, so the connection is gone
const ASLEEP_FOR = 30_000; // ms without a byte after which a tab that wakes up does not trust its connection
const NO_ANSWER_FOR = 10_000; // ms after which a connection that does not come about is given up
const TRIES = [1, 2, 4, 8, 15]; // seconds; each half to one and a half as long, so that a class does not come all at once

// What is known about the chat. The token to come back with is here, and never in the tab's storage.
const chat = { name: "", room: "", last: 0, epoch: null, admin: false, here: new Map(), token: null, lineMax: 1024, flood: null };
const tab = sessionStorage;

function make(tag, className, text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

let socket = null;
let heardAt = 0; // when the last byte came
let isGreeted = false; // the server has answered to /notes on: lines before that are its greeting
let tries = 0; // since we were in
let nextTry = 0; // the timer
let lostAt = 0; // when the connection was lost, until we are back in our room
let farewell = ""; // the server's last sentence on this connection

function connect() {
  clearTimeout(nextTry);
  forget(socket);
  $("try-now").hidden = true;
  heardAt = Date.now();
  isGreeted = false;
  asked = null;
  mayGiveName = mayGoToRoom = true;
  door.clear();
  socket = new WebSocket(location.origin.replace(/^http/, "ws") + "/chat", "chatd");
  socket.onopen = () => tell("/notes on");
  socket.onmessage = ({ data }) => takeLines(data.split("\n"));
  socket.onclose = ({ code }) => lost(code);
}

// What an abandoned connection still says is told again by the next one.
function forget(old) {
  if (!old) return;
  old.onopen = old.onmessage = old.onclose = null;
  old.close();
}

function tell(line) {
  socket.send(`${line}\n`);
}

const isOpen = () => socket?.readyState === WebSocket.OPEN;
const isOn = (screen) => document.body.dataset.screen === screen;

function show(screen) {
  document.body.dataset.screen = screen;
}

// The one line that says how things stand. What is in order, only a screen reader is told.
function status(text, isInOrder = false) {
  $("status").classList.toggle("hide", isInOrder);
  if ($("status").textContent !== text) $("status").textContent = text;
}

// Close codes (docs/protocol.md) after which a person decides. Two tabs would otherwise throw each other out for ever.
const ENDINGS = {
  1000: "You have left.",
  4001: "You are not logged in any more.",
  4003: "You were sent away.",
  4009: "You are here in another window.",
};

function lost(code) {
  hideSecret();
  if (!isOn("door")) awayFrom();
  if (code === 4001 && isOn("door") && !tab.name) return door.wait();
  if (ENDINGS[code]) return over(farewell || ENDINGS[code]);
  tryAgainIn(code === 1013 ? 30 : TRIES[Math.min(tries, TRIES.length - 1)]);
}

function awayFrom() {
  if (lostAt) return;
  lostAt = Date.now() - heardAt > ASLEEP_FOR ? heardAt : Date.now(); // asleep, nobody sees it
  lines.lost();
  own.label();
}

function tryAgainIn(seconds) {
  const wait = seconds * (0.5 + Math.random());
  if (!isOn("door")) show("away");
  nextTry = setTimeout(connect, wait * 1000);
  tries += 1;
  $("try-now").textContent = "Try now";
  $("try-now").hidden = false;
  status(`${tries > 1 ? "No connection" : "The connection is lost"}. Next try in ${Math.ceil(wait)} s.`);
}

function over(why) {
  chat.token = null;
  tab.removeItem("name"); // so a page that is loaded again asks
  if (isOn("door")) door.wait();
  else show("over");
  $("naming").hidden = false; // at the door, Join connects again
  $("try-now").textContent = "Join again";
  $("try-now").hidden = isOn("door");
  status(why);
}

$("try-now").onclick = () => {
  if (isOn("over")) tab.name = chat.name;
  status("Connecting…");
  connect();
};

function wake() {
  const isWaiting = isOn("away") || (isOn("door") && tab.name);
  if (document.hidden || !(isOn("in") || isWaiting)) return;
  const isClosed = socket.readyState > WebSocket.OPEN;
  if (isClosed || (isOpen() && Date.now() - heardAt > ASLEEP_FOR)) reconnect();
}

function reconnect() {
  if (isOn("in")) {
    show("away");
    awayFrom();
  }
  status("Connecting…");
  connect();
}

for (const event of ["online", "pageshow"]) addEventListener(event, wake);
for (const event of ["visibilitychange", "resume"]) document.addEventListener(event, wake);

setInterval(() => {
  const mayBeSilent = isOpen() ? SILENT_FOR : NO_ANSWER_FOR;
  const isWaitedFor = isOn("in") || (isOn("away") && socket.readyState === WebSocket.CONNECTING);
  if (isWaitedFor && Date.now() - heardAt > mayBeSilent) reconnect();
}, 1_000);

// --- The door: before we have a name ---

const door = {
  held: [], // what came since we last said something: if we are let in, it belongs to the log

  clear() {
    this.held = [];
    $("sentences").replaceChildren();
  },

  take(line) {
    this.held.push(line);
    if (line.kind !== "server" || line.isPast) return;
    $("sentences").append(make("p", "", line.text));
    if ($("sentences").childElementCount > 4) $("sentences").firstChild.remove();
    if (asked === "name") this.label();
  },

  ask() {
    show("door");
    status("");
    this.label();
    $("name").select();
  },

  // The server's question is the label of the field. It comes before or behind the note that something is asked.
  label() {
    const question = $("sentences").lastChild;
    if (!question?.textContent.endsWith("?")) return;
    $("ask-name").textContent = question.textContent;
    question.remove();
  },

  say(text) {
    this.clear();
    tell(text);
  },

  // The server waits half a minute for a name. Who thinks for longer need not know.
  wait() {
    $("sentences").lastChild?.remove();
    status("");
  },

  open() {
    show("in");
    for (const line of this.held.splice(0)) takeLine(line);
  },
};

$("naming").onsubmit = (event) => {
  event.preventDefault();
  const typed = $("name").value.trim();
  const isName = !typed.startsWith("/"); // an instructor's code, say, is not kept
  if (isName) tab.name = typed;
  else $("name").value = "";
  if (!isOpen()) return reconnect();
  mayGiveName = false;
  door.say(typed);
};

// --- Notes ---

let asked = null; // what the next line will be taken for: "name", "password", or null: talk
let mayGiveName = true; // once a connection: a name that was refused is not given again
let mayGoToRoom = true; // once a connection, too

function takeNote(note) {
  if (note.chatd) takeHello(note);
  if (note.in) weAreIn(note);
  if (note.room) weAreInRoom(note);
  if ("topic" in note) $("topic").textContent = $("topic").title = note.topic ?? "";
  if ("paused" in note) labelComposer(note.paused);
  if (note.last) lines.numberIs(note.last);
  if (note.view) openView(note.view);
  takePresence(note);
  if (note.hand) handsAre(...note.hand);
  if ("ask" in note) takeAsk(note);
}

// The first note. If we were here before, we say up to which line we have read, and show our token in place of a name.
function takeHello(note) {
  isGreeted = true;
  chat.lineMax = note.line_max ?? chat.lineMax;
  chat.flood = note.flood;
  if (chat.epoch !== note.epoch) numbersBeginAnew();
  chat.epoch = note.epoch;
  if (lostAt && chat.last > 0) tell(`/since ${chat.room} ${chat.last}`);
  if (!chat.token || note.ask !== "name") return;
  tell(`/resume ${chat.token}`);
  chat.token = null; // it is good once
  delete note.ask; // if the token is not good any more, we are asked again
}

function numbersBeginAnew() {
  if (lostAt && chat.last > 0) lines.missed = "the server was started again, and what was said meanwhile is not known";
  chat.last = 0;
}

function takeAsk(note) {
  asked = note.ask;
  $("naming").hidden = asked === "password";
  if (asked === "password") return showSecret(note);
  hideSecret();
  if (asked !== "name") return;
  if (!tab.name || !mayGiveName) return door.ask();
  mayGiveName = false;
  door.say(tab.name);
}

function weAreIn(note) {
  const isNew = !isOn("in");
  chat.name = tab.name = note.in;
  chat.admin = note.admin === true;
  chat.token = note.resume ?? chat.token;
  document.body.classList.toggle("admin", chat.admin);
  if (!isNew) return;
  tries = 0;
  hushed = "You read your own lines from now on.";
  tell("/echo on"); // a line of ours counts as said when it is told to us as to everybody
  if (isOn("door")) door.open();
  show("in");
  status("");
}

function weAreInRoom(note) {
  if (goesBackToRoom(note.room)) return;
  const isOther = chat.room !== note.room;
  chat.room = tab.room = note.room;
  chat.here = new Map((note.here ?? []).map((who) => [bare(who), who]));
  lines.isBack();
  lostAt = 0;
  lines.numberIs(note.last);
  $("room").textContent = note.room;
  handIs(false);
  note.hands?.forEach((who, at) => handsAre(who, at + 1));
  if (isOther) status(`You are in ${note.room} as ${chat.name}.`, true);
  own.offer();
  rooms.ask();
  $("say").focus();
}

// Whoever comes back under their name, and not by a token, is in the lobby first.
function goesBackToRoom(room) {
  const goes = mayGoToRoom && tab.room && tab.room !== room;
  mayGoToRoom = false;
  if (goes) tell(`/join ${tab.room}`);
  return goes;
}

function takePresence(note) {
  if (note["-"]) chat.here.delete(bare(note["-"]));
  if (note["+"]) chat.here.set(bare(note["+"]), note["+"]);
  if (note["="]) {
    chat.here.delete(bare(note["="][0]));
    chat.here.set(bare(note["="][1]), note["="][1]);
  }
  if (note.room || note["+"] || note["-"] || note["="]) showHereSoon();
}

// --- Passwords ---

function showSecret({ new: isNew }) {
  $("composer").hidden = true;
  $("secret").hidden = false;
  $("plain").hidden = isSecureContext; // https, or this very machine
  $("for").value = tab.name ?? "";
  $("password").autocomplete = isNew ? "new-password" : "current-password";
  labelSecret();
  status("");
  $("password").focus();
}

function labelSecret() {
  const said = $("sentences").lastChild;
  if (said?.textContent === lastSentence) said.remove();
  $("password-label").textContent = lastSentence;
}

function hideSecret() {
  if ($("secret").hidden) return;
  $("password").value = "";
  $("secret").hidden = true;
  $("composer").hidden = false;
}

$("secret").onsubmit = (event) => {
  event.preventDefault();
  const secret = $("password").value;
  $("password").value = "";
  if (isOn("in")) tell(secret);
  else door.say(secret);
};

$("no-secret").onclick = () => {
  $("password").value = "";
  $("secret").requestSubmit(); // an empty line
};
