// Tests of the page in a real browser: node tests/browser/run.mjs [PART OF A NAME…]
//
// It starts target/debug/chatd (or $CHATD) for each test, and Chromium once. What it needs is installed by install.sh.
// Where something is missing, every test is skipped by name; under CI=true that is an error. It closes as cargo's tests
// do, so that .ci/run counts both. Screenshots stay in target/browser/screens.

import { readdirSync } from "node:fs";
import { missing, openBrowser } from "./harness/browser.mjs";

const DEADLINE = 90_000; // ms for one test; by hand, with ROUNDS, it may take longer
const AT_ONCE = 2; // tests that run beside each other: most of a test is waiting

const wanted = process.argv.slice(2);
const folder = new URL(".", import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith(".mjs") && name !== "run.mjs").sort();
const all = [];
for (const file of files) {
  for (const [name, test] of Object.entries(await import(new URL(file, folder)))) {
    const full = `${file.replace(".mjs", "")}::${name}`;
    if (wanted.length === 0 || wanted.some((part) => full.includes(part))) all.push([full, test]);
  }
}

const why = missing();
if (why) skipAll();
const browser = await openBrowser();
const counts = { passed: 0, failed: 0 };
const failures = [];
const queue = [...all];
await Promise.all(Array.from({ length: AT_ONCE }, async () => {
  for (let next; (next = queue.shift()); ) await run(...next);
}));
await browser.close();
for (const [name, error] of failures) console.log(`\n---- ${name} ----\n${error.stack ?? error}`);
end(counts.failed === 0 ? "ok" : "FAILED", counts.passed, counts.failed, 0);
process.exit(counts.failed === 0 ? 0 : 1);

async function run(name, test) {
  const scene = browser.scene(name);
  const started = Date.now();
  let timer;
  const tooLong = new Promise((_, reject) => {
    const deadline = process.env.ROUNDS || process.env.SECONDS_AWAY || process.env.LOAD_SECONDS ? 7_200_000 : DEADLINE;
    timer = setTimeout(() => reject(new Error(`not done after ${deadline / 1000} s`)), deadline);
  });
  try {
    await Promise.race([test(scene), tooLong]);
    await scene.end();
    counts.passed += 1;
    console.log(`test ${name} ... ok (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  } catch (error) {
    counts.failed += 1;
    failures.push([name, error]);
    await scene.keepWhatIsSeen();
    console.log(`test ${name} ... FAILED`);
  } finally {
    clearTimeout(timer);
    await scene.close();
  }
}

function skipAll() {
  for (const [name] of all) console.log(`test ${name} ... SKIPPED: ${why}`);
  const isError = process.env.CI === "true";
  end(isError ? "FAILED" : "ok", 0, isError ? all.length : 0, isError ? 0 : all.length);
  process.exit(isError ? 1 : 0);
}

function end(word, passed, failed, skipped) {
  console.log(`\ntest result: ${word}. ${passed} passed; ${failed} failed; ${skipped} ignored`);
}
