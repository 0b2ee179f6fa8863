// The field one types into: keys, several lines, the bytes that are left; and the keyboard alone.

import { readFileSync } from "node:fs";
import { until } from "./harness/server.mjs";

async function alone(scene, options) {
  const server = await scene.server();
  const bob = await server.nc("bob");
  const alice = await scene.window(server.url, options);
  await alice.joins("alice");
  return { server, bob, alice };
}

export async function the_enter_key_of_a_composition_sends_nothing(scene) {
  const { bob, alice } = await alone(scene);
  const keys = await alice.context.newCDPSession(alice.page);
  await alice.$("#say").focus();
  await keys.send("Input.imeSetComposition", { text: "にほんご", selectionStart: 4, selectionEnd: 4 });
  await keys.send("Input.dispatchKeyEvent", { type: "keyDown", key: "Enter", code: "Enter", windowsVirtualKeyCode: 229 });
  await keys.send("Input.insertText", { text: "日本語" });
  // Safari: the composition is over, and the key that ended it has the code 229.
  await alice.page.evaluate(() => document.getElementById("say").dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", keyCode: 229, bubbles: true, cancelable: true })));
  await alice.page.evaluate(() => document.getElementById("say").dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", isComposing: true, bubbles: true, cancelable: true })));
  if ((await alice.$("#say").inputValue()) !== "日本語") throw new Error(`the field has ${await alice.$("#say").inputValue()}`);
  await alice.$("#say").press("Enter");
  await bob.hears("<alice> 日本語");
  if ((await alice.lines(".says")).length !== 1) throw new Error("more than one line was said");
}

export async function several_pasted_lines_are_asked_about_first(scene) {
  const { bob, alice } = await alone(scene);
  const paste = (text) => alice.page.evaluate((data) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text", data);
    const say = document.getElementById("say");
    say.focus();
    if (say.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }))) document.execCommand("insertText", false, data);
  }, text);
  await paste("one\ntwo\n\nthree");
  await alice.$("#say").press("Enter");
  await alice.$("#many[open]").waitFor();
  await alice.shot("many");
  await alice.$("#many-no").click();
  if ((await alice.$("#say").inputValue()) !== "one\ntwo\n\nthree") throw new Error("the text is gone");
  await alice.$("#say").press("Enter");
  await alice.$("#many-yes").click();
  for (const line of ["one", "two", "three"]) await bob.hears(`<alice> ${line}`);
  await paste("four\nfive");
  await alice.$("#say").press("Enter");
  await alice.$("#many-one").click();
  await bob.hears("<alice> four five");
  // One line with its end, and two that are typed, are not asked about.
  await paste("six\n");
  await alice.$("#say").press("Enter");
  await bob.hears("<alice> six");
  await alice.page.keyboard.type("seven");
  await alice.page.keyboard.press("Shift+Enter");
  await alice.page.keyboard.type("eight");
  await alice.page.keyboard.press("Enter");
  await bob.hears("<alice> seven");
  await bob.hears("<alice> eight");
}

export async function bytes_are_counted_from_900(scene) {
  const { bob, alice } = await alone(scene);
  const left = () => alice.$("#left").textContent();
  await alice.$("#say").fill("x".repeat(899));
  if ((await left()) !== "") throw new Error(`899 bytes: ${await left()}`);
  await alice.$("#say").fill(`${"ü".repeat(450)}`);
  if ((await left()) !== "124 bytes left") throw new Error(`900 bytes: ${await left()}`);
  await alice.$("#say").fill("x".repeat(1030));
  if ((await left()) !== "6 bytes too many") throw new Error(`1,030 bytes: ${await left()}`);
  await alice.$("#say").press("Enter");
  await alice.statusIs(/6 bytes more than the 1024/);
  if ((await alice.$("#say").inputValue()).length !== 1030) throw new Error("the text is gone");
  await alice.$("#say").fill("x".repeat(1024));
  await alice.$("#say").press("Enter");
  await bob.hears(`<alice> ${"x".repeat(1024)}`);
}

export async function tab_completes_and_moves_on_where_there_is_nothing_to_complete(scene) {
  const { alice } = await alone(scene);
  const value = () => alice.$("#say").inputValue();
  await alice.$("#say").focus();
  await alice.page.keyboard.type("bo");
  await alice.page.keyboard.press("Tab");
  if ((await value()) !== "bob: ") throw new Error(await value());
  await alice.$("#say").fill("/na");
  await alice.page.keyboard.press("Tab");
  if ((await value()) !== "/names ") throw new Error(await value());
  await alice.$("#say").fill("/un");
  for (const wanted of ["/unban ", "/unignore ", "/unmute ", "/unregister "]) {
    await alice.page.keyboard.press("Tab");
    if ((await value()) !== wanted) throw new Error(await value());
  }
  await alice.page.keyboard.press("Tab");
  if (await alice.$("#say:focus").isVisible()) throw new Error("the Tab key is held for ever");
  await alice.$("#say").fill("xyz");
  await alice.page.keyboard.press("Tab");
  if (await alice.$("#say:focus").isVisible()) throw new Error("the Tab key does not move on");
}

// Every command of the server's own list can be completed, but for those that are a program's.
export async function the_page_knows_the_commands(scene) {
  const script = readFileSync(new URL("../../src/server/web/assets/say.js", import.meta.url), "utf8");
  const known = [...script.match(/const COMMANDS = \(([^;]*)\)/)[1].matchAll(/[a-z]+/g)].map(String);
  const { bob } = await alone(scene);
  bob.says("/help all");
  bob.says("/whoami");
  await bob.hears("You are bob");
  const all = [...bob.all.matchAll(/^\*\*\* +\/([a-z]+)\b/gm)].map((found) => found[1]);
  const missing = all.filter((name) => !known.includes(name) && !["notes", "since"].includes(name));
  if (all.length < 30 || missing.length > 0) throw new Error(`the page does not know ${missing} of ${all.length}`);
}

export async function with_the_keyboard_alone_from_joining_to_leaving(scene) {
  const server = await scene.server();
  const bob = await server.nc("bob");
  const alice = await scene.window(server.url);
  const { keyboard } = alice.page;
  const focused = () => alice.page.evaluate(() => document.activeElement.id || document.activeElement.textContent);
  const tabTo = async (wanted, key = "Tab") => {
    for (let presses = 0; presses < 40; presses += 1) {
      if ((await focused()) === wanted) return;
      await keyboard.press(key);
    }
    throw new Error(`${key} does not come to ${wanted}`);
  };
  await alice.$("#name:focus").waitFor();
  await keyboard.type("alice");
  await keyboard.press("Enter");
  await alice.$("#say:focus").waitFor();
  await keyboard.type("hello");
  await keyboard.press("Enter");
  await bob.hears("<alice> hello");
  await until("the log has it", async () => (await alice.lines(".says")).length === 1);
  await keyboard.press("ArrowUp");
  await keyboard.press("Enter");
  await bob.hears("<alice> hello");
  await tabTo("log", "Shift+Tab");
  await tabTo("open-menu", "Shift+Tab");
  await keyboard.press("Enter");
  await alice.$("#menu[open]").waitFor();
  await keyboard.press("Escape");
  await until("the menu is closed", async () => !(await alice.$("#menu").isVisible()));
  if ((await focused()) !== "open-menu") throw new Error(`after Esc the focus is on ${await focused()}`);
  await keyboard.press("Enter");
  await tabTo("Leave");
  await keyboard.press("Enter");
  await bob.hears("alice left lobby (quit)");
  await alice.isOn("over");
  await alice.statusIs(/left/);
  await tabTo("try-now");
  await keyboard.press("Enter");
  await bob.hears("alice entered lobby");
  await alice.$("#say:focus").waitFor();
}
