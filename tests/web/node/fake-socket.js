/** A WebSocket without a network, for tests that also replace the timers. */

/**
 * @param {(request: string | undefined, socket: {send: (text: string) => void, close: () => void}) => void} answer
 *   As that of `serve`: `socket` is the server's end.
 */
export function fakeWebSocket(answer) {
  return class extends EventTarget {
    readyState = 0;
    bufferedAmount = 0;

    constructor() {
      super();
      queueMicrotask(() => {
        if (this.readyState !== 0) return;
        this.readyState = 1;
        this.dispatchEvent(new Event('open'));
      });
    }

    send(data) {
      const send = (text) => queueMicrotask(() => this.dispatchEvent(Object.assign(new Event('message'), { data: text })));
      answer(typeof data === 'string' ? JSON.parse(data).request : undefined, { send, close: () => this.close(1006) });
    }

    close(code) {
      this.readyState = 3;
      queueMicrotask(() => this.dispatchEvent(Object.assign(new Event('close'), { code })));
    }
  };
}
