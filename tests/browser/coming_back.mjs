// Connections that break, and what the page says of it. Many breaks in a row are in breaking.mjs.

import { PASSWORD, until } from "./harness/server.mjs";

const RESTARTS = Number(process.env.ROUNDS ?? 3); // by hand, for longer: ROUNDS=50 node tests/browser/run.mjs an_account_is_back

// A talker with numbers: who reads them sees at once what is missing, twice, or in another order.
class Counter {
  constructor(bob) {
    this.bob = bob;
    this.said = this.seen = 0;
  }

  says(lines) {
    for (let line = 0; line < lines; line += 1) this.bob.says(`count ${++this.said}`);
  }

  // What the log has now follows on what it had at the last look, each number once and in order. The log keeps 1,000 lines.
  async look(window) {
    const said = await window.lines(".says .text");
    const read = said.map((text) => /^count (\d+)$/.exec(text)?.[1]).filter(Boolean).map(Number);
    const odd = read.filter((number, at) => at > 0 && number !== read[at - 1] + 1);
    if (odd.length > 0 || read[0] > this.seen + 1) throw new Error(`seen up to ${this.seen}, now ${read[0]} to ${read.at(-1)}, out of turn: ${odd.slice(0, 20)}`);
    this.seen = read.at(-1) ?? this.seen;
  }

  async isAllRead(window) {
    await window.hears(`count ${this.said}`);
    await this.look(window);
    if (this.seen !== this.said) throw new Error(`${this.said} were said, and ${this.seen} read`);
  }
}

// Alice in a browser behind something that can be cut, bob over TCP with numbers.
async function talk(scene, options, people, more) {
  const server = await scene.server(["--flood", "10000/10000", ...(options ?? [])], people);
  const proxy = await scene.proxy(server);
  const bob = await server.nc("bob");
  const alice = await scene.window(proxy.url, more);
  await alice.joins("alice", people ? PASSWORD : undefined);
  await alice.hears("You are in lobby");
  return { server, proxy, bob, alice, counter: new Counter(bob) };
}

async function own(alice, bob, text) {
  await alice.says(text);
  await until(`${text} is said`, async () => (await alice.lines(".says")).filter((line) => line.endsWith(text)).length === 1);
  await bob.hears(`<alice> ${text}`);
}

export async function by_itself_with_nobody_touching_it(scene) {
  const { proxy, alice, counter } = await talk(scene);
  proxy.cut();
  await alice.isOn("away");
  await alice.statusIs(/Next try in \d+ s/);
  await alice.shot("away");
  counter.says(1);
  proxy.mend();
  await alice.isOn("in");
  await counter.isAllRead(alice);
  await alice.hears("this was said meanwhile", ".rule");
}

export async function a_server_that_is_killed_and_comes_again(scene) {
  const { server, bob, alice, counter } = await talk(scene);
  counter.says(20);
  await own(alice, bob, "before");
  await server.kill();
  await alice.isOn("away");
  await server.begin();
  await alice.$("#try-now").click().catch(() => {});
  await alice.isOn("in");
  const again = await server.nc("bob");
  counter.bob = again;
  counter.says(5);
  await own(alice, again, "after");
  await counter.isAllRead(alice);
  await alice.hears("you missed nothing", ".rule");
}

export async function an_orderly_stop_is_said_and_come_back_from(scene) {
  const { server, alice } = await talk(scene);
  await server.kill("SIGTERM");
  await alice.isOn("away");
  await alice.hears("the server is shutting down");
  await server.begin();
  await alice.isOn("in");
  await server.nc("carol");
  await alice.hears("carol entered lobby");
}

// In order or not: the page has its account, its room and its settings back, and nobody types a password.
export async function an_account_is_back_in_its_room_after_the_server_has_stopped(scene) {
  const { server, bob, alice, counter } = await talk(scene, [], { accounts: ["alice"] });
  await alice.says("/join math");
  await alice.hears("You are in math");
  await alice.says("/ignore eve");
  await alice.hears("You no longer read what eve says");
  counter.bob.says("/join math");
  await bob.hears("You are in math");
  for (let round = 0; round < RESTARTS; round += 1) {
    const signal = round % 2 === 0 ? "SIGTERM" : "SIGKILL";
    counter.says(10);
    await own(alice, counter.bob, `before ${signal} ${counter.said}`);
    await counter.isAllRead(alice);
    await server.kill(signal);
    await alice.isOn("away");
    await server.begin();
    counter.bob = await server.nc("bob");
    counter.bob.says("/join math");
    await counter.bob.hears("You are in math");
    counter.says(5);
    await alice.isOn("in");
    await counter.isAllRead(alice);
    await own(alice, counter.bob, `after ${signal} ${counter.said}`);
    await counter.isAllRead(alice);
    for (const [command, answer] of [["/whoami", "You are alice: logged in as alice"], ["/ignore", "You ignore: eve."]]) {
      await alice.says(command);
      await until(`"${answer}" after ${signal} ${round}`, async () => (await alice.lines()).slice(-2).some((line) => line.includes(answer)));
    }
    const said = await alice.lines(".says");
    const mine = said.filter((line) => /^alice (before|after) /.test(line));
    if (new Set(mine).size !== mine.length) throw new Error(`a line of alice's is there twice: ${mine}`);
  }
  await alice.shot("back-in-its-room");
}

export async function without_a_history_it_is_said_that_nothing_is_known(scene) {
  const { server, bob, alice, counter } = await talk(scene, ["--db", "none"]);
  counter.says(3);
  await own(alice, bob, "before");
  await server.kill();
  await server.begin();
  const again = await server.nc("bob");
  again.says("said while alice was away");
  await alice.isOn("in");
  await alice.hears("was started again", ".rule");
  await own(alice, again, "after");
  await counter.isAllRead(alice);
}

export async function what_was_typed_and_not_sent_is_offered_again(scene) {
  const { proxy, bob, alice } = await talk(scene);
  proxy.freeze();
  await alice.says("into a dead line");
  await alice.$("#own .sending").waitFor();
  proxy.cut();
  await alice.isOn("away");
  await alice.says("while it was away");
  await alice.says("/msg bob and privately");
  await alice.shot("unsent-away");
  proxy.mend();
  await alice.isOn("in");
  await alice.statusIs(/3 lines of yours were not sent/);
  await alice.shot("unsent");
  await alice.$("#send-unsent").click();
  await bob.hears("<alice> into a dead line");
  await bob.hears("<alice> while it was away");
  await bob.hears("[from alice] and privately");
  await until("nothing is under way", async () => (await alice.$("#own .line").count()) === 0);
  proxy.cut();
  await alice.isOn("away");
  await alice.says("never mind");
  proxy.mend();
  await alice.isOn("in");
  await alice.statusIs(/One line of yours was not sent/);
  await alice.$("#drop-unsent").click();
  await own(alice, bob, "and on");
  if (bob.all.includes("never mind")) throw new Error("a dropped line was said");
}

// What the server had when the connection broke is not offered: it was said.
export async function what_was_said_is_not_offered_again(scene) {
  const { proxy, bob, alice } = await talk(scene);
  for (let round = 1; round <= 3; round += 1) {
    await alice.says(`yes`);
    await bob.hears("<alice> yes");
    proxy.cut();
    await alice.isOn("away");
    proxy.mend();
    await alice.isOn("in");
    await until("nothing is under way", async () => (await alice.$("#own .line").count()) === 0);
  }
  const said = (await alice.lines(".says")).filter((line) => line === "alice yes").length;
  if (said !== 3) throw new Error(`"yes" is shown ${said} times`);
}

// Nobody is told when a network is gone. The clock is the test's, so a minute takes no time.
export async function a_connection_without_a_word_is_given_up(scene) {
  const { proxy, bob, alice, counter } = await talk(scene, [], undefined, { clock: true });
  const sockets = alice.sockets;
  proxy.freeze();
  counter.says(1);
  proxy.mend();
  await alice.page.clock.fastForward(50_000);
  if ((await alice.screen()) !== "in") throw new Error("50 s are given up");
  await alice.page.clock.fastForward(12_000);
  await until("another connection", () => alice.sockets === sockets + 1);
  await alice.isOn("in");
  await counter.isAllRead(alice);
  await own(alice, bob, "here again"); // what she asked for on coming back has come, too
  const rule = await alice.$("#lines .rule", { hasText: "away for" }).textContent();
  if (Number(/away for (\d+) s/.exec(rule)?.[1]) < 60) throw new Error(`a minute without a word: "${rule}"`);
  // After 30 s it is enough that the network is said to be there again.
  proxy.freeze();
  counter.says(1);
  proxy.mend();
  await alice.page.clock.fastForward(31_000);
  await alice.page.evaluate(() => dispatchEvent(new Event("online")));
  await until("another connection", () => alice.sockets === sockets + 2);
  await alice.isOn("in");
  await counter.isAllRead(alice);
  await own(alice, bob, "and on");
}

// A phone stops the clock of a tab in the background.
export async function a_frozen_tab_reads_on_when_it_thaws(scene) {
  const { alice, bob, counter } = await talk(scene);
  const page = await alice.context.newCDPSession(alice.page);
  counter.says(5);
  await alice.hears("count 5");
  await page.send("Page.setWebLifecycleState", { state: "frozen" });
  counter.says(50);
  bob.says("/whoami");
  await bob.hears("You are bob");
  await page.send("Page.setWebLifecycleState", { state: "active" });
  await counter.isAllRead(alice);
  await own(alice, bob, "awake");
}

export async function a_page_that_is_loaded_again_comes_back_by_itself(scene) {
  const { bob, alice, counter } = await talk(scene);
  await alice.says("/join math");
  await bob.hears("went to math");
  await until("math", async () => (await alice.$("#room").textContent()) === "math");
  await alice.page.reload();
  await alice.isOn("in");
  await until("math", async () => (await alice.$("#room").textContent()) === "math");
  await alice.says("/leave");
  await bob.hears("alice entered lobby");
  counter.says(2);
  await alice.hears("count 2");
}

export async function two_tabs_with_one_account_do_not_throw_each_other_out_for_ever(scene) {
  const server = await scene.server([], { accounts: ["alice"] });
  const one = await scene.window(server.url);
  await one.joins("alice", PASSWORD);
  const other = await scene.tab(one.context, server.url);
  await other.joins("alice", PASSWORD);
  await one.isOn("over");
  await one.statusIs(/logged in again|another window/);
  await one.shot("another-window");
  const [first, second] = [one.sockets, other.sockets];
  // A person's doing, and then nobody's: neither connects again by itself, whatever wakes it up.
  for (const tab of [one, other]) await tab.page.evaluate(() => ["online", "pageshow"].forEach((name) => dispatchEvent(new Event(name))));
  const bob = await server.nc("bob");
  await other.hears("bob entered lobby");
  await own(other, bob, "here");
  if (one.sockets !== first || other.sockets !== second) throw new Error("a tab has connected again");
  if ((await other.screen()) !== "in") throw new Error("the second tab was thrown out");
}

export async function whoever_was_sent_away_does_not_come_back_by_itself(scene) {
  const server = await scene.server([], { admins: ["teacher"] });
  const teacher = await server.nc("teacher", PASSWORD);
  const alice = await scene.window(server.url);
  await alice.joins("alice");
  await teacher.hears("alice entered");
  teacher.says("/kick alice enough");
  await alice.isOn("over");
  await alice.statusIs(/You were kicked by teacher: enough/);
  await alice.shot("kicked");
  await alice.$("#try-now").click();
  await teacher.hears("alice entered");
  await alice.isOn("in");
}
