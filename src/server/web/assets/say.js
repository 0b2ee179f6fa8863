// Your own lines, and the field you type into.
"use strict";

const TYPED_MAX = 5; // lines that are sent without a question, if they were not pasted
const COUNTED_FROM = 900; // bytes of a line from which on those that are left are shown
const COMMANDS = ("announce answer ask away back ban bans class echo floor hand hands help history ignore instructor join kick leave " +
  "lock login lower mail me msg mute names nick password pause quiet quit register remove reply resume rooms search " +
  "shutdown threads timestamps topic unban unignore unmute unregister view who whoami whois").split(" ");

// A line is dim until the server has told it to us as to everybody; with a history, it is on disk then. What was not told
// when we are back from a break was not said, and is offered again.
const own = {
  waiting: [], // { text, on, element }: on is the connection by which it was sent, if any

  say(text) {
    const entry = { text, on: null, element: lines.element({ kind: "says", who: chat.name, text: shown(text), time: "" }) };
    entry.element.append(make("small", ""));
    this.waiting.push(entry);
    $("own").append(entry.element);
    if (isOn("in") && isOpen()) {
      entry.on = socket;
      tell(text);
    }
    this.label();
    toEnd();
  },

  label() {
    for (const { on, element } of this.waiting) {
      const isUnderWay = on === socket && !lostAt;
      element.classList.toggle("sending", isUnderWay);
      element.lastChild.textContent = isUnderWay ? "sending…" : lostAt ? "waits" : "not sent";
    }
  },

  heard(line) {
    if (line.isPast && !lostAt) return; // /history tells old lines
    const sent = this.waiting.filter((entry) => entry.on !== null);
    const at = sent.findIndex((entry) => isAnswer(line, entry.text));
    const found = sent[at] ?? (isTalkOfMine(line) && !line.isPast ? sent.find((entry) => isTalk(entry.text)) : null);
    if (!found) return;
    // The server keeps the order. So talk before this line was refused, and a sentence has said why.
    if (isTalkOfMine(line)) for (const entry of sent.slice(0, at)) if (isTalk(entry.text) && entry.on === found.on) this.settle(entry, "refused");
    this.settle(found, line.kind === "server" && isTalk(found.text) ? "refused" : "command");
  },

  // Talk is in the log now, in everybody's order. A command is shown above its answer.
  settle(entry, kind) {
    this.drop(entry);
    if (kind === "refused" || !isTalk(entry.text)) lines.add({ kind, who: null, text: shown(entry.text), time: clock() });
  },

  drop(entry) {
    this.waiting.splice(this.waiting.indexOf(entry), 1);
    entry.element.remove();
  },

  unsent() {
    return this.waiting.filter((entry) => entry.on !== socket);
  },

  // Lines that may hold a password are never said again.
  offer() {
    for (const entry of this.unsent()) if (isSecret(entry.text)) this.drop(entry);
    this.label();
    const { length } = this.unsent();
    $("send-unsent").hidden = $("drop-unsent").hidden = length === 0;
    if (length > 0) status(length === 1 ? "One line of yours was not sent." : `${length} lines of yours were not sent.`);
  },

  end(isToBeSent) {
    for (const entry of this.unsent()) {
      this.drop(entry);
      if (isToBeSent) this.say(entry.text);
    }
    status("");
    this.offer();
    $("say").focus();
  },
};

$("send-unsent").onclick = () => own.end(true);
$("drop-unsent").onclick = () => own.end(false);

const isTalk = (text) => /^(?!\/)|^\/\/|^\/me\s/.test(text);
const isSecret = (text) => /^\/(login|register|password|instructor|quit)\b/.test(text);
const shown = (text) => (isSecret(text) ? text.split(/\s/)[0] : text);
const isTalkOfMine = (line) => (line.kind === "says" || line.kind === "does") && isMine(line);
const squeezed = (text) => text.replace(/\s+/g, " ").trim(); // as the server cuts runs of blanks

// Whether a line answers what was typed: talk by its echo, a private line by its copy, a command by a sentence that is
// not about comings and goings.
function isAnswer(line, typed) {
  if (isTalkOfMine(line)) return squeezed(line.text) === squeezed(typed.replace(/^\/me\s+|^\/(?=\/)/, ""));
  if (line.kind === "to" || line.kind === "asked") return /^\/(msg|reply|ask)\s/.test(typed) && squeezed(typed).endsWith(squeezed(line.text));
  if (line.kind !== "server" || line.isPast || lostAt) return false;
  return isTalk(typed) ? line.text.endsWith("not said.") : !/^\S+ (entered|left|is now) /.test(line.text);
}

let lastTyped = ""; // for the Up key
let wasPasted = false;
let completion = null; // { start, end, words, at }

$("composer").onsubmit = (event) => {
  event.preventDefault();
  sendTyped();
};

function sendTyped() {
  const all = $("say").value.split("\n").filter((line) => line.trim() !== "");
  if (all.length === 0) return;
  const tooMany = bytesOf(all) - chat.lineMax;
  if (tooMany > 0) return status(`Not sent: that is ${tooMany} bytes more than the ${chat.lineMax} of a line.`);
  if (all.length > 1 && (wasPasted || all.length > TYPED_MAX)) return askAboutMany(all);
  sayAll(all);
}

function sayAll(all) {
  for (const line of all) own.say(line);
  if (!isSecret(all[0])) lastTyped = all.join("\n");
  setTyped("");
  if (own.unsent().length === 0) status("");
}

function setTyped(text) {
  $("say").value = text;
  if (text === "") wasPasted = false;
  typed();
  $("say").focus();
}

function askAboutMany(all) {
  const [burst, rate] = chat.flood ?? [Infinity, 1];
  const slow = all.length > burst ? ` The server reads ${burst} at once and then ${rate} a second.` : "";
  $("many-title").textContent = `Send ${all.length} lines?${slow}`;
  $("many-text").textContent = all.join("\n");
  $("many-yes").textContent = `Send ${all.length} lines`;
  $("many-one").hidden = bytesOf([all.join(" ")]) > chat.lineMax;
  $("many").showModal();
}

$("many-yes").onclick = () => { $("many").close(); sayAll($("many-text").textContent.split("\n")); };
$("many-one").onclick = () => { $("many").close(); sayAll([$("many-text").textContent.replaceAll("\n", " ")]); };
$("many-no").onclick = () => $("many").close();

function bytesOf(all) {
  return Math.max(...all.map((line) => new TextEncoder().encode(line).length));
}

function typed() {
  const left = chat.lineMax - bytesOf($("say").value.split("\n"));
  const isNear = left <= chat.lineMax - COUNTED_FROM;
  $("left").textContent = !isNear ? "" : left < 0 ? `${-left} bytes too many` : `${left} bytes left`;
  $("left").classList.toggle("over", left < 0);
  completion = null;
}

$("say").oninput = typed;
$("say").onpaste = (event) => { wasPasted ||= event.clipboardData.getData("text").trim().includes("\n"); };

$("say").onkeydown = (event) => {
  // Enter that ends the composition of a Japanese or Chinese word sends nothing. Safari says 229 instead.
  if (event.isComposing || event.keyCode === 229) return;
  if (event.key === "Enter" && !event.shiftKey) sendTyped();
  else if (event.key === "ArrowUp" && $("say").value === "" && lastTyped) setTyped(lastTyped);
  else if (event.key !== "Tab" || event.shiftKey || !complete()) return;
  event.preventDefault();
};

// Names, and commands at the beginning of a line. Says whether there was something to complete: else Tab moves on.
function complete() {
  completion ??= findWords();
  if (!completion || completion.at === completion.words.length) return false;
  const { start, words, at } = completion;
  const found = words[at];
  const now = completion;
  $("say").setRangeText(found, start, now.end, "end");
  typed();
  completion = { ...now, end: start + found.length, at: at + 1 };
  return true;
}

function findWords() {
  const end = $("say").selectionStart;
  const start = $("say").value.lastIndexOf(" ", end - 1) + 1;
  const begun = $("say").value.slice(start, end);
  if (begun === "") return null;
  const isCommand = start === 0 && begun.startsWith("/");
  const all = isCommand ? COMMANDS.map((name) => `/${name} `) : [...chat.here.values()].map((who) => who.replace("@", "") + (start ? " " : ": "));
  const words = all.filter((word) => word.toLowerCase().startsWith(begun.toLowerCase())).sort();
  return words.length > 0 ? { start, end, words, at: 0 } : null;
}

function labelComposer(isPaused) {
  $("say").placeholder = isPaused && !chat.admin ? `${chat.room} is paused: raise your hand` : `Say to ${chat.room}`;
}
