// A class's worth of pages, and the view of a full server, under load: Chromium tells of every frame that takes longer than
// 50 ms. The check has time for seconds of it; by hand, on a machine that does nothing else:
// PAGES=20 LOAD_SECONDS=60 node tests/browser/run.mjs load

import { connect } from "node:net";
import { loadavg } from "node:os";
import { until } from "./harness/server.mjs";

const SECONDS = Number(process.env.LOAD_SECONDS ?? 3);
const PAGES = Number(process.env.PAGES ?? 5);

// From now on the window keeps how long each frame took that took longer than 50 ms.
const watch = (window) => window.page.evaluate(() => {
  globalThis.long = [];
  new PerformanceObserver((list) => globalThis.long.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: "long-animation-frame" });
});

// Processor time of the page's main thread, in ms.
async function spent(window) {
  window.tools ??= await window.context.newCDPSession(window.page);
  await window.tools.send("Performance.enable");
  return 1000 * (await window.tools.send("Performance.getMetrics")).metrics.find(({ name }) => name === "ThreadTime").value;
}

const inAll = (windows, what) => Promise.all(windows.map(what));
const after = (seconds) => {
  const end = Date.now() + seconds * 1000;
  return until(`${seconds} s`, () => Date.now() >= end, seconds * 1000 + 5000);
};

// Says how many frames were long, and what a second of it costs. Only the cost can fail: other programs make frames long.
async function measures(windows, what, most) {
  await inAll(windows, watch);
  const before = await inAll(windows, spent), began = Date.now();
  await after(SECONDS);
  const seconds = (Date.now() - began) / 1000;
  const costs = (await inAll(windows, spent)).map((now, at) => (now - before[at]) / seconds);
  const long = (await inAll(windows, (window) => window.page.evaluate(() => globalThis.long))).flat();
  const worst = long.length > 0 ? `, the longest ${Math.max(...long).toFixed(0)} ms` : "";
  console.log(`  ${what}, ${seconds.toFixed(0)} s: ${long.length} frames above 50 ms${worst}; ${Math.max(...costs).toFixed(0)} ms of processor time a second; load of the machine ${loadavg()[0].toFixed(1)}`);
  if (Math.max(...costs) > most) throw new Error(`${what}: ${Math.max(...costs)} ms of processor time a second`);
}

export async function a_class_of_pages_reads_twenty_lines_a_second(scene) {
  const server = await scene.server(["--flood", "1000/1000"]);
  const bob = await server.nc("bob");
  const windows = [];
  for (let at = 0; at < PAGES; at += 1) windows.push(await scene.window(server.url, { width: 360, height: 640 }));
  await inAll(windows, async (window, at) => {
    await window.$("#name").fill(`reader${at}`);
    await window.$("#name").press("Enter");
    await window.isOn("in");
  });
  let said = 0;
  const timer = setInterval(() => bob.says(`line ${++said}: each of the ${PAGES} pages has to show it`), 50);
  await measures(windows, `${PAGES} pages at 20 lines a second`, 600).finally(() => clearInterval(timer));
  const last = (window) => window.page.evaluate(() => document.getElementById("lines").lastElementChild.textContent);
  await inAll(windows, (window) => until("the last line", async () => (await last(window)).includes(`line ${said}:`)));
}

export async function the_view_of_a_full_server_under_load(scene) {
  const server = await scene.server(["--view", "open", "--flood", "1000/1000", "--db", "none"]);
  const crowd = [];
  scene.toClose.unshift({ close: () => crowd.forEach((socket) => socket.destroy()) });
  for (let at = 0; at < 512; at += 1) {
    const socket = connect(server.port, "127.0.0.1", () => socket.write(`guest${at}\n`));
    socket.on("error", () => {});
    socket.resume();
    crowd.push(socket);
  }
  const window = await scene.window(`${server.url}view`, { width: 1920, height: 1080 });
  await until("everybody is there", async () => /512 of 512/.test(await window.$("#numbers").textContent()));
  let said = 0;
  const timer = setInterval(() => { for (let i = 0; i < 4; i += 1) crowd[said++ * 7 % 512].write("what does my thread do?\n"); }, 200);
  await measures([window], "the view of 512 clients at 20 lines a second", 500).finally(() => clearInterval(timer));
}
