// Joining, and talk between a browser and nc.

import { readFileSync } from "node:fs";
import { PASSWORD, until } from "./harness/server.mjs";

const FIELD = "#say";

export async function joins_by_the_url_and_a_name(scene) {
  const server = await scene.server();
  const bob = await server.nc("bob");
  const alice = await scene.window(server.url);
  await alice.joins("alice");
  await bob.hears("alice entered lobby");
  await alice.statusIs(/You are in lobby as alice/);
  await alice.hears("You are in lobby with bob.");
  await until("who is here", async () => (await alice.$("#here li").count()) === 2);
}

export async function talks_with_nc_in_both_directions(scene) {
  const server = await scene.server();
  const bob = await server.nc("bob");
  const alice = await scene.window(server.url);
  await alice.joins("alice");
  const texts = [
    `<img src=x onerror="document.title='taken over'"><script>alert(1)</script>`,
    "אבג abc עברית and العربية",
    "👩‍👩‍👧‍👦 👍🏽 日本語",
    `${"ü".repeat(511)}!!`,
    "x".repeat(1024),
    "&lt;b&gt; &amp; \"quotes\" 'and' `ticks`",
  ];
  for (const text of texts) {
    await alice.says(text);
    await bob.hears(`<alice> ${text}`);
    await alice.hears(`alice ${text}`);
    bob.says(text);
    await alice.hears(`bob ${text}`);
  }
  bob.says("\u202eevil\u202c \x1b[31mred\x07");
  await alice.hears("bob �evil� red�");
  await until("nothing is under way", async () => (await alice.$("#own .line").count()) === 0);
  if ((await alice.$("#log img, #log script").count()) > 0) throw new Error("a text became an element");
  // Everybody's order: what the page shows is what the server told everybody.
  const said = (await alice.lines(".says .text")).length;
  if (said !== 2 * texts.length + 1) throw new Error(`${said} lines are shown`);
}

// With a certificate of one's own, about which each browser asks once. The others' pages still do without.
export async function talks_over_https_with_a_certificate_of_ones_own(scene) {
  const server = await scene.server([], { accounts: ["alice"], certified: "chatd.test" });
  const url = `https://chatd.test:${server.httpsPort}/`;
  const refused = await scene.window(url).then(() => "nothing is refused", (error) => error.message);
  if (!refused.includes("ERR_CERT_AUTHORITY_INVALID")) throw new Error(refused);
  const bob = await server.nc("bob");
  const alice = await scene.window(url.replace("https", "http"), { ignoreHTTPSErrors: true });
  if (alice.page.url() !== url) throw new Error(`http is not sent on to https, but to ${alice.page.url()}`);
  await alice.joins("alice", PASSWORD);
  if (await alice.$("#plain").evaluate((it) => !it.hidden)) throw new Error("it says that it is not encrypted");
  await alice.says("hi");
  await bob.hears("<alice> hi");
  bob.says("hello");
  await alice.hears("bob hello");
  await server.kill("SIGTERM");
  await server.begin();
  const carol = await server.nc("carol");
  carol.says("are you back?");
  await alice.hears("carol are you back?");
  await alice.says("yes");
  await carol.hears("<alice> yes");
}

export async function private_lines_actions_and_links(scene) {
  const server = await scene.server();
  const bob = await server.nc("bob");
  const alice = await scene.window(server.url);
  await alice.joins("alice");
  bob.says("/msg alice psst");
  await alice.hears("bob, to you psst", ".private");
  await alice.says("/msg bob what?");
  await bob.hears("[from alice] what?");
  await alice.hears("to bob what?", ".private");
  await alice.says("/me waves");
  await bob.hears("* alice waves");
  await alice.hears("alice waves", ".does");
  bob.says("alice, see https://example.org/a_b?c=d. Or javascript:alert(1)");
  await alice.hears("bob alice, see https://example.org/a_b?c=d. Or", ".mention");
  const links = await alice.$("#log a").evaluateAll((all) => all.map((a) => `${a.getAttribute("href")} ${a.rel}`));
  if (links.join() !== "https://example.org/a_b?c=d noopener noreferrer") throw new Error(`links: ${links}`);
}

export async function what_is_seen_can_be_saved(scene) {
  const server = await scene.server();
  const bob = await server.nc("bob");
  const alice = await scene.window(server.url);
  await alice.joins("alice");
  bob.says("hello <all>");
  await alice.hears("hello <all>");
  await alice.$("#open-menu").click();
  const [download] = await Promise.all([alice.page.waitForEvent("download"), alice.$("#menu button", { hasText: "Save" }).click()]);
  const text = readFileSync(await download.path(), "utf8");
  if (!/^chat-lobby-\d{4}-\d\d-\d\d\.txt$/.test(download.suggestedFilename()) || !/^\d\d:\d\d bob hello <all>$/m.test(text)) throw new Error(`${download.suggestedFilename()}: ${text}`);
}

export async function a_password_is_nowhere(scene) {
  const server = await scene.server([], { accounts: ["alice"] });
  const alice = await scene.window(server.url);
  const sent = [];
  alice.page.on("request", (request) => sent.push(request.url() + (request.postData() ?? "")));
  const isNowhere = async (password, when) => {
    const where = await alice.page.evaluate((secret) => {
      const values = [...document.querySelectorAll("input, textarea")].map((field) => field.value);
      const places = { location: location.href, session: JSON.stringify({ ...sessionStorage }), local: JSON.stringify({ ...localStorage }), document: document.documentElement.outerHTML, values: values.join("\n"), cookies: document.cookie, title: document.title };
      return Object.keys(places).filter((place) => places[place].includes(secret));
    }, password);
    if (sent.some((request) => request.includes(password))) where.push("a request");
    if (server.said.includes(password)) where.push("the server's log");
    if (where.length > 0) throw new Error(`${when}: the password is in ${where}`);
  };
  await alice.$("#name:focus").waitFor();
  await alice.page.keyboard.type("alice");
  await alice.page.keyboard.press("Enter");
  await alice.tellsPassword("wrong horse battery");
  await alice.$("#password-label", { hasText: "Once more" }).waitFor();
  await until("the field is empty", async () => (await alice.$("#password").inputValue()) === "");
  await isNowhere("wrong horse battery", "after a wrong one");
  await alice.shot("password-wrong");
  await alice.tellsPassword(PASSWORD);
  await alice.isOn("in");
  await isNowhere(PASSWORD, "after the right one");
  await alice.says("/password");
  await alice.tellsPassword(PASSWORD);
  await until("a new password", async () => (await alice.$("#password").getAttribute("autocomplete")) === "new-password");
  await until("the new one is asked for", async () => /new password/i.test(await alice.$("#password-label").textContent()));
  await alice.tellsPassword("battery staple horse");
  await until("it is asked for again", async () => /once more/.test(await alice.$("#password-label").textContent()));
  await alice.tellsPassword("battery staple horse");
  await alice.hears("Your password is changed.");
  await isNowhere("battery staple horse", "after a new one");
  // One that is typed behind a command, as people do with nc.
  await alice.says("/login alice battery staple horse");
  await alice.hears("/login", ".command");
  await isNowhere("battery staple horse", "after /login");
  await alice.$(FIELD).press("ArrowUp");
  await isNowhere("battery staple horse", "after the Up key");
}

export async function an_instructors_code_is_taken_at_the_door_and_is_nowhere(scene) {
  const server = await scene.server(["--instructor"]);
  const code = await until("the code", () => /\/instructor (\S+)/.exec(server.said)?.[1]);
  const teacher = await scene.window(server.url);
  await teacher.$("#name:focus").waitFor();
  await teacher.page.keyboard.type(`/instructor ${code}`);
  await teacher.page.keyboard.press("Enter");
  await until("the field is empty", async () => (await teacher.$("#name").inputValue()) === "");
  await until("the answer", async () => /You are an instructor/.test(await teacher.$("#ask-name").textContent()));
  await teacher.joins("teacher");
  const kept = await teacher.page.evaluate(() => JSON.stringify({ ...sessionStorage }) + document.documentElement.outerHTML);
  if (kept.includes(code)) throw new Error("the code is kept");
  await teacher.$("#open-menu").click();
  await teacher.$("#menu button", { hasText: "Pause the room" }).click();
  await teacher.hears("paused lobby");
}

export async function nobody_is_asked_for_a_name_where_there_are_none(scene) {
  const server = await scene.server(["--anonymous"]);
  const one = await scene.window(server.url);
  const other = await scene.window(server.url);
  await one.isOn("in");
  await other.isOn("in");
  await other.says("hello");
  await one.hears("hello", ".says");
  await other.hears("hello", ".says");
  await until("nothing is under way", async () => (await other.$("#own .line").count()) === 0);
}

export async function a_name_is_refused_with_the_servers_words(scene) {
  const server = await scene.server(["--login-deadline", "1"]);
  const bob = await server.nc("bob");
  const other = await scene.window(server.url);
  await other.$("#name").fill("Bob");
  await other.$("#name").press("Enter");
  await until("the question", async () => /taken/.test(await other.$("#ask-name").textContent()));
  // Whoever thinks for longer than the server waits is let in all the same.
  await until("the server has given up", () => server.said.match(/c2 (closed|ended|left|gone|hung up|disconnected).*|c2.*no name/));
  await other.$("#name").fill("robert");
  await other.$("#name").press("Enter");
  await other.isOn("in");
  await bob.hears("robert entered lobby");
}

export async function a_full_server_says_so_and_is_tried_again(scene) {
  const server = await scene.server(["--threads-max", "1"]);
  const bob = await server.nc("bob");
  const alice = await scene.window(server.url);
  await until("the sentence", async () => /the only place is taken/.test(await alice.$("#sentences").textContent()));
  await alice.statusIs(/Next try in \d\d s/);
  await alice.shot("full");
  bob.says("/quit");
  await bob.hears("Goodbye");
  await until("there is a place", async () => {
    if (await alice.$("#try-now").isVisible()) await alice.$("#try-now").click();
    return alice.$("#name:focus").isVisible();
  });
  await alice.joins("alice");
}

// One sentence and one button.
export async function a_locked_entrance_is_said_once_and_tried_again_by_join(scene) {
  const server = await scene.server([], { admins: ["teacher"] });
  const teacher = await server.nc("teacher", PASSWORD);
  teacher.says("/lock exam");
  await teacher.hears("locked the entrance");
  const alice = await scene.window(server.url);
  await alice.$("#name:focus").waitFor();
  await alice.$("#name").fill("alice");
  await alice.page.keyboard.press("Enter");
  await alice.statusIs(/^The entrance is locked by @?teacher \(exam\)\.$/);
  const said = await alice.$("body").innerText();
  if (said.split("entrance is locked").length !== 2) throw new Error(said);
  if (await alice.$("#try-now").isVisible()) throw new Error("there are two buttons");
  await alice.shot("locked");
  teacher.says("/unlock");
  await teacher.hears("unlocked the entrance");
  await alice.$("#naming button").click();
  await teacher.hears("alice entered lobby");
  await alice.isOn("in");
}

export async function rooms_people_and_hands(scene) {
  const server = await scene.server([], { admins: ["teacher"] });
  const bob = await server.nc("bob");
  const teacher = await scene.window(server.url);
  await teacher.joins("teacher", PASSWORD);
  await teacher.says("/pause");
  await bob.hears("paused lobby");
  bob.says("/hand");
  await until("bob's hand", async () => /hand 1/.test(await teacher.$("#here li", { hasText: "bob" }).textContent()));
  await teacher.$("#here button", { hasText: "bob" }).click();
  await teacher.$("#person button", { hasText: "Give the floor" }).click();
  await bob.hears("gave bob the floor");
  await teacher.says("/resume");
  await bob.hears("resumed lobby");
  const pupil = await scene.window(server.url, { width: 360, height: 640 });
  await pupil.joins("pupil");
  await pupil.$("#hand").click();
  await until("the hand is up", async () => (await pupil.$("#hand").getAttribute("aria-pressed")) === "true");
  await pupil.$("#open-here").click();
  await until("three names", async () => (await pupil.$("#here li").count()) === 3);
  await pupil.$("#other").fill("math");
  await pupil.$("#other").press("Enter");
  await until("another room", async () => (await pupil.$("#room").textContent()) === "math");
  await bob.hears("pupil left lobby (went to math)");
  await pupil.$("#open-lists").click();
  await pupil.$("#rooms button", { hasText: "lobby" }).click();
  await bob.hears("pupil entered lobby");
  await teacher.$("#open-menu").click();
  await teacher.$("#menu button", { hasText: "Pause the room" }).click();
  await until("the pause", async () => /paused/.test(await pupil.$("#say").getAttribute("placeholder")));
  await pupil.says("may I?");
  await pupil.hears("may I?", ".refused");
}
