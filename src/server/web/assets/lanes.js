// The threads: what each did in the last 30 s, as strips or as a table. A slot is 100 ms; of each thread the shares of a
// slot are kept by kind: 0 works, 1 waits for work, 2 for another thread or the disk, 3 for a lock, 4 writes to a slow
// socket.
"use strict";

const $ = (id) => document.getElementById(id);
const SLOTS = 300;
const BIG_MAX = 40; // lanes with a name beside them
const STAYS = 50; // slots for which a lane stays where it is, so that the eye can follow
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
  }

  // What it did in the last slots, usually one: pairs of doing and share. None: that is not known.
  take(pairs, lines, out, slots) {
    const kinds = [0, 0, 0, 0, 0];
    for (const [doing, share] of pairs) kinds[kindOf(doing)] = Math.min(255, kinds[kindOf(doing)] + share);
    for (let back = 0; back < slots; back += 1) this.past.set(kinds, placeOf(slot - back));
    const busy = kinds[0] + kinds[2] + kinds[3] + kinds[4];
    for (let i = 0; i < Math.min(10, slots); i += 1) this.counts.push([lines / slots, out / slots, busy]);
    this.counts.splice(0, this.counts.length - 10);
    if (busy > 2 || lines > 0 || this.bytes > 0) this.seen = slot;
    if (kinds[3] > 25 || kinds[4] > 25) this.gravest = slot;
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

const placeOf = (at) => (((at % SLOTS) + SLOTS) % SLOTS) * 5; // of a slot in what a lane has of its past
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
    // The first tick of a connection tells what each does, and not for how long.
    lane.take(tick.all ? [] : shares, whole(lines), whole(out), slots);
  }
  for (const lane of lanes.values()) {
    if (lane.ended) {
      if (!told.has(lane)) lane.take([], 0, 0, slots);
      if (slot - lane.ended > STAYS) [cells[lane.cell]] = [undefined, lanes.delete(lane.id)];
    } else if (!told.has(lane)) lane.take([[lane.doing, 255]], 0, 0, slots);
  }
  while (cells.length > 0 && !cells.at(-1)) cells.pop();
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

// --- The picture ---

// Lanes with names have strips, on a canvas that moves by drawing itself: only the newest column is drawn anew. If not all
// threads have room for a name, each has a thin line below, of few pixels, which are set one by one.
const canvas = $("canvas"), thin = $("thin");
const pen = canvas.getContext("2d", { alpha: false }), dots = thin.getContext("2d", { alpha: false });
let grid = {}; // where everything stands, in px of the canvases: see measure()
let bigs = []; // the lanes with names, from above
let paints = []; // for each kind its colour, as a number too, and its shape

// Colours, and a shape for each kind, so that nobody has to tell colours apart.
function preparePaints() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  paints = ["works", "idle", "waits", "lock", "slow", "paper", "line"].map((name, kind) => ({ plain: colour(name), shape: shape(kind, colour(name), colour("paper")), pixel: pixelOf(colour(name)) }));
}

const pixelOf = (hex) => new Uint32Array(new Uint8ClampedArray([1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)).concat(255)).buffer)[0];

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
  return pen.createPattern(tile, "repeat");
}

// What a lane did in one slot: a stack of its shares. Waiting for work is a dot.
function column(lane, at) {
  const { left, step, shown, top, high, row, ratio } = grid, from = placeOf(at), { past } = lane;
  const x = left + (shown - 1 - slot + at) * step, end = lane.row * row + top + high;
  let bottom = end;
  for (const kind of [0, 4, 2, 3]) {
    const share = past[from + kind];
    if (share === 0) continue;
    const tall = Math.min(bottom - end + high, Math.max(2 * ratio, Math.round((share * high) / 255)));
    pen.fillStyle = kind === 0 ? paints[0].plain : paints[kind].shape;
    pen.fillRect(x, bottom - tall, step, tall);
    bottom -= tall;
  }
  if (bottom < end || past[from + 1] === 0 || at % 2 !== 0) return;
  pen.fillStyle = paints[1].plain;
  pen.fillRect(x, end - 3 * ratio, Math.min(step, 2 * ratio), 2 * ratio);
}

function drawNewest(slots) {
  const { left, step, shown } = grid, wide = step * shown, by = Math.min(wide, slots * step);
  if (by < wide) pen.drawImage(canvas, left + by, 0, wide - by, canvas.height, left, 0, wide - by, canvas.height);
  pen.fillStyle = paints[5].plain;
  pen.fillRect(left + wide - by, 0, by, canvas.height);
  moveShapes();
  for (const lane of bigs) for (let at = slot - Math.min(slots, shown) + 1; at <= slot; at += 1) column(lane, at);
}

// With the picture, or what is drawn later would not fit what is there.
function moveShapes() {
  for (const { shape } of paints) shape.setTransform(new DOMMatrix([1, 0, 0, 1, grid.left - ((slot * grid.step) % 8), 0]));
}

function drawAll() {
  pen.fillStyle = paints[5].plain;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  moveShapes();
  for (const lane of bigs) for (let at = slot - grid.shown + 1; at <= slot; at += 1) column(lane, at);
}

// A thin line has no room for shapes: it shows what there was most of, but a lock or a slow socket above all.
function kindIn(past, from) {
  if (past[from + 3] > 2) return 3;
  if (past[from + 4] > 2) return 4;
  if (past[from] + past[from + 2] > 2) return past[from + 2] > past[from] ? 2 : 0;
  return past[from + 1] > 0 ? 1 : 5;
}

function drawThin() {
  const { width, height } = thin, { beside, apart, thinStep, tall, gap } = grid;
  if (thin.hidden || width * height === 0) return;
  const picture = dots.createImageData(width, height), pixels = new Uint32Array(picture.data.buffer).fill(paints[5].pixel);
  for (const [cell, lane] of cells.entries()) {
    if (!lane) continue;
    const left = (cell % beside) * apart, top = Math.floor(cell / beside) * tall;
    for (let back = 0; back < grid.shown; back += 1) {
      const kind = kindIn(lane.past, placeOf(slot - back));
      if (kind === 5) continue;
      const ink = paints[kind === 1 ? 6 : kind].pixel;
      const from = kind === 1 ? top + tall - gap - 1 : top, x = left + (grid.shown - 1 - back) * thinStep;
      for (let y = from; y < top + tall - gap; y += 1) for (let dx = 0; dx < thinStep; dx += 1) pixels[y * width + x + dx] = ink;
    }
  }
  dots.putImageData(picture, 0, 0);
}

// --- Who stands where ---

// Below the server's own threads stands whoever has to be looked at: they wait for a lock, are written to slowly, or belong
// to a demonstration; then whoever did something, by number; then the others: as many as fit. In between (`isQuick`) nobody
// moves: whoever is new and more urgent stands below the others, or in the place of the last.
function choose(most, isQuick) {
  const order = [...lanes.values()].sort(byRank);
  if (!isQuick) return order.slice(0, most);
  const big = bigs.filter((lane) => lanes.has(lane.id)).slice(0, most);
  for (const lane of order.filter((lane) => rank(lane) < 4)) {
    if (lane.row >= 0) continue;
    const last = big.reduce((a, b) => (rank(b) >= rank(a) ? b : a), big[0]);
    if (big.length < most) big.push(lane);
    else if (last && rank(last) > rank(lane)) big[big.indexOf(last)] = lane;
    else break;
  }
  return big;
}

const HOUSE = ["accept", "web", "fanout", "historian", "flusher"]; // as a line goes; then the others
const along = (lane) => (HOUSE.indexOf(lane.name) + 1 || HOUSE.length + 1);
const byRank = (a, b) => rank(a) - rank(b) || (a.group === 0 && along(a) - along(b)) || a.id - b.id;

function rank(lane) {
  const atRest = grid.isCrowded && lane.isAtRest ? 4 : 0;
  if (lane.group === 0) return atRest;
  if (lane.ended) return 3;
  if (lane.group === 3 || lane.isPuppet || lane.bytes > 0 || slot - lane.gravest < STAYS) return 1;
  return (lane.group === 1 ? 2 : 3) + atRest;
}

let placedAt = -Infinity, quickAt = -Infinity;

// Measures, and gives each lane its place. `isNew`: the window has changed, or everything has.
function place(isNew, isQuick = false) {
  if (isTable || !hello) return;
  const isOther = measure() || isNew;
  const big = choose(grid.most, isQuick && !isNew);
  if (!isQuick || isNew) placedAt = slot;
  quickAt = slot;
  if (!isOther && big.length === bigs.length && big.every((lane, i) => lane === bigs[i])) return;
  for (const lane of lanes.values()) lane.row = -1;
  big.forEach((lane, i) => { lane.row = i; });
  bigs = big;
  drawAll();
  showRows();
}

const ROWS = [2.3, 1.9, 1.55]; // rem: the first in which all threads fit on a projector

// Says whether anything has another place than before. Where a strip begins and ends, the style sheet decides: the head has
// the columns of each row.
function measure() {
  const before = JSON.stringify(grid), root = document.documentElement, rem = parseFloat(getComputedStyle(root).fontSize);
  const ratio = Math.max(1, Math.min(2, devicePixelRatio || 1)), head = document.querySelector(".head");
  const strip = head.querySelector(".strip").getBoundingClientRect(), box = $("threads").getBoundingClientRect();
  const isPhone = strip.top > head.querySelector(".now").getBoundingClientRect().bottom - 4; // it stands below
  const isFixed = getComputedStyle(document.body).overflowY === "hidden"; // a projector: nothing is scrolled
  const room = isFixed ? Math.max(200, box.height - head.offsetHeight - $("rest").offsetHeight - 6) : Infinity;
  const fit = (size) => Math.min(BIG_MAX, Math.floor(room / Math.round(size * rem)));
  const size = isPhone ? 2.9 : (isFixed && ROWS.find((size) => lanes.size <= fit(size))) || ROWS.at(-1);
  const isCrowded = lanes.size > fit(size), row = Math.round(size * rem); // whole px, or names and strips part company
  const step = Math.max(1, Math.ceil((strip.width * ratio) / SLOTS - 0.1)), shown = Math.min(SLOTS, Math.floor((strip.width * ratio) / step));
  const wide = Math.floor(box.width * ratio), left = Math.min(wide, Math.floor((strip.right - box.left) * ratio)) - shown * step;
  // Thin lines: one below the other, under the strips; or, if they are too many, in columns beside each other.
  const forThin = isFixed ? 0.3 * room : 2 * cells.length, space = 10 * ratio;
  let beside = 1;
  while (Math.ceil(cells.length / beside) * 2 > forThin && (shown + space) * (beside + 1) <= wide + space) beside += 1;
  const down = Math.ceil(cells.length / beside), tall = Math.max(2, Math.min(4, Math.floor(forThin / Math.max(1, down)))) * ratio;
  const thinStep = beside === 1 ? step : Math.max(1, Math.floor(((wide + space) / beside - space) / shown));
  const apart = beside === 1 ? 0 : Math.floor((wide - shown * thinStep) / (beside - 1));
  const most = isCrowded ? Math.max(3, Math.min(BIG_MAX, Math.floor((room - (down * tall) / ratio - 4) / row))) : BIG_MAX;
  const [top, high] = isPhone ? [row * 0.52, row * 0.34] : [3, row - 5];
  const rows = Math.min(lanes.size, most);
  grid = { ratio, step, shown, left, wide, rows, row: row * ratio, top: Math.round(top * ratio), high: Math.round(high * ratio), isCrowded, most, beside, apart, thinStep, tall: Math.round(tall), gap: tall > 3 * ratio ? Math.round(ratio) : 0, down };
  if (JSON.stringify(grid) === before) return false;
  root.style.setProperty("--row-px", `${row}px`);
  setText(document.querySelector(".head .strip span"), `${Math.round(shown / 10)} s ago`);
  resize(canvas, wide, rows * grid.row);
  thin.hidden = !isCrowded;
  thin.style.marginInlineStart = beside === 1 ? `${left / ratio}px` : "0";
  resize(thin, beside === 1 ? step * shown : wide, isCrowded ? down * grid.tall : 0);
  return true;
}

function resize(one, width, height) {
  if (one.width === width && one.height === height) return;
  [one.width, one.height] = [width, height];
  [one.style.width, one.style.height] = [`${width / grid.ratio}px`, `${height / grid.ratio}px`];
}

// --- Names and numbers beside the strips ---

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
  const thin = grid.isCrowded ? `Each of the ${all.length} threads has a thin line, always in the same place` : `${all.length} threads`;
  setText($("rest"), `${thin}; ${rest} of them only waited for work in the last 30 s.`);
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
  const body = document.querySelector("#table tbody"), all = [...lanes.values()].filter((lane) => !lane.ended).sort(byRank);
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
    for (let back = 0; back < 10; back += 1) for (let kind = 0; kind < 5; kind += 1) parts[kind] += lane.past[placeOf(slot - back) + kind];
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
  drawNewest(slots);
  drawThin();
  if (slot - placedAt >= STAYS) place(false);
  else if (slot - quickAt >= 5) place(false, true);
  if (shown % 3 === 0) showRows();
  if (shown % 20 === 0) canvas.setAttribute("aria-label", describe());
}

function chooseForm(asTable) {
  isTable = asTable;
  $("as-table").setAttribute("aria-pressed", String(asTable));
  $("strips").hidden = $("rest").hidden = asTable;
  if (asTable) thin.hidden = true;
  $("table").hidden = !asTable;
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
  const words = hello?.kinds ?? ["works", "waits for work", "waits for a thread or the disk, or holds a lock", "waits for a lock", "writes to a slow socket"];
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
