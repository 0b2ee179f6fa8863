// What stands between the browser and the server, and can be cut: all connections at once, with a word or without.

import { connect, createServer } from "node:net";

export class Proxy {
  static async to(port) {
    const proxy = new Proxy();
    proxy.open = new Set();
    proxy.isCut = false;
    proxy.listener = createServer((near) => proxy.join(near, port));
    await new Promise((resolve) => proxy.listener.listen(0, "127.0.0.1", resolve));
    proxy.url = `http://127.0.0.1:${proxy.listener.address().port}/`;
    return proxy;
  }

  join(near, port) {
    if (this.isCut) return near.destroy();
    const far = connect(port, "127.0.0.1");
    const pair = [near, far];
    this.open.add(pair);
    for (const [from, to] of [pair, [far, near]]) {
      from.on("error", () => {});
      from.on("close", () => { to.destroy(); this.open.delete(pair); });
      from.pipe(to);
    }
  }

  // What is under way is lost in both directions, as when a cable is pulled and the connection is given up.
  cut() {
    this.isCut = true;
    for (const pair of this.open) for (const socket of pair) socket.resetAndDestroy();
  }

  // Nothing passes any more, and nobody is told.
  freeze() {
    this.isCut = true;
    for (const [near, far] of this.open) {
      near.unpipe(far);
      far.unpipe(near);
      for (const socket of [near, far]) socket.pause();
    }
  }

  mend() {
    this.isCut = false;
  }

  close() {
    this.cut();
    this.listener.close();
  }
}
