// Long logs, large letters, other scripts, and browsers without JavaScript.

import { until } from "./harness/server.mjs";

export async function without_javascript_there_is_a_sentence(scene) {
  const server = await scene.server();
  const page = await scene.window(server.url, { javaScriptEnabled: false });
  const says = (window, sentence) => until(sentence, async () => (await window.$("main").innerText()).includes(sentence));
  await says(page, "A terminal does not: nc HOST 5000");
  if (await page.$("#name").isVisible()) throw new Error("a field that does nothing");
  const view = await scene.window(`${server.url}view`, { javaScriptEnabled: false });
  await says(view, "/threads shows the same");
}

// The answer to /rooms is too long for one message.
export async function a_hundred_rooms_are_a_list_and_no_lines_of_the_log(scene) {
  const server = await scene.server(["--flood", "10000/10000"]);
  const bob = await server.nc("bob");
  for (let room = 1; room < 100; room += 1) bob.says(`/join room-with-a-name-${room}\n/topic ${"\u{1F600}".repeat(200)}`);
  await bob.hears("The topic of room-with-a-name-99");
  const alice = await scene.window(server.url);
  await alice.joins("alice");
  await until("a hundred rooms", async () => (await alice.$("#rooms button").count()) === 100);
  if ((await alice.$("#lines .table").count()) > 0) throw new Error("rooms in the log");
  await alice.says("/rooms");
  await until("what was asked for", async () => (await alice.$("#lines .table").count()) === 1);
}

export async function blanks_in_what_somebody_writes_make_no_table(scene) {
  const server = await scene.server();
  const bob = await server.nc("bob");
  const alice = await scene.window(server.url);
  await alice.joins("alice");
  bob.says("/topic a    b\n/quit bye    /a  bye");
  await alice.hears("bob set the topic of lobby: a    b", ".server");
  await alice.hears("bob left lobby (quit: bye    /a  bye)", ".server");
  await alice.says("/threads");
  await until("rows", async () => /THREAD.*\n.*accept/.test(await alice.$("#lines .table").textContent()));
  await alice.says("/who");
  await until("other rows", async () => / {2}alice +idle/.test(await alice.$("#lines .table").last().textContent()));
}

// Whoever reads what was said a while ago stays there, also while the oldest lines go.
export async function who_scrolls_up_in_a_full_log_stays_there(scene) {
  const server = await scene.server(["--flood", "10000/10000"]);
  const bob = await server.nc("bob");
  const alice = await scene.window(server.url);
  await alice.joins("alice");
  const says = (from, to) => { for (let line = from; line <= to; line += 1) bob.says(`line ${line} of many`); };
  says(1, 1060);
  await alice.hears("line 1060 of");
  const at = (text) => alice.page.evaluate((text) => [...document.querySelectorAll("#lines .line")].find((line) => line.textContent.includes(text))?.getBoundingClientRect().top, text);
  await alice.page.evaluate(() => [...document.querySelectorAll("#lines .line")].find((line) => line.textContent.includes("line 500 of")).scrollIntoView());
  await until("it is counted from here", () => alice.$("#newer").isVisible());
  const before = await at("line 500 of");
  says(1061, 1120);
  await alice.hears("line 1120 of");
  if ((await at("line 1 of")) !== undefined) throw new Error("the oldest lines are still there");
  if (Math.abs((await at("line 500 of")) - before) > 2) throw new Error(`it moved from ${before} to ${await at("line 500 of")}`);
  await until("what is new is counted", async () => (await alice.$("#newer").textContent()) === "60 new ↓");
  await alice.$("#newer").click();
  await until("the end", async () => !(await alice.$("#newer").isVisible()));
  says(1121, 1121);
  await alice.hears("line 1121 of");
  if ((await at("line 1121 of")) > 800) throw new Error("the end is not followed");
}

// 1280 px at 200 and at 400 percent, as WCAG 1.4.10 has it, for the page and the view.
export async function with_letters_four_times_as_large_everything_can_be_reached(scene) {
  const server = await scene.server(["--view", "open"]);
  const bob = await server.nc("bob");
  for (const [percent, width, height] of [[200, 640, 400], [400, 320, 256]]) {
    const window = await scene.window(server.url, { width, height, deviceScaleFactor: percent / 100 });
    const fits = async (what) => {
      const wide = await window.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (wide > 0) throw new Error(`${percent} %, ${what}: ${wide} px too wide`);
      await window.shot(`zoom-${percent}-${what}`);
    };
    await window.$("#name:focus").waitFor();
    await fits("door");
    await window.joins(`zoom${percent}`);
    bob.says("hello, and a long sentence that needs more than one row at this size");
    await window.hears("hello, and");
    await window.says("I read it");
    await bob.hears(`<zoom${percent}> I read it`);
    const shown = await window.page.evaluate(() => document.getElementById("log").clientHeight);
    if (shown < 60) throw new Error(`${percent} %: the log has ${shown} px`);
    await fits("room");
    await window.$("#open-menu").click();
    await window.$("#menu button", { hasText: "Leave" }).scrollIntoViewIfNeeded();
    await fits("menu");
    await window.page.goto(`${server.url}view`);
    await until("the lanes", async () => (await window.$(".row .name", { hasText: "fanout" }).count()) === 1);
    await fits("view");
  }
}

// Nothing is drawn for whoever may not look, or a lecturer thinks that it is broken.
export async function without_a_ticket_the_view_is_a_sentence(scene) {
  const server = await scene.server();
  const window = await scene.window(`${server.url}view`);
  await window.statusIs(/Type \/view in the chat/);
  for (const part of ["#canvas", "#thin", "#flow", "#way", "#foot"]) if (await window.$(part).isVisible()) throw new Error(`${part} is there`);
}

// With few threads a row is high, with more it is lower; and each is a desk's, however high.
export async function rows_are_as_high_as_there_is_room(scene) {
  const server = await scene.server(["--view", "open", "--db", "none"]);
  const window = await scene.window(`${server.url}view`, { width: 1920, height: 1080 });
  const rows = () => window.$(".row:not(.head):not([hidden])").evaluateAll((all) => all.map((row) => row.offsetHeight));
  const people = [];
  for (const [more, least, most] of [[0, 38, 46], [10, 26, 37], [20, 26, 31]]) {
    for (let at = 0; at < more; at += 1) people.push(await server.nc(`guest${people.length}`));
    await until(`rows of ${least} to ${most} px`, async () => {
      const all = await rows();
      return all.length > 5 && all.every((high) => high >= least && high <= most);
    });
    const isCrowded = people.length > 20;
    await until("thin lines, if not all have room", async () => (await window.$("#thin").isVisible()) === isCrowded);
  }
}

export async function names_and_lines_in_every_script(scene) {
  const server = await scene.server(["--unicode-names"]);
  const names = ["Ελένη", "شيماء", "名前は", "Łukasz"];
  const people = [];
  for (const name of names) people.push(await server.nc(name));
  const reader = await scene.window(server.url, { width: 360, height: 640, deviceScaleFactor: 2, isMobile: true, hasTouch: true });
  await reader.joins("דנה");
  const lines = ["مرحبا، هذا سطر طويل بعض الشيء مع English في الوسط", "שלום abc 123 (שאלה?)", "👩‍👩‍👧‍👦👍🏽🏳️‍🌈 e\u0301", "W".repeat(1024), "日".repeat(341)];
  for (const [at, line] of lines.entries()) {
    people[at % names.length].says(line);
    await reader.hears(`${names[at % names.length]} ${line}`);
  }
  await reader.says("שלום לכולם, what is a thread?");
  await people[0].hears("<דנה> שלום לכולם, what is a thread?");
  await until("nothing is under way", async () => (await reader.$("#own .line").count()) === 0);
  const [arabic, hebrew, emoji] = await reader.$("#lines .says .text").evaluateAll((all) => all.map((text) => text.matches(":dir(rtl)")));
  if (!arabic || !hebrew || emoji) throw new Error(`right to left: ${[arabic, hebrew, emoji]}`);
  const wide = await reader.page.evaluate(() => Math.max(document.documentElement.scrollWidth, document.getElementById("log").scrollWidth) - innerWidth);
  if (wide > 0) throw new Error(`${wide} px too wide`);
  await reader.shot("scripts");
  await reader.$("#say").fill("Ελ");
  await reader.page.keyboard.press("Tab");
  if ((await reader.$("#say").inputValue()) !== "Ελένη: ") throw new Error(await reader.$("#say").inputValue());
  const found = await reader.axe();
  if (found.length > 0) throw new Error(found.join("\n"));
}
