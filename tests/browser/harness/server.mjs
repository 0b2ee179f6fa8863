// A chatd under test, and nc: a client over TCP that waits for lines, with a deadline.

import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = new URL("../../../", import.meta.url).pathname;
export const program = process.env.CHATD ?? join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), "debug/chatd");
const DEADLINE = 120_000; // ms for anything a server or a client is waited for, on a machine that is very busy, too

// Waits until `isTrue` returns something true, and returns that.
export async function until(what, isTrue, deadline = DEADLINE) {
  const end = Date.now() + deadline;
  for (;;) {
    const found = await isTrue();
    if (found) return found;
    if (Date.now() > end) throw new Error(`not within ${deadline / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export class Server {
  // `certified`: it serves the page over https, too, with a certificate of its own for this name.
  static async start(options = [], { accounts = [], admins = [], certified } = {}) {
    const server = new Server();
    server.folder = mkdtempSync(join(tmpdir(), "chatd-browser-"));
    if (certified) {
      server.run(["tls", "make", "--in", server.folder, "--name", certified]);
      options = [...options, "--tls-cert", "chatd-cert.pem", "--tls-key", "chatd-key.pem", "--web-name", certified];
    }
    server.database = options.includes("--db") ? [] : ["--db", join(server.folder, "chatd.db")];
    server.options = options;
    for (const name of [...accounts, ...admins]) server.account("add", name);
    for (const name of admins) server.account("promote", name);
    const listen = (port, web, https) => ["--listen", `127.0.0.1:${port}`, "--web", `127.0.0.1:${web}`, ...(certified ? ["--web-tls", `127.0.0.1:${https}`] : [])];
    server.listen = listen(0, 0, 0);
    await server.begin();
    // Later starts listen where the first did: the page comes back to the same address.
    server.listen = listen(server.port, server.webPort, server.httpsPort);
    return server;
  }

  account(what, name) {
    const [, path] = this.database;
    this.run(["account", what, name, "--db", path], `${PASSWORD}\n${PASSWORD}\n`);
  }

  run(words, input = "") {
    const done = spawnSync(program, words, { input });
    if (done.status !== 0) throw new Error(`${words.join(" ")}: ${done.stderr}`);
  }

  async begin() {
    this.said = "";
    this.process = spawn(program, [...this.listen, ...this.database, ...this.options], { cwd: this.folder });
    for (const stream of [this.process.stdout, this.process.stderr]) stream.on("data", (data) => (this.said += data));
    this.ended = new Promise((resolve) => this.process.on("exit", resolve));
    const port = (pattern) => until(`a line like ${pattern}`, () => pattern.exec(this.said)?.[1]).catch((error) => { throw new Error(`${error.message}, but: ${this.said}`); });
    this.port = Number(await port(/listening on 127\.0\.0\.1:(\d+)/));
    this.webPort = Number(await port(/browsers on (?:http:\/\/)?127\.0\.0\.1:(\d+)/));
    if (this.options.includes("--tls-cert")) this.httpsPort = Number(await port(/browsers on https:\/\/127\.0\.0\.1:(\d+)/));
  }

  get url() {
    return `http://127.0.0.1:${this.webPort}/`;
  }

  async kill(signal = "SIGKILL") {
    this.process.kill(signal);
    await this.ended;
  }

  async nc(name, password) {
    const client = new Nc(this.port);
    await client.hears("What is your name?");
    client.says(name);
    if (password) {
      await client.hears("Your password");
      client.says(password);
    }
    await client.hears(`You are in`);
    return client;
  }

  async close() {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export const PASSWORD = "correct horse battery";

class Nc {
  constructor(port) {
    this.socket = connect(port, "127.0.0.1");
    this.socket.setEncoding("utf8");
    this.socket.on("error", () => {});
    this.read = "";
    this.all = "";
    this.socket.on("data", (data) => { this.read += data; this.all += data; });
  }

  says(line) {
    this.socket.write(`${line}\n`);
  }

  // The next line with this in it; what is before it counts as read.
  async hears(text) {
    const at = await until(`"${text}" in ${JSON.stringify(this.read.slice(-500))}`, () => {
      const found = this.read.indexOf(text);
      return found >= 0 && this.read.indexOf("\n", found) >= 0 ? found + 1 : 0;
    });
    const end = this.read.indexOf("\n", at);
    const line = this.read.slice(this.read.lastIndexOf("\n", at - 1) + 1, end);
    this.read = this.read.slice(end + 1);
    return line;
  }

  close() {
    this.socket.destroy();
  }
}
