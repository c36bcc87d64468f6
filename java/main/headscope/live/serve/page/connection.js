// The socket: connects, and connects again when the server is back.

import { decode } from './frames.js';

const SECONDS = [1, 1, 2, 3, 5];
const TRY_AGAIN_LATER = 1013;

export class Connection {
  /**
   * @param path  frames or images
   * @param token of the page's address
   * @param listener {message(object), binary(decoded message), opened(), lost(reason, seconds until the next try)}
   */
  constructor(path, token, listener) {
    this.address = `${path}?token=${encodeURIComponent(token)}`;
    this.listener = listener;
    this.tries = 0;
    this.#connect();
  }

  #connect() {
    const address = new URL(this.address, location.href);
    address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
    address.hash = '';
    this.socket = new WebSocket(address);
    this.socket.binaryType = 'arraybuffer';
    let opened = false;
    this.socket.addEventListener('message', ({ data }) => {
      if (!opened) {
        opened = true;
        this.tries = 0;
        this.listener.opened();
      }
      if (typeof data === 'string') {
        this.listener.message(JSON.parse(data));
      } else {
        this.listener.binary(decode(data));
      }
    });
    this.socket.addEventListener('close', async event => {
      const reason = opened ? event.reason || 'The server is gone' : await this.#refusal();
      const seconds = event.code === TRY_AGAIN_LATER ? SECONDS.at(-1) : SECONDS[Math.min(this.tries, SECONDS.length - 1)];
      this.tries++;
      this.listener.lost(reason, seconds);
      setTimeout(() => this.#connect(), 1000 * seconds);
    });
  }

  /** Why no connection came about; the browser does not tell. */
  async #refusal() {
    try {
      const answer = await fetch(this.address);
      return answer.status === 403
          ? 'The server refuses this address: open the address that headscope printed last'
          : 'The server does not answer as expected';
    } catch {
      return 'The server is gone';
    }
  }

  send(message) {
    if (this.socket.readyState === WebSocket.OPEN) {
      this.socket.send(JSON.stringify(message));
    }
  }
}
