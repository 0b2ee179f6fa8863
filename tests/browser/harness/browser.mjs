// Chromium, and a person in front of it. A scene is one test's: its servers, its windows, and what they complained of.

import { existsSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Server, program, until } from "./server.mjs";
import { Proxy } from "./proxy.mjs";

const root = new URL("../../../", import.meta.url).pathname;
export const installed = join(root, "target/browser/");
const require = createRequire(installed);
const CHROMIUM = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const chromium = CHROMIUM.find((path) => path && existsSync(path));

// What is not here, in words; null: nothing.
export function missing() {
  if (!existsSync(program)) return `${program} is not built: cargo build`;
  if (!chromium) return "there is no Chromium: apt install chromium, or its path in $CHROMIUM";
  if (!existsSync(join(installed, "node_modules/playwright-core"))) return "playwright-core is not installed: tests/browser/install.sh";
  return null;
}

export async function openBrowser() {
  const playwright = require("playwright-core");
  const browser = await playwright.chromium.launch({ executablePath: chromium, args: ["--no-sandbox", "--host-resolver-rules=MAP chatd.test 127.0.0.1"] });
  return { scene: (name) => new Scene(browser, name), close: () => browser.close() };
}

class Scene {
  constructor(browser, name) {
    this.browser = browser;
    this.name = name;
    this.toClose = [];
    this.windows = [];
  }

  async server(options, people) {
    const server = await Server.start(options, people);
    this.toClose.push(server);
    return server;
  }

  async proxy(server) {
    const proxy = await Proxy.to(server.webPort);
    this.toClose.push(proxy);
    return proxy;
  }

  // A window of a browser of its own, as of another person; `more`: what a browser's context takes.
  async window(url, { width = 1280, height = 800, clock = false, ...more } = {}) {
    const context = await this.browser.newContext({ viewport: { width, height }, ...more });
    this.toClose.unshift(context);
    if (clock) await context.clock.install(); // the test moves it on
    return this.tab(context, url);
  }

  async tab(context, url) {
    const page = await context.newPage();
    const window = new Window(page, context, this.name);
    this.windows.push(window);
    await page.goto(url);
    return window;
  }

  // Nothing in the console, and no report of the content security policy.
  async end() {
    for (const window of this.windows) {
      if (window.complaints.length > 0) throw new Error(`the browser complains:\n${window.complaints.join("\n")}`);
    }
  }

  async keepWhatIsSeen() {
    for (const [at, window] of this.windows.entries()) await window.shot(`failed-${this.name.split("::")[1]}-${at}`).catch(() => {});
  }

  async close() {
    for (const thing of this.toClose) await thing.close();
  }
}

class Window {
  constructor(page, context, scene) {
    Object.assign(this, { page, context, scene, complaints: [], sockets: 0 });
    page.setDefaultTimeout(120_000); // on a machine that is very busy, too
    page.on("console", (message) => this.complain(message.text(), message.type()));
    page.on("pageerror", (error) => this.complaints.push(error.stack));
    page.on("websocket", () => (this.sockets += 1));
  }

  complain(text, type) {
    // That a network is not there, the browser itself writes down; the page cannot keep it from doing so.
    if (type === "log" || type === "debug" || /^WebSocket connection to .* failed/.test(text)) return;
    this.complaints.push(`${type}: ${text}`);
  }

  $(selector, options) {
    return this.page.locator(selector, options);
  }

  screen() {
    return this.page.evaluate(() => document.body.dataset.screen);
  }

  async isOn(screen, deadline) {
    await until(`the screen "${screen}"`, async () => (await this.screen()) === screen, deadline);
  }

  // As a person does it: the field has the focus.
  async joins(name, password) {
    await this.$("#name:focus").waitFor();
    await this.page.keyboard.type(name);
    await this.page.keyboard.press("Enter");
    if (password) await this.tellsPassword(password);
    await this.isOn("in");
  }

  async tellsPassword(password) {
    await this.$("#password:focus").waitFor();
    await this.page.keyboard.type(password);
    await this.page.keyboard.press("Enter");
  }

  async says(text) {
    await this.$("#say").fill(text);
    await this.$("#say").press("Enter");
  }

  // The lines of the log, as a reader of the screen has them.
  lines(selector = ".line") {
    const textOf = (all) => all.map((p) => [...p.childNodes].filter((part) => part.nodeName !== "TIME").map((part) => part.textContent).join("").trim());
    return this.$(`#lines ${selector}`).evaluateAll(textOf);
  }

  async hears(text, selector) {
    await until(`"${text}" in the log`, async () => (await this.lines(selector)).some((line) => line.includes(text)));
  }

  async statusIs(pattern) {
    await until(`the status ${pattern}`, async () => pattern.test(await this.$("#status").textContent()));
  }

  async shot(name) {
    const folder = join(installed, "screens");
    mkdirSync(folder, { recursive: true });
    await this.page.screenshot({ path: join(folder, `${name}.png`) });
  }

  // What axe finds on what is seen now.
  async axe() {
    // Not by a script element, which the page's policy forbids: in the world of the debugger.
    await this.page.evaluate(require("axe-core").source);
    const { violations } = await this.page.evaluate(() => globalThis.axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.html} ${node.failureSummary}`).join(" | ")}`);
  }
}
