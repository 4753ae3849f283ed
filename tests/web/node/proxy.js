/** A network between client and server that can be cut and held up. */

import net from 'node:net';

export class Proxy {
  #sockets = new Set();
  #server;
  #target;
  connections = 0;

  /** @param {URL} target */
  constructor(target) {
    this.#target = target;
    this.#server = net.createServer((client) => this.#accept(client));
  }

  async listen() {
    await new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `ws://127.0.0.1:${this.#server.address().port}`;
  }

  /** Break every connection, as a server that is killed does. */
  cut() {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Take nothing more from the client. */
  hold() {
    for (const socket of this.#sockets) socket.pause();
  }

  release() {
    for (const socket of this.#sockets) socket.resume();
  }

  close() {
    this.cut();
    this.#server.close();
  }

  #accept(client) {
    this.connections += 1;
    const server = net.connect(Number(this.#target.port), this.#target.hostname);
    for (const [from, to] of [[client, server], [server, client]]) {
      this.#sockets.add(from);
      from.on('data', (data) => to.write(data));
      from.on('error', () => {});
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
  }
}
