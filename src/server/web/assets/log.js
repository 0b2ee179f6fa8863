// What a line is, and the log: what is shown of it. Lines are put in a message at a time. Lines that were said before stand
// in sections of their own, which a screen reader does not read out.
"use strict";

const LINES_MAX = 1000; // lines in the log; older ones go, and /history tells them again
const GO_AT_ONCE = 100; // lines: when the oldest go everything moves, which costs as much for a hundred as for one
const READ_OUT_MAX = 10; // lines in 2 s that a screen reader reads out; of more it is told the number

// The first characters say it, and nobody can type a line that looks like another kind.
const KINDS = [
  [/^\*\*\* (.*)$/s, "server"],
  [/^<(\S+)> (.*)$/s, "says"],
  [/^\* (\S+) (.*)$/s, "does"],
  [/^\[from (\S+)\] (.*)$/s, "from"],
  [/^\[to (\S+)\] (.*)$/s, "to"],
  [/^\[question from (\S+)\] (.*)$/s, "asks"],
  [/^\[question to (\S+)\] (.*)$/s, "asked"],
];

function readLine(line) {
  const past = /^\(([\d: -]+)\) (.*)$/s.exec(line);
  const stamped = past ?? /^\[([\d: -]+)\] (.*)$/s.exec(line); // as /timestamps on has it
  const rest = stamped?.[2] ?? line;
  const common = { time: stamped?.[1] ?? clock(), isPast: past !== null };
  for (const [pattern, kind] of KINDS) {
    const found = pattern.exec(rest);
    if (found) return { kind, who: found.length > 2 ? found[1] : null, text: found.at(-1), ...common };
  }
  return { kind: "server", who: null, text: rest, ...common };
}

const clock = (at = Date.now()) => new Date(at).toTimeString().slice(0, 5);
const bare = (who) => (who ?? "").replace(/^@|\?$/g, "").toLowerCase(); // "@alice" is alice, and an administrator
const isMine = (line) => bare(line.who) === bare(chat.name);
const key = (line) => `${line.kind} ${bare(line.who)} ${line.text}`;

function takeLines(all) {
  heardAt = Date.now();
  for (const line of all) {
    if (line.startsWith("{")) takeNote(JSON.parse(line));
    else if (line !== "") takeLine(readLine(line));
  }
  lines.flush();
}

function takeLine(line) {
  if (isOn("door") || !isGreeted) door.take(line);
  if (line.kind === "server" && !line.isPast) heardFromServer(line.text);
  if (isOn("door") || !isGreeted) return;
  if (line.kind === "server" && (isHushed(line.text) || isKnown(line.text) || rooms.take(line.text))) return;
  if (line.isPast && lostAt && lines.wasShown(line)) return;
  own.heard(line);
  lines.add(line);
}

function heardFromServer(text) {
  farewell = text.startsWith("Hung up: ") ? text[9].toUpperCase() + text.slice(10) : "";
  lastSentence = text;
  if (asked === "password") labelSecret();
  if (text.startsWith("Your hand is ")) handIs(text.startsWith("Your hand is up"));
}

function isHushed(text) {
  const isAnswer = hushed === text;
  if (isAnswer) hushed = "";
  return isAnswer;
}

// On coming back: what the rule in the log, the head of the page and the lists say.
function isKnown(text) {
  if (!lostAt) return false;
  const isNothing = text.startsWith("Nothing was said in ");
  lines.missedNothing ||= isNothing;
  return isNothing || /^(Hello |You are in |Topic of )|What is your name\?$/.test(text);
}

let hushed = "";
let lastSentence = "";

// --- The log ---

const lines = {
  fragment: null, // what one message adds; put in at once
  section: null, // past lines, until the first line that is none
  heading: null, // the last element, if it is a sentence: it may head past lines
  before: null, // the line before, to leave out the same name twice
  table: null,
  unread: 0,
  rate: [], // when the last lines came, in ms
  sinceNumber: [], // since the last number: after a break they are told again
  rule: null, // where the connection was lost
  told: 0, // lines, on coming back; the server says how many there were
  missedNothing: false, // the server has said so
  missed: null, // what is said about them if they cannot be told

  add(line) {
    if (line.isPast) return this.addPast(line);
    if (this.section && line.text === "End of the history.") return this.endPast();
    this.endPast();
    // A table's first row: blanks further on are somebody's own, in a topic or a reason.
    const row = this.table ? / {2}/ : /^( |\S+ {2})/;
    if (line.kind === "server" && row.test(line.text)) return this.addRow(line.text);
    this.table = null;
    const element = this.element(line);
    this.put(element);
    this.heading = line.kind === "server" ? element : null;
    this.count(line);
  },

  addPast(line) {
    if (!this.section) this.beginPast();
    if (lostAt) this.told += 1;
    this.section.append(this.element(line));
  },

  beginPast() {
    this.section = make("section", "past");
    this.section.setAttribute("aria-live", "off");
    this.before = this.table = null;
    if (!this.heading) return;
    this.section.append(ruleOf(this.heading.textContent.replace(/:$/, "")));
    this.heading.remove();
  },

  endPast() {
    if (this.section?.querySelector(".line")) this.put(this.section);
    if (this.section) this.before = this.heading = null;
    this.section = null;
  },

  // Answers to /class, as buttons; tables, as one block, which can be scrolled.
  addRow(text) {
    const [, letter, words] = /^ +(\/[a-f]) +(.+)/.exec(text) ?? [];
    if (letter) {
      const answer = make("button", "answer", `${letter[1].toUpperCase()}: ${words}`);
      answer.onclick = () => own.say(letter);
      return this.put(answer);
    }
    if (!this.table) {
      this.table = make("pre", "table");
      this.table.tabIndex = 0;
      this.put(this.table);
    }
    this.table.append(`${text}\n`);
    this.before = this.heading = null;
  },

  element(line) {
    const p = make("p", `line ${line.kind}`);
    p.classList.toggle("again", this.isAgain(line));
    p.classList.toggle("private", ["from", "to", "asks", "asked"].includes(line.kind));
    p.classList.toggle("mention", line.kind === "says" && !isMine(line) && mentionsMe(line.text));
    if (line.who) p.append(nameOf(line), " ");
    p.append(textOf(line.text));
    if (line.who) p.append(timeOf(line.time));
    this.before = line;
    return p;
  },

  isAgain({ kind, who, time }) {
    const { before } = this;
    return kind === "says" && before?.kind === kind && before.who === who && before.time === time;
  },

  put(element) {
    this.fragment ??= document.createDocumentFragment();
    this.fragment.append(element);
  },

  // --- Numbers of lines ---

  numberIs(last) {
    chat.last = last;
    this.sinceNumber = [];
  },

  // The connection broke between a line and its number: it was shown, and is told again.
  wasShown(line) {
    const at = this.sinceNumber.indexOf(key(line));
    if (at >= 0) this.sinceNumber.splice(at, 1);
    return at >= 0;
  },

  lost() {
    this.section = null; // a past that was cut off is told again as a whole
    this.told = 0;
    this.missedNothing = false;
    this.rule = this.addRule(`disconnected at ${clock(lostAt)}`);
    this.flush();
  },

  isBack() {
    this.endPast();
    if (!this.rule) return;
    const isNothing = this.missedNothing || chat.last === 0; // without a number everything is told that there is
    const what = this.missed ?? (this.told > 0 ? "this was said meanwhile" : isNothing ? "you missed nothing" : "what was said meanwhile is not known");
    this.rule.firstChild.textContent = `away for ${Math.round((Date.now() - lostAt) / 1000)} s: ${what}`;
    this.rule = this.missed = null;
  },

  addRule(text) {
    this.endPast();
    this.table = this.before = this.heading = null;
    const rule = ruleOf(text);
    this.put(rule);
    return rule;
  },

  count(line) {
    if (line.who) this.sinceNumber.push(key(line));
    this.rate.push(Date.now());
    if (!line.who || isMine(line)) return;
    if (document.hidden) this.markNew();
    if (document.hidden || !isAtEnd()) this.unread += 1;
  },

  markNew() {
    if (document.querySelector(".new") || this.fragment.querySelector(".new")) return;
    this.fragment.lastChild.before(ruleOf("new", "rule new"));
  },

  flush() {
    if (!this.fragment) return;
    const wasAtEnd = isAtEnd();
    this.hush();
    $("lines").append(this.fragment);
    this.fragment = null;
    this.forget();
    if (wasAtEnd) toEnd();
    showUnread();
  },

  // The oldest lines, also those in sections, and what has no line any more.
  forget() {
    const all = $("lines").getElementsByClassName("line");
    if (all.length < LINES_MAX + GO_AT_ONCE) return;
    while (all.length > LINES_MAX) all[0].remove();
    while (!$("lines").firstChild.contains(all[0])) $("lines").firstChild.remove();
  },

  hush() {
    const now = Date.now();
    this.rate = this.rate.filter((at) => now - at < 2_000);
    if (this.rate.length <= READ_OUT_MAX) return;
    $("log").setAttribute("aria-live", "off");
    this.hushed = Math.max(this.hushed ?? 0, this.rate.length);
    clearTimeout(this.calm);
    this.calm = setTimeout(() => this.isCalm(), 2_000);
  },

  isCalm() {
    $("log").setAttribute("aria-live", "polite");
    if (isOn("in") && own.unsent().length === 0) status(`${this.hushed} new lines.`, true);
    this.hushed = 0;
  },

  // As it is saved: the time in front.
  asText(element) {
    const time = element.querySelector("time")?.textContent ?? "";
    const rest = [...element.childNodes].filter((part) => part.nodeName !== "TIME").map((part) => part.textContent);
    return `${time} ${rest.join("")}`.trim();
  },
};

function mentionsMe(text) {
  return text.toLowerCase().split(/[^\p{L}\p{N}._-]+/u).some((word) => word.replace(/[.-]+$/, "") === bare(chat.name));
}

const AROUND_NAME = { from: ["", ", to you"], to: ["to ", ""], asks: ["", " asks"], asked: ["to ", ", a question"] };

function nameOf({ who, kind }) {
  const [before, after] = AROUND_NAME[kind] ?? ["", ""];
  const b = make("b", "", before + who + after);
  b.title = b.textContent;
  paint(b, who);
  return b;
}

// One of twelve hues, the same for a name everywhere and every day (FNV-1a). The scheme says how light and how strong.
function paint(element, who) {
  let hash = 0x811c9dc5;
  for (const letter of bare(who)) hash = Math.imul(hash ^ letter.codePointAt(0), 0x01000193) >>> 0;
  element.style.setProperty("--hue", ((hash ^ (hash >>> 25)) >>> 0) % 12 * 30 + 15);
}

function textOf(text) {
  const span = make("span", "text");
  span.dir = "auto";
  text.split(/(https?:\/\/[^\s<>"]*[^\s<>".,;:!?)\]])/).forEach((part, at) => span.append(at % 2 ? linkTo(part) : part));
  return span;
}

function linkTo(url) {
  const a = make("a", "", url);
  a.href = url;
  a.target = "_blank";
  a.rel = "noopener noreferrer";
  return a;
}

function timeOf(time) {
  const element = make("time", "", time);
  element.setAttribute("aria-hidden", "true"); // a listener would hear it with every line
  return element;
}

function ruleOf(text, className = "rule") {
  const rule = make("div", className);
  rule.append(make("span", "", text));
  return rule;
}

const isAtEnd = () => $("log").scrollHeight - $("log").scrollTop - $("log").clientHeight < 40;

function toEnd() {
  $("log").scrollTop = $("log").scrollHeight;
}

function showUnread() {
  if (!document.hidden && isAtEnd()) lines.unread = 0;
  $("newer").hidden = isAtEnd();
  $("newer").textContent = lines.unread ? `${lines.unread} new ↓` : "To the end ↓";
  document.title = `${document.hidden && lines.unread ? `(${lines.unread}) ` : ""}${chat.room || "join"} · chatd`;
}

$("log").onscroll = showUnread;
$("newer").onclick = () => {
  toEnd();
  $("say").focus();
};
onresize = () => $("newer").hidden && toEnd(); // a phone's keyboard comes and goes
document.addEventListener("visibilitychange", () => {
  if (document.hidden) document.querySelector(".new")?.remove();
  else showUnread();
});
