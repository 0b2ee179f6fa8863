// Each screen in both schemes, on a phone, a desk and a projector: seen by axe, and kept as a picture to be looked at.

import { PASSWORD, until } from "./harness/server.mjs";

const PHONE = { width: 360, height: 640, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
const DESK = { width: 1280, height: 800 };
const PROJECTOR = { width: 1920, height: 1080 };

// A lesson, as it is shown in README.
async function lesson(scene) {
  const server = await scene.server(["--motd", "/dev/null"], { accounts: ["dora"], admins: ["bob"] });
  const bob = await server.nc("bob", PASSWORD);
  const people = {};
  for (const name of ["carol", "dave", "erin", "frank", "grace", "heidi"]) people[name] = await server.nc(name);
  const says = async (who, line) => {
    who.says(line);
    await bob.hears(line.replace(/^\/(me|topic|join) /, ""));
  };
  people.grace.says("/join math");
  await bob.hears("went to math");
  bob.says("/topic Sockets and threads");
  await bob.hears("The topic");
  bob.says("/echo on");
  await says(bob, "What is a thread, and why has each of you one here?");
  await says(people.carol, "a stack, and a place in the program where it goes on");
  await says(people.carol, "and they share the heap");
  await says(people.dave, "so that one of us who reads slowly does not keep the others waiting");
  await says(people.erin, "/me looks for c7 in /threads");
  await says(people.heidi, "Και στα ελληνικά; Можно и так");
  return { server, bob, people, says };
}

async function isAccessible(window, what) {
  const found = await window.axe();
  if (found.length > 0) throw new Error(`axe, ${what}:\n${found.join("\n")}`);
}

const SCREENS = {
  door: async () => {},
  refused: async (window) => {
    await window.$("#name").fill("bob hope");
    await window.$("#name").press("Enter");
    await until("the refusal", async () => /and no/.test(await window.$("#ask-name").textContent()));
  },
  password: async (window) => {
    await window.$("#name").fill("dora");
    await window.$("#name").press("Enter");
    await window.$("#password:focus").waitFor();
  },
  room: async (window, { bob, people, says }, name) => {
    await window.$("#no-secret").click();
    await window.$("#name:focus").waitFor();
    await window.$("#name").fill(name);
    await window.$("#name").press("Enter");
    await window.hears("You are in lobby");
    await says(people.frank, `${name}, see https://www.rfc-editor.org/rfc/rfc9293`);
    people.dave.says(`/msg ${name} psst, is that one thread each?`);
    await window.hears("psst");
    await window.says("it is: one per connection");
    await window.hears("one per connection", ".says");
    await window.says("/threads");
    await window.hears("Threads of chatd");
    await bob.hears("one per connection");
    people.carol.says("they all wait in read()");
    await window.hears("they all wait");
    await until("the list", async () => /^[78] here/.test(await window.$("#count").textContent()));
  },
  typing: async (window) => {
    await window.$("#say").fill("Each thread has a stack of its own, and all of them share the heap. ".repeat(14));
    await window.$("#left:not(:empty)").waitFor();
  },
  many: async (window) => {
    await window.$("#say").fill("1\n2\n3\n4\n5\n6\n7");
    await window.$("#say").press("Enter");
    await window.$("#many[open]").waitFor();
  },
  menu: async (window) => {
    await window.$("#many-no").click();
    await window.$("#say").fill("");
    await window.$("#open-menu").click();
    await window.$("#menu[open]").waitFor();
  },
  keys: async (window) => {
    await window.$("#menu button", { hasText: "Keys" }).click();
    await window.$("#keys[open]").waitFor();
  },
  join: async (window, { server }) => {
    await window.page.keyboard.press("Escape");
    await window.$("#open-menu").click();
    await window.$("#menu button", { hasText: "How to join" }).click();
    await until("the code is drawn", () => window.$("#code").evaluate((image) => image.complete && image.naturalWidth > 0));
    if ((await window.$("#url").textContent()) !== server.url.replace(/\/$/, "")) throw new Error("another address");
  },
  lists: async (window) => {
    await window.page.keyboard.press("Escape");
    await window.$("#open-lists").click();
    await window.$("#rooms button").first().waitFor();
    await window.$("#here button").first().waitFor();
  },
  person: async (window) => {
    await window.$("#here button", { hasText: "carol" }).click();
    await window.$("#person[open]").waitFor();
  },
  over: async (window, { bob }, name) => {
    await window.page.keyboard.press("Escape");
    bob.says(`/kick ${name} the lesson is over`);
    await window.isOn("over");
  },
  away: async (window, { server }) => {
    await window.$("#try-now").click();
    await window.isOn("in");
    await server.kill();
    await window.isOn("away");
    await window.says("said while nobody hears it");
  },
};

async function everyScreen(scene, size, scheme, name) {
  const class_ = await lesson(scene);
  const window = await scene.window(class_.server.url, { ...size, colorScheme: scheme });
  await window.$("#name:focus").waitFor();
  for (const [screen, show] of Object.entries(SCREENS)) {
    await show(window, class_, name);
    await window.shot(`${name}-${screen}`);
    await isAccessible(window, screen);
    await fits(window, screen);
  }
}

async function fits(window, screen) {
  const wide = await window.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (wide > 0) throw new Error(`${screen} is ${wide} px too wide`);
}

export async function on_a_phone(scene) {
  await everyScreen(scene, PHONE, "light", "phone");
}

export async function on_a_phone_in_the_dark(scene) {
  await everyScreen(scene, PHONE, "dark", "phone-dark");
}

export async function on_a_desk(scene) {
  await everyScreen(scene, DESK, "light", "desk");
}

export async function on_a_desk_in_the_dark(scene) {
  await everyScreen(scene, DESK, "dark", "desk-dark");
}

export async function on_a_projector(scene) {
  await everyScreen(scene, PROJECTOR, "light", "projector");
}

// What README shows.
export async function the_pictures_of_the_pages(scene) {
  const { server, bob, people, says } = await lesson(scene);
  const window = await scene.window(server.url, { width: 1100, height: 620 });
  await window.joins("alice");
  await window.hears("You are in lobby");
  await says(people.frank, "alice, is it one per connection?");
  people.dave.says("/msg alice psst, that is c3, I think");
  await window.hears("psst");
  await window.says("yes: each of us has one, and it waits in read()");
  await bob.hears("each of us has one");
  await says(people.carol, "I see mine in the view");
  await window.hears("I see mine");
  await until("the list", async () => (await window.$("#here li").count()) === 7);
  await window.shot("page");
  const phone = await scene.window(server.url, PHONE);
  await phone.joins("ines");
  await phone.hears("I see mine");
  await phone.shot("page-phone");
}

// Each of the twelve colours of names can be read on every ground on which a name stands.
export async function the_colours_of_names_have_contrast(scene) {
  const server = await scene.server();
  for (const colorScheme of ["light", "dark"]) {
    const window = await scene.window(server.url, { colorScheme });
    const worst = await window.page.evaluate(() => {
      const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
      const luminance = (colour) => {
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const style = getComputedStyle(document.documentElement);
      const grounds = ["--paper", "--panel", "--soft", "--warm"].map((name) => luminance(style.getPropertyValue(name)));
      let least = Infinity;
      for (let hue = 15; hue < 360; hue += 30) {
        const name = luminance(`oklch(${style.getPropertyValue("--name-l")} ${style.getPropertyValue("--name-c")} ${hue})`);
        for (const ground of grounds) least = Math.min(least, (Math.max(name, ground) + 0.05) / (Math.min(name, ground) + 0.05));
      }
      return least;
    });
    if (worst < 4.5) throw new Error(`${colorScheme}: a contrast of ${worst.toFixed(2)}`);
  }
}

export async function nothing_moves_for_whoever_wants_no_motion(scene) {
  const { server, bob, says } = await lesson(scene);
  const window = await scene.window(server.url, { reducedMotion: "reduce" });
  await window.joins("alice");
  await window.says("hello");
  await bob.hears("<alice> hello");
  await says(bob, "hello alice");
  await window.hears("hello alice");
  const moving = await window.page.evaluate(() => document.getAnimations().length);
  if (moving > 0) throw new Error(`${moving} animations`);
}

// Over plain http, from another machine: the page says so where a password is asked for.
export async function it_says_that_it_is_not_encrypted(scene) {
  const server = await scene.server(["--web-name", "chatd.test"], { accounts: ["alice"] });
  const window = await scene.window(server.url.replace("127.0.0.1", "chatd.test"), { ...PHONE });
  await window.$("#name:focus").waitFor();
  await window.page.keyboard.type("alice");
  await window.page.keyboard.press("Enter");
  await window.$("#plain", { hasText: "not encrypted" }).waitFor();
  await window.shot("phone-not-encrypted");
  await isAccessible(window, "the password, not encrypted");
  const here = await scene.window(server.url);
  await here.$("#name:focus").waitFor();
  await here.page.keyboard.type("alice");
  await here.page.keyboard.press("Enter");
  await here.$("#password:focus").waitFor();
  if (await here.$("#plain").isVisible()) throw new Error("on this very machine nobody else can read it");
}

// 500 phones of a lecture load it at once.
export async function the_files_are_small(scene) {
  const server = await scene.server();
  const window = await scene.window("about:blank");
  const bodies = [];
  window.page.on("response", (response) => bodies.push(response.body()));
  await window.page.goto(server.url);
  await window.$("#name:focus").waitFor();
  const bytes = (await Promise.all(bodies)).reduce((sum, body) => sum + body.length, 0);
  if (bodies.length < 6 || bytes > 54 * 1024) throw new Error(`${bytes} bytes`);
}
