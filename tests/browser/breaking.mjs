// A lesson in which the connection breaks in every way that there is, while bob talks all the time and alice types into it.
// At the end the page has shown what the database has: each line once, in order. Whatever alice typed was said once, or
// the page has asked her about it. By hand, for longer: ROUNDS=200 SECONDS_AWAY=1,30,90 node tests/browser/run.mjs breaking

import { spawnSync } from "node:child_process";
import { program, until } from "./harness/server.mjs";

const ROUNDS = Number(process.env.ROUNDS ?? 14);
const LONG = (process.env.SECONDS_AWAY ?? "1").split(",").map(Number); // for each way one more round of each length, in seconds
const PER_SECOND = 8; // lines of bob's: in 90 s fewer than the 1,000 that are told at most

const pause = (ms) => {
  const end = Date.now() + ms;
  return until(`${ms} ms`, () => Date.now() >= end, ms + 1000);
};

class Lesson {
  static async begin(scene) {
    const lesson = new Lesson();
    lesson.scene = scene;
    lesson.server = await scene.server(["--flood", "10000/10000"]);
    lesson.proxy = await scene.proxy(lesson.server);
    lesson.bob = await lesson.server.nc("bob");
    lesson.alice = await scene.window(lesson.proxy.url);
    await lesson.alice.joins("alice");
    await lesson.alice.hears("You are in lobby");
    lesson.debuggerOf = await lesson.alice.context.newCDPSession(lesson.alice.page);
    Object.assign(lesson, { count: 0, typed: [], shown: [], offered: 0 });
    lesson.timer = setInterval(() => lesson.bobSays(1), 1000 / PER_SECOND);
    scene.toClose.unshift({ close: () => clearInterval(lesson.timer) });
    return lesson;
  }

  bobSays(lines) {
    for (let line = 0; line < lines; line += 1) this.bob.says(`line ${++this.count} of bob's`);
  }

  async aliceTypes(what) {
    const text = `${what} ${this.typed.length}`;
    this.typed.push(text);
    await this.alice.says(text);
  }

  async startAgain() {
    await this.server.begin();
    this.bob = await this.server.nc("bob");
  }

  // What the log has got since the last look. It keeps 1,000 lines, so there is a look in each round.
  async look() {
    const fresh = await this.alice.page.evaluate(() => {
      const all = [...document.querySelectorAll("#lines .says")].filter((line) => !line.isRead);
      return all.map((line) => {
        line.isRead = true;
        return `${line.querySelector("b").textContent}: ${line.querySelector(".text").textContent}`;
      });
    });
    this.shown.push(...fresh);
  }

  async isBack() {
    const { alice } = this;
    await until("the page is back", async () => {
      if (await alice.$("#try-now").isVisible()) await alice.$("#try-now").click({ timeout: 500 }).catch(() => {}); // or it was quicker
      return (await alice.screen()) === "in";
    });
    // What is under way is told, or it is offered again.
    await until("nothing waits", async () => {
      if (await alice.$("#send-unsent").isVisible()) {
        this.offered += 1;
        await alice.$("#send-unsent").click();
      }
      return (await alice.$("#own .line").count()) === 0;
    });
    await this.look();
  }

  // What everybody was told, from the database.
  async ofTheDatabase() {
    const [, path] = this.server.database;
    const { stdout } = spawnSync(program, ["history", "export", "--json", "--room", "lobby", "--db", path], { encoding: "utf8", maxBuffer: 1e9 });
    return stdout.trim().split("\n").map((line) => JSON.parse(line)).filter(({ kind }) => kind === "said").map(({ author, text }) => `${author}: ${text}`);
  }
}

// Each breaks the connection for so many ms, and mends it.
const WAYS = {
  async the_cable_is_pulled({ proxy, alice }, ms) {
    proxy.cut();
    await alice.isOn("away");
    await pause(ms);
    proxy.mend();
  },
  async nothing_passes_any_more(lesson, ms) {
    lesson.proxy.freeze();
    lesson.bobSays(3); // nobody will read these on that connection
    await lesson.aliceTypes("into a dead line");
    await pause(ms);
    await WAYS.the_cable_is_pulled(lesson, 0);
  },
  async the_browser_is_offline({ proxy, alice }, ms) {
    await alice.context.setOffline(true);
    proxy.cut();
    await pause(ms);
    proxy.mend();
    await alice.context.setOffline(false);
  },
  async the_tab_is_frozen(lesson, ms) {
    await lesson.debuggerOf.send("Page.setWebLifecycleState", { state: "frozen" });
    await pause(ms);
    await lesson.debuggerOf.send("Page.setWebLifecycleState", { state: "active" });
  },
  async the_tab_is_frozen_and_its_connection_ends(lesson, ms) {
    await lesson.debuggerOf.send("Page.setWebLifecycleState", { state: "frozen" });
    lesson.proxy.cut();
    await pause(ms);
    lesson.proxy.mend();
    await lesson.debuggerOf.send("Page.setWebLifecycleState", { state: "active" });
  },
  async the_server_is_killed(lesson, ms) {
    await lesson.server.kill("SIGKILL");
    await pause(ms);
    await lesson.startAgain();
  },
  async the_server_is_stopped(lesson, ms) {
    await lesson.server.kill("SIGTERM");
    await pause(ms);
    await lesson.startAgain();
  },
};

export async function each_line_once_and_in_order_whatever_breaks(scene) {
  const lesson = await Lesson.begin(scene);
  const ways = Object.keys(WAYS), began = Date.now();
  const rounds = Array.from({ length: ROUNDS }, (_, round) => [ways[round % ways.length], (round * 37) % 200]);
  for (const seconds of LONG) for (const way of ways) rounds.push([way, seconds * 1000]);
  for (const [round, [way, ms]] of rounds.entries()) {
    try {
      await lesson.aliceTypes("at the last moment");
      lesson.bobSays(round % 5);
      await WAYS[way](lesson, ms);
      if ((await lesson.alice.screen()) === "away") await lesson.aliceTypes("while it is away");
      await lesson.isBack();
    } catch (error) {
      throw new Error(`round ${round}, ${way}, ${ms} ms: ${error.message}`);
    }
    if (round % 20 === 19) console.log(`  round ${round + 1} of ${rounds.length}, ${lesson.shown.length} lines, ${Math.round((Date.now() - began) / 1000)} s`);
  }
  clearInterval(lesson.timer);
  await lesson.aliceTypes("the end");
  await lesson.isBack();
  const told = await lesson.ofTheDatabase();
  const from = told.indexOf(lesson.shown[0]);
  const odd = lesson.shown.findIndex((line, at) => line !== told[from + at]);
  if (odd >= 0) throw new Error(`the page has shown ${lesson.shown.slice(odd - 2, odd + 3).join(" | ")}, and the database has ${told.slice(from + odd - 2, from + odd + 3).join(" | ")}`);
  if (lesson.shown.length !== told.length - from) throw new Error(`${told.length - from} lines were said, and ${lesson.shown.length} shown`);
  const wrong = lesson.typed.filter((text) => told.filter((line) => line === `alice: ${text}`).length !== 1);
  if (wrong.length > 0) throw new Error(`typed, and not said once: ${wrong.slice(0, 10).join(" | ")}`);
  console.log(`  ${rounds.length} rounds: ${told.length - from} lines, each shown once and in order; ${lesson.typed.length} typed, ${lesson.offered} times offered again`);
}
