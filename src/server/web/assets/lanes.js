// The threads: what each did in the last 30 s, as strips on one canvas or as a table. A slot is 100 ms; of each thread the
// shares of a slot are kept by kind: 0 works, 1 waits for work, 2 for another thread or the disk, 3 for a lock, 4 writes to
// a slow socket.
"use strict";

const $ = (id) => document.getElementById(id);
const SLOTS = 300;
const BIG_MAX = 40; // lanes with a name beside them; below, each has a thin line, always in the same place
const STAYS = 50; // slots for which a lane stays where it is, so that the eye can follow
const SMALL = 2; // px of a small lane
const isStill = matchMedia("(prefers-reduced-motion: reduce)");
const isDark = matchMedia("(prefers-color-scheme: dark)");

let hello = null;
let lanes = new Map();
let cells = []; // the lane of each thin line
let slot = 0; // of the newest column
let toldAt = null; // the server's time then
let isTable = isStill.matches;

class Lane {
  constructor(id, name, group) {
    Object.assign(this, { id, name, group, doing: 0, bytes: 0, in: 0, out: 0, locks: 0, seen: -Infinity, gravest: -Infinity, ended: 0, row: -1 });
    this.isPuppet = name.includes(":demo-");
    this.past = new Uint8Array(SLOTS * 5);
    this.counts = [];
    this.shares = [[0, 255]];
  }

  // What it did in a slot: pairs of doing and share.
  take(pairs, lines, out) {
    this.shares = pairs;
    const from = (slot % SLOTS) * 5;
    this.past.fill(0, from, from + 5);
    let busy = 0;
    for (const [doing, share] of pairs) {
      const kind = kindOf(doing);
      this.past[from + kind] = Math.min(255, this.past[from + kind] + share);
      if (kind !== 1) busy += share;
    }
    this.counts.push([lines, out, busy]);
    if (this.counts.length > 10) this.counts.shift();
    if (busy > 2 || lines > 0 || this.bytes > 0) this.seen = slot;
    if (this.past[from + 3] > 25 || this.past[from + 4] > 25) this.gravest = slot;
  }

  skip(slots) {
    for (let gap = Math.max(slot - slots + 1, slot - SLOTS + 1); gap < slot; gap += 1) this.past.fill(0, (gap % SLOTS) * 5, (gap % SLOTS) * 5 + 5);
  }

  sum(what) {
    return this.counts.reduce((sum, counts) => sum + counts[what], 0);
  }

  // In a second, and the share of it in which it did not only wait for work.
  perSecond(what) {
    return Math.round((this.sum(what) * 10) / Math.max(1, this.counts.length));
  }

  get busy() {
    return this.sum(2) / 255 / Math.max(1, this.counts.length);
  }

  get isAtRest() {
    return slot - this.seen > SLOTS;
  }

  get kind() {
    return kindOf(this.doing);
  }

  get words() {
    return this.ended ? "ended" : wordsOf(this.doing);
  }
}

const kindOf = (doing) => hello.doing[doing]?.[1] ?? 0;
const wordsOf = (doing) => String(hello.doing[doing]?.[0] ?? "?");
const whole = (value) => (Number.isFinite(value) ? Math.trunc(value) : 0);
const list = (value) => (Array.isArray(value) ? value : []);

// --- A tick ---

function takeThreads(tick) {
  // After a break the connection begins with everything, and the picture goes on with a gap.
  if (tick.all) {
    const here = new Set(list(tick.new).map(([id]) => id));
    for (const lane of lanes.values()) if (!here.has(lane.id)) lane.ended ||= slot;
  }
  const since = toldAt === null ? 1 : Math.round((tick.t - toldAt) / 100);
  const slots = Math.max(1, Math.min(SLOTS, Math.max(since, whole(tick.n))));
  toldAt = tick.t;
  slot += slots;
  for (const id of list(tick.gone)) {
    const lane = lanes.get(id);
    if (lane) lane.ended = slot;
  }
  for (const [id, name, group] of list(tick.new)) {
    const lane = lanes.get(id);
    if (lane) [lane.name, lane.isPuppet] = [String(name), String(name).includes(":demo-")];
    else settle(new Lane(id, String(name), whole(group)));
  }
  const told = new Set();
  for (const [id, doing, pairs, lines, out, bytes, locks] of list(tick.th)) {
    const lane = lanes.get(id);
    if (!lane) continue;
    told.add(lane);
    lane.doing = whole(doing);
    lane.bytes = whole(bytes);
    lane.locks += whole(locks);
    const shares = [];
    for (let i = 0; i + 1 < list(pairs).length; i += 2) shares.push([whole(pairs[i]), Math.max(0, Math.min(255, whole(pairs[i + 1])))]);
    lane.take(shares, whole(lines), whole(out));
  }
  for (const lane of lanes.values()) {
    if (slots > 1) lane.skip(slots);
    if (lane.ended) {
      if (!told.has(lane)) lane.take([], 0, 0);
      if (slot - lane.ended > STAYS) [cells[lane.cell]] = [undefined, lanes.delete(lane.id)];
    } else if (!told.has(lane)) lane.take([[lane.doing, 255]], 0, 0);
  }
  return slots;
}

// Another server, or another lesson.
function forget() {
  [lanes, cells, bigs, toldAt] = [new Map(), [], [], null];
}

function settle(lane) {
  const free = cells.indexOf(undefined);
  lane.cell = free < 0 ? cells.length : free;
  cells[lane.cell] = lane;
  lanes.set(lane.id, lane);
}

// --- The canvas: it moves by drawing itself, and only the newest column is drawn anew ---

const canvas = $("canvas");
const pen = canvas.getContext("2d", { alpha: false });
const copy = document.createElement("canvas").getContext("2d", { alpha: false });
// In px of the canvas. `shown`: slots of a strip. Small lanes stand in columns, `beside` each other.
let grid = { left: 0, step: 5, shown: SLOTS, row: 24, top: 3, high: 18, width: 0, ratio: 1, smallTop: 0, smallStep: 1, smallWide: 308, beside: 1, wide: 0 };
let bigs = [];
let smallSlots = []; // up to where each column of small lanes is drawn
let paints = [];

// Colours, and a shape for each kind, so that nobody has to tell colours apart.
function preparePaints() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  paints = ["works", "idle", "waits", "lock", "slow"].map((name, kind) => ({ plain: colour(name), shape: shape(kind, colour(name), colour("paper")) }));
  paints.paper = colour("paper");
  paints.line = colour("line");
}

function shape(kind, colour, paper) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const ink = tile.getContext("2d");
  ink.fillStyle = kind === 1 ? paper : colour;
  ink.fillRect(0, 0, 8, 8);
  ink.fillStyle = ink.strokeStyle = kind === 1 ? colour : paper;
  if (kind === 1) ink.fillRect(3, 6, 2, 2);
  if (kind === 2) for (const [x, y] of [[1, 1], [5, 1], [3, 5], [7, 5]]) ink.fillRect(x, y, 2, 2);
  if (kind === 3) {
    ink.lineWidth = 2;
    for (const x of [-4, 4, 12]) {
      ink.beginPath();
      ink.moveTo(x - 6, 10);
      ink.lineTo(x + 6, -2);
      ink.stroke();
    }
  }
  if (kind === 4) for (const [x, y, w, h] of [[0, 3, 8, 1], [0, 7, 8, 1], [2, 0, 1, 3], [6, 4, 1, 3]]) ink.fillRect(x, y, w, h);
  return kind === 0 ? colour : pen.createPattern(tile, "repeat");
}

// The newest column, or one of before.
function column(lane, x, y, width, high, at) {
  const from = (((at % SLOTS) + SLOTS) % SLOTS) * 5, past = lane.past;
  let bottom = y + high;
  for (const kind of [0, 4, 2, 3]) {
    const share = past[from + kind];
    if (share === 0) continue;
    const tall = Math.min(bottom - y, Math.max(2 * grid.ratio, Math.round((share * high) / 255)));
    pen.fillStyle = paints[kind].shape;
    pen.fillRect(x, bottom - tall, width, tall);
    bottom -= tall;
  }
  if (past[from + 1] > 127 && at % 2 === 0) {
    pen.fillStyle = paints[1].plain;
    pen.fillRect(x + (width >> 1), y + high - 3 * grid.ratio, 2 * grid.ratio, 2 * grid.ratio);
  }
}

// A small lane has no room for a shape: it shows the gravest of what was done; a hair's breadth: it waits for work.
function dot(lane, x, y, width, at) {
  const from = (((at % SLOTS) + SLOTS) % SLOTS) * 5, past = lane.past;
  const kind = past[from + 3] > 2 ? 3 : past[from + 4] > 2 ? 4 : past[from + 2] > 2 ? 2 : past[from] > 2 ? 0 : past[from + 1] > 0 ? 1 : 5;
  if (kind === 5) return;
  pen.fillStyle = paints[kind].plain;
  pen.fillRect(x, y, width, kind === 1 ? grid.ratio / 2 : SMALL * grid.ratio);
}

function drawSmall(lane) {
  if (!lane) return;
  const [x, y] = smallAt(lane.cell);
  for (let at = slot - SLOTS + 1; at <= slot; at += 1) dot(lane, x + (at - slot + SLOTS - 1) * grid.smallStep, y, grid.smallStep, at);
}

const smallAt = (cell) => [(cell % grid.beside) * grid.smallWide, grid.smallTop + Math.floor(cell / grid.beside) * SMALL * grid.ratio];

function shift(x, y, width, high, by) {
  if (by < width) pen.drawImage(canvas, x + by, y, width - by, high, x, y, width - by, high);
  pen.fillStyle = paints.paper;
  pen.fillRect(x + Math.max(0, width - by), y, Math.min(by, width), high);
}

function drawSlots(slots) {
  if (isTable || canvas.width === 0 || canvas.height === 0) return;
  const { left, step, shown: wideBy, row, top, high, smallStep, smallWide } = grid;
  const wideBig = step * wideBy, right = left + wideBig, bottom = grid.smallTop;
  for (const { shape } of paints) if (shape.setTransform) shape.setTransform(new DOMMatrix([1, 0, 0, 1, left - ((slot * step) % 8), 0]));
  if (bigs.length > 0) shift(left, 0, wideBig, bottom, slots * step);
  for (const lane of bigs) if (!lane.ended || slot - lane.ended < 2) column(lane, right - step, lane.row * row + top, step, high, slot);
  // Small lanes have turns: each time that it draws itself, a canvas is copied.
  const turn = shown % grid.beside, since = Math.min(SLOTS, slot - (smallSlots[turn] ?? slot)), wide = smallStep * SLOTS;
  smallSlots[turn] = slot;
  if (since <= 0) return;
  shift(turn * smallWide, bottom, wide, canvas.height - bottom, since * smallStep);
  for (let cell = turn; cell < cells.length; cell += grid.beside) {
    const lane = cells[cell], [x, y] = smallAt(cell);
    if (lane) for (let back = since - 1; back >= 0; back -= 1) dot(lane, x + wide - smallStep * (back + 1), y, smallStep, slot - back);
  }
}

function drawBig(lane) {
  for (let back = grid.shown - 1; back >= 0; back -= 1) column(lane, grid.left + (grid.shown - 1 - back) * grid.step, lane.row * grid.row + grid.top, grid.step, grid.high, slot - back);
}

function drawAll() {
  pen.fillStyle = paints.paper;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  bigs.forEach(drawBig);
  smallSlots = Array.from({ length: grid.beside }, () => slot);
  cells.forEach(drawSmall);
}

// --- Who stands where ---

// The server's own first; then whoever has to be looked at: they wait for a lock, are written to slowly, or belong to a
// demonstration; then whoever did something, by number; then the others: as many as fit. In between (`isQuick`) nobody moves: whoever is new
// and more urgent stands below the others, or in the place of the last.
function choose(most, isQuick) {
  const order = [...lanes.values()].sort((a, b) => rank(a) - rank(b) || a.id - b.id);
  const wanted = order.filter((lane) => rank(lane) < 4);
  let big = order.slice(0, most);
  if (isQuick) {
    big = bigs.filter((lane) => lanes.has(lane.id)).slice(0, most);
    for (const lane of wanted) {
      if (lane.row >= 0) continue;
      const last = big.reduce((a, b) => (rank(b) >= rank(a) ? b : a), big[0]);
      if (big.length < most) big.push(lane);
      else if (last && rank(last) > rank(lane)) big[big.indexOf(last)] = lane;
      else break;
    }
  }
  return big;
}

function rank(lane) {
  if (lane.group === 0) return 0;
  if (lane.group === 3 || lane.isPuppet || lane.bytes > 0 || slot - lane.gravest < STAYS) return 1;
  return (lane.group === 1 ? 2 : 3) + (lane.isAtRest && lanes.size > roomFor ? 4 : 0);
}

let placedAt = -Infinity, quickAt = -Infinity, roomFor = 0;

// Measures, and gives each lane its place. `isNew`: the window has changed, or everything has.
function place(isNew, isQuick = false) {
  if (isTable || !hello) return;
  if (isNew) measure();
  const most = Math.max(3, Math.min(BIG_MAX, roomFor - Math.ceil(smallHigh() / grid.row)));
  const big = choose(most, isQuick && !isNew);
  const isSame = !isNew && big.length === bigs.length && big.every((lane, i) => lane === bigs[i]) && !isTooLow();
  if (!isQuick || isNew) placedAt = slot;
  quickAt = slot;
  if (isSame) return;
  for (const lane of bigs) lane.was = lane.row;
  const oldBigs = new Set(bigs);
  for (const lane of lanes.values()) lane.row = -1;
  big.forEach((lane, i) => {
    lane.row = i;
  });
  bigs = big;
  const oldTop = grid.smallTop;
  spread();
  if (isNew) drawAll();
  else move(oldBigs, oldTop);
  showRows();
}

// Rows that moved are copied; only those that became big are drawn anew.
function move(oldBigs, oldTop) {
  keepCopy();
  pen.fillStyle = paints.paper;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  const { left, row } = grid, wide = grid.step * grid.shown;
  for (const lane of bigs) {
    if (oldBigs.has(lane)) pen.drawImage(copy.canvas, left, lane.was * row, wide, row, left, lane.row * row, wide, row);
    else drawBig(lane);
  }
  if (copy.canvas.height > oldTop) pen.drawImage(copy.canvas, 0, oldTop, canvas.width, copy.canvas.height - oldTop, 0, grid.smallTop, canvas.width, copy.canvas.height - oldTop);
}

const smallHigh = () => Math.ceil(cells.length / grid.beside) * SMALL * grid.ratio;
const isTooLow = () => grid.smallTop + smallHigh() > canvas.height;

const isFixed = () => getComputedStyle(document.body).overflowY === "hidden"; // a projector: nothing is scrolled

// Where the strips stand is decided by the style sheet: the head has the same columns as each row.
function measure() {
  const head = document.querySelector(".head"), strip = head.querySelector(".strip").getBoundingClientRect();
  const box = $("strips").getBoundingClientRect(), isPhone = strip.top > head.getBoundingClientRect().top + 8;
  const ratio = Math.max(1, Math.min(2, devicePixelRatio || 1));
  const row = Math.round(parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--row")) * parseFloat(getComputedStyle(document.documentElement).fontSize));
  document.documentElement.style.setProperty("--row-px", `${row}px`); // whole px, or names and strips part company
  const width = Math.floor(strip.width * ratio), step = Math.max(1, Math.round(width / SLOTS)), shown = Math.min(SLOTS, Math.floor(width / step));
  Object.assign(grid, { ratio, step, shown, row: row * ratio, width, left: Math.round((strip.right - box.left) * ratio) - shown * step });
  setText(strip0, `${Math.round(shown / 10)} s ago`);
  [grid.top, grid.high] = isPhone ? [row * ratio * 0.6, row * ratio * 0.36] : [3 * ratio, row * ratio - 5 * ratio];
  [grid.top, grid.high] = [Math.round(grid.top), Math.round(grid.high)];
  grid.smallStep = isPhone ? step : Math.max(1, Math.floor(ratio));
  grid.smallWide = grid.smallStep * SLOTS + 10 * ratio;
  grid.wide = Math.floor(box.width * ratio);
  grid.beside = Math.max(1, Math.floor((grid.wide + 10 * ratio) / grid.smallWide));
  roomFor = isFixed() ? Math.floor(box.height / row) : BIG_MAX + 100;
}

// The canvas is as high as its lanes, and what is drawn stays.
function spread() {
  const { ratio } = grid, height = Math.ceil((bigs.length * grid.row + 4 * ratio + smallHigh()) / 32) * 32, width = grid.wide;
  const isOther = canvas.height < height || canvas.width !== width || canvas.height > height + 4 * grid.row;
  if (isOther) {
    keepCopy();
    canvas.width = width;
    canvas.height = height;
    pen.fillStyle = paints.paper;
    pen.fillRect(0, 0, width, height);
    if (copy.canvas.width > 0) pen.drawImage(copy.canvas, 0, 0);
    canvas.style.width = `${width / ratio}px`;
    canvas.style.height = `${height / ratio}px`;
    $("strips").style.minHeight = isFixed() ? "0" : `${height / ratio}px`;
  }
  grid.smallTop = bigs.length * grid.row + 4 * ratio;
}

function keepCopy() {
  if (canvas.width === 0 || canvas.height === 0) return;
  copy.canvas.width = canvas.width;
  copy.canvas.height = canvas.height;
  copy.drawImage(canvas, 0, 0);
}

// --- Names and numbers beside the strips ---

const strip0 = document.querySelector(".head .strip").firstElementChild;
const rows = [];
const setText = (node, text) => { if (node.textContent !== text) node.textContent = text; };

function element(tag, className, ...inside) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...inside);
  return made;
}

function rowAt(i) {
  if (rows[i]) return rows[i];
  const bar = element("span", "bar", element("i")), bytes = element("span");
  const parts = { name: element("span", "name"), now: element("span", "now"), in: element("span", "num"), out: element("span", "num"), box: element("span", "box", bar, bytes) };
  const row = element("div", "row", parts.name, parts.now, element("span", "strip"), parts.in, parts.out, parts.box);
  $("rows").append(row);
  return (rows[i] = { row, ...parts, bar, bytes });
}

function showRows() {
  for (const [i, lane] of bigs.entries()) {
    const row = rowAt(i), hasBox = lane.bytes > 0;
    const state = `row ${lane.ended ? "gone" : `now${lane.kind}`}`;
    if (row.row.className !== state) row.row.className = state;
    row.row.hidden = false;
    setText(row.name, lane.name);
    setText(row.now, lane.words);
    setText(row.in, rate(lane.perSecond(0)));
    setText(row.out, rate(lane.perSecond(1)));
    row.bar.hidden = !hasBox;
    setText(row.bytes, hasBox ? bytesText(lane.bytes) : "");
    if (hasBox) fill(row.bar, lane.bytes, hello.limits?.high_water);
  }
  for (let i = bigs.length; i < rows.length; i += 1) rows[i].row.hidden = true;
  showRest();
}

function showRest() {
  const all = [...lanes.values()].filter((lane) => !lane.ended), rest = all.filter((lane) => lane.isAtRest).length;
  const others = all.length - rest - bigs.filter((lane) => !lane.ended).length;
  const more = others > 0 ? ` ${others} more did something, too.` : "";
  setText($("rest"), `All ${all.length} threads have a thin line here, always in the same place. ${rest} are at rest: they only waited for work for 30 s.${more}`);
}

const number = (value) => Math.round(value).toLocaleString("en");
const rate = (value) => (value === 0 ? "–" : value < 10_000 ? number(value) : value < 10_000_000 ? `${number(value / 1000)} k` : `${number(value / 1_000_000)} M`);
const bytesText = (value) => (value < 1024 ? `${value} B` : value < 1_048_576 ? `${(value / 1024).toFixed(value < 10_240 ? 1 : 0)} KiB` : `${Math.round(value / 1_048_576)} MiB`);

function fill(bar, value, most) {
  const part = most > 0 ? Math.min(1, value / most) : 0;
  bar.firstChild.style.width = `${Math.round(part * 100)}%`;
  bar.classList.toggle("full", part > 0.5);
}

// --- The same as a table ---

function showTable() {
  const body = document.querySelector("#table tbody"), all = [...lanes.values()].filter((lane) => !lane.ended).sort((a, b) => rank(a) - rank(b) || a.id - b.id);
  all.forEach((lane, i) => {
    let row = body.rows[i];
    if (!row) {
      const head = element("th");
      head.scope = "row";
      const bar = element("span", "bar", ...[0, 2, 3, 4, 1].map((kind) => element("i", `k${kind}`)));
      row = element("tr", "", head, element("td"), element("td", "", element("span", "shares", bar, element("span"))), element("td"), element("td"), element("td"));
      body.append(row);
    }
    const [name, now, shares, lines, out, box] = row.cells;
    setText(name, lane.name);
    setText(now, lane.words);
    const parts = [0, 0, 0, 0, 0];
    for (let back = 0; back < 10; back += 1) for (let kind = 0; kind < 5; kind += 1) parts[kind] += lane.past[(((slot - back) % SLOTS + SLOTS) % SLOTS) * 5 + kind];
    const sum = Math.max(1, parts.reduce((a, b) => a + b));
    [...shares.firstChild.firstChild.children].forEach((piece, at) => { piece.style.width = `${(parts[[0, 2, 3, 4, 1][at]] / sum) * 100}%`; });
    setText(shares.firstChild.lastChild, ["works", "", "waits", "lock", "slow"].map((word, kind) => (word && parts[kind] / sum > 0.005 ? `${word} ${Math.round((parts[kind] / sum) * 100)} %` : "")).filter(Boolean).join(", ") || "at rest");
    setText(lines, rate(lane.perSecond(0)));
    setText(out, rate(lane.perSecond(1)));
    setText(box, lane.bytes > 0 ? bytesText(lane.bytes) : "–");
  });
  while (body.rows.length > all.length) body.lastChild.remove();
}

// --- All together ---

// One sentence for who cannot see the picture.
function describe() {
  const all = [...lanes.values()].filter((lane) => !lane.ended);
  const of = (kind) => all.filter((lane) => lane.kind === kind);
  const [locked, waiting, slow, working] = [of(3), of(2), of(4), of(0)];
  const some = (which, words) => (which.length > 0 ? ` ${which.slice(0, 4).map((lane) => lane.name).join(", ")}${which.length > 4 ? ` and ${which.length - 4} more` : ""} ${words}.` : "");
  return `${all.length} threads, ${working.length} at work.${some(locked, "wait for a lock")}${some(slow, "write to a slow socket")}${some(waiting, "wait for another thread or the disk")}`;
}

let shown = 0;

function showThreads(slots) {
  shown += 1;
  if (isTable) {
    if (shown % 5 === 0) showTable();
    return;
  }
  drawSlots(slots);
  if (slot - placedAt >= STAYS) place(false);
  else if (slot - quickAt >= 5) place(false, true);
  if (shown % 3 === 0) showRows();
  if (shown % 20 === 0) canvas.setAttribute("aria-label", describe());
}

function chooseForm(asTable) {
  isTable = asTable;
  $("as-table").setAttribute("aria-pressed", String(asTable));
  $("strips").hidden = $("rest").hidden = asTable;
  $("table").hidden = !asTable;
  document.querySelector(".head .strip").classList.toggle("off", asTable);
  document.querySelector(".head").hidden = asTable;
  if (!hello) return;
  if (asTable) showTable();
  else place(true);
}

function restyle() {
  preparePaints();
  if (hello) place(true);
  showLegend();
}

function showLegend() {
  const words = hello?.kinds ?? ["works", "waits for work", "waits for another thread or the disk", "waits for a lock", "writes to a slow socket"];
  $("legend").replaceChildren(...[0, 1, 2, 3, 4].map((kind) => {
    const sample = document.createElement("canvas");
    [sample.width, sample.height] = [32, 16];
    const ink = sample.getContext("2d");
    paints[kind].shape.setTransform?.(new DOMMatrix());
    ink.fillStyle = paints[kind].shape;
    ink.fillRect(0, 0, 32, 16);
    return element("li", "", sample, String(words[kind]));
  }));
}

isDark.addEventListener("change", restyle);
isStill.addEventListener("change", () => chooseForm(isStill.matches));
$("as-table").addEventListener("click", () => chooseForm(!isTable));
let resizing = 0;
new ResizeObserver(() => {
  clearTimeout(resizing);
  resizing = setTimeout(() => place(true), 150);
}).observe($("threads"));
