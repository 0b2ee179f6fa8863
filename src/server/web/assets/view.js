// The view: what the server tells of itself ten times a second, drawn; and what an instructor may cause. A lesson that was
// kept in a file is fed to the same functions. Whatever is told is text, and stays text.
"use strict";

let socket = null, ticket = "", tries = 0, isOver = false;
let queues = {}; // what a tick says of each queue, by its id
let totals = {};
const mayKeep = 32 * 1024 * 1024; // bytes of a lesson

// --- The socket ---

function begin() {
  ticket = /^#([0-9a-f]{32})$/.exec(location.hash)?.[1] ?? "";
  if (location.hash) history.replaceState(null, "", location.pathname);
  connect();
}

function connect() {
  socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/view.ws`, "chatd");
  socket.binaryType = "arraybuffer";
  socket.onopen = () => say({ ticket });
  socket.onmessage = ({ data }) => (typeof data === "string" ? take(data) : takePiece(data));
  socket.onclose = () => {
    if (isOver || lesson) return;
    const wait = Math.min(15, 2 ** tries) * (0.5 + Math.random());
    tries += 1;
    setStatus(tries > 8 ? "The server does not answer. In the chat, /view opens the view again." : "The connection is lost. The view tries again.");
    if (tries <= 8) setTimeout(connect, wait * 1000);
  };
}

function say(what) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(what));
}

const setStatus = (text) => setText($("status"), text);

function take(data) {
  if (lesson) return;
  let told;
  try {
    told = JSON.parse(data);
  } catch {
    return;
  }
  if (keeping) keep(data, told);
  understand(told);
}

function understand(told) {
  if (told === null || typeof told !== "object") return;
  if (told.hello) takeHello(told.hello);
  else if (told.over !== undefined) end(String(told.over));
  else if (told.no !== undefined) setStatus(String(told.no));
  else if (told.file) beginFile(told.file);
  else if (Number.isFinite(told.t) && hello) takeTick(told);
}

function end(why) {
  isOver = true;
  setStatus(why);
}

// --- Hello ---

function takeHello(told) {
  hello = { ...told, doing: list(told.doing), queues: list(told.queues), stages: list(told.stages), locks: list(told.locks) };
  if (told.back) ticket = String(told.back);
  tries = 0;
  setStatus("");
  document.body.className = "";
  const started = whole(told.now) - whole(told.t);
  if (Math.abs(started - (clock.now - clock.t)) > 3000) forget();
  clock = { now: whole(told.now), t: whole(told.t) };
  offset = minutesOf(told.zone);
  ways = [];
  showLegend();
  buildFlow();
  buildOffer();
}

let clock = { now: 0, t: 0 }, offset = 0;

function minutesOf(zone) {
  const [, sign, hours, minutes] = /^([+-])(\d\d):(\d\d)$/.exec(String(zone)) ?? [];
  return sign ? (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) : 0;
}

// --- Ticks ---

function takeTick(tick) {
  const began = performance.now();
  lastAt = tick.t;
  hello.queues.forEach(([id], i) => { queues[id] = whole(list(tick.q)[i]); });
  if (tick.sum) totals = tick.sum;
  const slots = takeThreads(tick);
  if (tick.all) place(true);
  list(tick.say).forEach(([at, kind, sentence]) => addWords(at, kind, sentence));
  list(tick.hz).forEach(([name, what, sentence, seconds]) => takeHazard(name, what === "begun", sentence, seconds));
  if (tick.rec) setText($("record-text"), list(tick.rec)[0] === "begun" ? `It records for ${list(tick.rec)[1]} s …` : "The trace is being sent …");
  if (tick.quiz) takeQuiz(tick.quiz);
  if (tick.way) takeWay(tick.way);
  takeLocks(list(tick.l));
  showThreads(tick.all ? 0 : slots);
  if (shown % 5 === 1) showNumbers(tick.t);
  if (!document.hidden) lastCost = Math.max(lastCost * 0.98, performance.now() - began);
}

let lastAt = 0; // the time of the last tick
let lastCost = 0; // ms for one tick, lately: for whoever asks in the console

function time(t) {
  return new Date(clock.now + (t - clock.t) + offset * 60_000).toISOString().slice(11, 19);
}

function showNumbers(t) {
  setText($("clock"), time(t));
  const up = Math.floor(t / 1000), long = up < 120 ? `${up} s` : up < 7200 ? `${Math.floor(up / 60)} min` : `${Math.floor(up / 3600)} h`;
  const cores = Math.max(1, whole(hello.cores)), { clients = 0, said = 0, delivered = 0, slow = 0, refused = 0, cpu = 0, view = 0 } = totals;
  const facts = [["up", long], ["clients", `${number(clients)} of ${number(hello.places)}`], ["said", number(said)], ["delivered", number(delivered)], [cores === 1 ? "1 core" : `${cores} cores`, `${Math.round(cpu / 10 / cores)} %`], ["this view", `${(view / 10).toFixed(1)} %`]];
  if (slow > 0) facts.push(["too slow", number(slow)]);
  if (refused > 0) facts.push(["refused", number(refused)]);
  if (queues.log_lost > 0) facts.push(["log lines lost", number(queues.log_lost)]);
  const all = $("numbers");
  facts.forEach(([name, value], i) => {
    if (!all.children[i]) all.append(element("div", "", element("dt"), element("dd")));
    setText(all.children[i].children[0], name);
    setText(all.children[i].children[1], value);
  });
  while (all.children.length > facts.length) all.lastChild.remove();
  showFlow();
}

// --- The way through the server ---

let boxes = [];

function buildFlow() {
  const own = (name) => [...lanes.values()].find((lane) => lane.name === name && !lane.ended);
  const most = (id) => whole(hello.queues.find(([other]) => other === id)?.[2]);
  const thread = (name) => () => {
    const lane = own(name);
    return lane ? [lane.words, `busy ${Math.round(lane.busy * 100)} %`, null, lane.kind] : ["–", "", null, 1];
  };
  const queue = (id, show, below = () => "") => () => [`${show(queues[id] ?? 0)}${most(id) ? ` of ${show(most(id))}` : ""}`, below(), [queues[id] ?? 0, most(id)], 1];
  const clients = () => [...lanes.values()].filter((lane) => (lane.group === 1 || lane.group === 3) && !lane.ended);
  const sumOf = (what) => clients().reduce((sum, lane) => sum + lane.perSecond(what), 0);
  const all = [
    ["sockets", "", () => [`${number(sumOf(0))} lines/s`, totals.clients === 1 ? "from 1 client" : `from ${number(totals.clients ?? 0)} clients`, null, 1]],
    ["client threads", "", () => {
      const all = clients(), busy = all.filter((lane) => lane.sum(2) > 0), gravest = [3, 4, 2, 0].find((kind) => all.some((lane) => lane.kind === kind)) ?? 1;
      const hashing = queues.to_hash > 0 ? `${queues.hashing ?? 0} hash, ${queues.to_hash} wait` : "in the last second";
      return [`${busy.length} of ${all.length} busy`, hashing, null, gravest];
    }],
    ["events", "queue", queue("events", number, () => "waiting to be applied")],
    ["fan-out", "", thread("fanout")],
    ["batch", "queue", queue("batch", bytesText, () => "to be shown")],
    ["historian", "", thread("historian")],
    ["records", "queue", queue("records", bytesText, () => "to be written")],
    ["sockets", "", () => [`${number(sumOf(1))} lines/s`, queues.flusher > 0 ? `${queues.flusher} read slowly` : "nobody reads slowly", queues.fullest > 0 ? [queues.fullest, whole(hello.limits?.high_water)] : null, queues.flusher > 0 ? 4 : 1]],
  ];
  boxes = all.map(([title, kind, look]) => {
    const bar = element("span", "bar", element("i")), [value, below] = [element("span"), element("span")];
    return { look, bar, value, below, kind, box: element("li", kind, element("b", "", title), value, bar, below) };
  });
  $("flow").querySelector("ol").replaceChildren(...boxes.map(({ box }) => box));
  showFlow();
}

function showFlow() {
  for (const { look, bar, value, below, kind, box } of boxes) {
    const [text, small, part, now] = look();
    setText(value, text);
    setText(below, small);
    bar.hidden = !part;
    if (part) fill(bar, ...part);
    const state = `${kind} now${now}`.trim();
    if (box.className !== state) box.className = state;
  }
}

// --- A line's way ---

let ways = [];

function takeWay({ who, us }) {
  const name = lanes.get(who)?.name ?? "somebody", steps = [];
  let before = null;
  list(us).forEach((at, i) => {
    if (!Number.isFinite(at)) return;
    if (before !== null) steps.push([String(hello.stages[i] ?? "shown to the last"), at - before]);
    before = at;
  });
  if (steps.length === 0) return;
  const all = steps.reduce((sum, [, took]) => sum + took, 0), bar = $("way").querySelector("ol");
  bar.replaceChildren(...steps.map(([stage, took]) => {
    const step = element("li", took > 1000 && took * 2 > all ? "long" : "", element("b", "", micros(took)), element("span", "", stage));
    step.style.flexGrow = String(1 + Math.sqrt(took / Math.max(1, all)) * 3);
    step.title = `${stage}: ${micros(took)}`;
    return step;
  }));
  setText($("way-title"), `A line of ${name.replace(/^c\d+:/, "")}, from its read on`);
  setText($("way-sum"), `${micros(all)} in all`);
}

const micros = (us) => (us < 1000 ? `${us} µs` : us < 1_000_000 ? `${(us / 1000).toFixed(us < 10_000 ? 2 : 0)} ms` : `${(us / 1_000_000).toFixed(1)} s`);

// --- Locks ---

const lockTotals = new Map();
let locksAt = 0;

function takeLocks(told) {
  const parts = [];
  for (const [kind, waits, , longest, now] of told) {
    const total = lockTotals.get(kind) ?? { waits: 0, longest: 0 };
    total.waits += whole(waits);
    total.longest = Math.max(total.longest, whole(longest));
    lockTotals.set(kind, total);
    const waiting = list(now);
    if (waiting.length === 0) continue;
    const named = (id) => lanes.get(id)?.name ?? "somebody";
    const [, holder, us] = waiting.reduce((a, b) => (b[2] > a[2] ? b : a));
    parts.push(`${lockName(kind)}: ${holder ? `held by ${named(holder)}` : "held"}; ${waiting.slice(0, 5).map(([id]) => named(id)).join(", ")}${waiting.length > 5 ? ` and ${waiting.length - 5} more` : ""} ${waiting.length === 1 ? "waits" : "wait"}, ${micros(us)} so far.`);
  }
  $("locks").classList.toggle("now3", parts.length > 0);
  if (parts.length > 0) [locksAt] = [slot, setText($("locks"), capital(parts.join(" ")))];
  else if (slot - locksAt > 10 && shown % 10 === 0) {
    const sums = [...lockTotals].map(([kind, { waits, longest }]) => `${lockName(kind)} ${waits === 1 ? "once" : `${number(waits)} times`}, ${micros(longest)} at most`);
    setText($("locks"), sums.length > 0 ? `Nobody waits now. Somebody has waited for ${sums.join("; ")}.` : "Nobody has waited for a lock.");
  }
}

const capital = (words) => words.slice(0, 1).toUpperCase() + words.slice(1);
const lockName = (kind) => String(hello.locks[kind] ?? "a lock");

// --- In words ---

function addWords(at, kind, sentence) {
  const log = $("words"), line = element("p", ["warn", "hazard"].includes(kind) ? kind : "", element("time", "", String(at)), String(sentence));
  const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  log.append(line);
  while (log.children.length > 100) log.firstChild.remove();
  if (isAtEnd) log.scrollTop = log.scrollHeight;
}

// --- Hazards ---

const running = new Set();

function takeHazard(name, hasBegun, sentence, seconds) {
  if (hasBegun) running.add(name);
  else running.delete(name);
  const told = list(hello.hazards).find((one) => one.do === name);
  const answer = hasBegun || !told || !Number.isInteger(told.right) ? "" : ` ${told.question} (${"ABC"[told.right]}) ${list(told.answers)[told.right]}. ${told.because ?? ""}`;
  addWords(time(lastAt), "hazard", `${sentence}${/\([ABC]\)/.test(sentence) ? "" : answer}`);
  $("stop-all").hidden = running.size === 0 || !hello.you?.may;
  showOffer();
}

function buildOffer() {
  const offer = list(hello.hazards);
  setText($("hazards-why"), offer.length === 0 ? String(hello.hazards_why ?? "There are no demonstrations.") : hello.you?.may ? "Ask the class first. Each ends by itself, and harms nobody’s connection." : "An administrator may cause these.");
  $("offer").replaceChildren(...offer.map((hazard) => {
    const button = element("button", "", String(hazard.label));
    button.dataset.do = String(hazard.do);
    button.addEventListener("click", () => askFirst(hazard));
    return button;
  }));
  showOffer();
}

function showOffer() {
  for (const button of $("offer").children) button.disabled = !hello.you?.may || running.has(button.dataset.do) || Boolean(lesson);
}

// --- The class's question ---

function takeQuiz({ room, by, question, open, answers, choices }) {
  const most = Math.max(1, ...list(choices).map(([, count]) => whole(count)));
  setText($("quiz-title"), String(question));
  $("choices").replaceChildren(...list(choices).map(([words, count], i) => {
    const bar = element("span", "bar", element("i"));
    bar.firstChild.style.width = `${(100 * whole(count)) / most}%`;
    const row = [element("b", "", "ABCDEF"[i]), element("span", "", String(words)), ...(open ? [] : [element("b", "", number(whole(count))), bar])];
    return element("li", "", ...row);
  }));
  const all = `${number(whole(answers))} ${answers === 1 ? "answer" : "answers"}`;
  setText($("quiz-sum"), open ? `${by} asks in ${room}. Type /a, /b … in the chat. ${all} so far.` : `The question is closed: ${all}.`);
  showQuiz(true);
}

function showQuiz(isShown) {
  $("quiz").hidden = !isShown;
  place(true); // there is another height left for the lanes
}

$("hide-quiz").addEventListener("click", () => showQuiz(false));

let asked = null;

function askFirst(hazard) {
  asked = hazard;
  setText($("ask-title"), `${capital(String(hazard.label))}: ${String(hazard.question)}`);
  $("answers").replaceChildren(...list(hazard.answers).map((answer) => element("li", "", String(answer))));
  const choices = list(hazard.with);
  $("with-row").hidden = choices.length === 0;
  $("with").replaceChildren(...choices.map(([label, value]) => {
    const option = element("option", "", String(label));
    option.value = String(value);
    return option;
  }));
  $("hazards").close();
  $("ask").showModal();
}

$("do-it").addEventListener("click", () => {
  const choice = Number($("with").value);
  say(list(asked.with).length > 0 ? { do: asked.do, with: choice } : { do: asked.do });
});
const stopAll = () => say({ stop: "all" });
$("stop-all").addEventListener("click", stopAll);
$("open-hazards").addEventListener("click", () => $("hazards").showModal());
$("open-tools").addEventListener("click", () => $("lesson").showModal());
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && running.size > 0 && !document.querySelector("dialog[open]")) stopAll();
});

// --- A trace, which the server records ---

let file = null;

$("record").addEventListener("click", () => say({ record: whole(hello?.record?.usual) || 10 }));

function beginFile({ name, type, bytes }) {
  file = { name: String(name), type: String(type), left: whole(bytes), pieces: [] };
}

function takePiece(piece) {
  if (!file) return;
  file.pieces.push(piece);
  file.left -= piece.byteLength;
  if (file.left > 0) return;
  hand(file.name, new Blob(file.pieces, { type: "application/json" }));
  setText($("record-text"), `${file.name}: open it at ui.perfetto.dev, or in chrome://tracing without a network.`);
  file = null;
}

function hand(name, blob) {
  const link = element("a");
  link.download = name;
  link.href = URL.createObjectURL(blob);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

// --- A lesson that is kept, and one that is opened again ---

let keeping = null, lesson = null;

$("save").addEventListener("click", () => {
  if (keeping) return endKeeping("");
  keeping = { lines: [], bytes: 0 };
  say({ again: true });
  setText($("save"), "Stop, and save");
});

function keep(data, told) {
  if (!(told?.hello || (keeping.lines.length > 0 && Number.isFinite(told?.t)))) return;
  keeping.lines.push(data);
  keeping.bytes += data.length + 1;
  setText($("save-text"), `${bytesText(keeping.bytes)} are kept.`);
  if (keeping.bytes > mayKeep) endKeeping("The file is full. ");
}

function endKeeping(why) {
  hand(`chatd-lesson-${new Date().toISOString().slice(0, 16).replace(/[-:T]/g, "")}.jsonl`, new Blob([keeping.lines.join("\n"), "\n"], { type: "application/jsonl" }));
  keeping = null;
  setText($("save"), "Keep what is seen");
  setText($("save-text"), `${why}It is among the downloads.`);
}

$("file").addEventListener("change", async () => {
  const chosen = $("file").files[0];
  if (!chosen) return;
  const messages = chosen.size > 2 * mayKeep ? [] : (await chosen.text()).split("\n").filter(Boolean).map(parse);
  $("file").value = "";
  if (!messages[0]?.hello || messages.some((message) => message === null)) return setText($("save-text"), "That is no lesson of chatd’s.");
  $("lesson").close();
  openLesson(messages);
});

function parse(line) {
  try {
    const message = JSON.parse(line);
    return message !== null && typeof message === "object" ? message : null;
  } catch {
    return null;
  }
}

function openLesson(messages) {
  isOver = true;
  socket?.close();
  lesson = { messages, at: 0, speed: 1, isPlaying: true, t: 0 };
  $("player").hidden = false;
  $("where").max = String(messages.length - 1);
  jump(1);
  lesson.last = performance.now();
  requestAnimationFrame(goOn);
}

// From the first message on, without drawing.
function jump(to) {
  forget();
  running.clear();
  lockTotals.clear();
  $("words").replaceChildren();
  showQuiz(false);
  const wasTable = isTable;
  isTable = true;
  for (lesson.at = 0; lesson.at <= to && lesson.at < lesson.messages.length; lesson.at += 1) understand(lesson.messages[lesson.at]);
  isTable = wasTable;
  lesson.t = whole(lesson.messages[lesson.at - 1]?.t) || whole(hello.t);
  if (isTable) showTable();
  place(true);
  showWhere();
}

function goOn(now) {
  if (!lesson) return;
  if (lesson.isPlaying) lesson.t += Math.min(1000, now - lesson.last) * lesson.speed;
  lesson.last = now;
  while (lesson.at < lesson.messages.length && (lesson.messages[lesson.at].t ?? 0) <= lesson.t) understand(lesson.messages[lesson.at++]);
  showWhere();
  requestAnimationFrame(goOn);
}

function showWhere() {
  $("where").value = String(lesson.at);
  const first = whole(lesson.messages[0].hello.t), seconds = Math.max(0, Math.floor((lesson.t - first) / 1000));
  const isAtEnd = lesson.at >= lesson.messages.length;
  setText($("where-text"), `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}${isAtEnd ? ", the end" : ""}`);
}

$("where").addEventListener("input", () => jump(Number($("where").value)));
$("play").addEventListener("click", () => {
  lesson.isPlaying = !lesson.isPlaying;
  setText($("play"), lesson.isPlaying ? "Pause" : "Play");
  $("play").setAttribute("aria-pressed", String(lesson.isPlaying));
});
$("faster").addEventListener("click", () => {
  lesson.speed = lesson.speed === 1 ? 4 : 1;
  $("faster").setAttribute("aria-pressed", String(lesson.speed === 4));
});
$("leave").addEventListener("click", () => location.reload());

preparePaints();
chooseForm(isTable);
showLegend();
begin();
