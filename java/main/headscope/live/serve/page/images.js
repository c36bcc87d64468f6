// The page of a browser without WebGL2: the server draws what a window shows; keyboard and mouse act on that.

import { Connection } from './connection.js';
import { ask } from './keys.js';
import { save } from './save.js';

const KEYS = {
  ArrowLeft: 'left', ArrowRight: 'right', ArrowUp: 'up', ArrowDown: 'down', Home: 'home', End: 'end', PageUp: 'page_up',
  PageDown: 'page_down', Backspace: 'backspace',
  Delete: 'delete', Enter: 'enter', Escape: 'escape',
};
const CONTROL_KEYS = { a: 'select_all', c: 'copy', x: 'cut' };

export class ImagePage {
  /** @param notice shows a line, for some seconds if their number is given */
  constructor(token, notice) {
    document.body.classList.add('image');
    this.canvas = document.getElementById('screen');
    this.canvas.hidden = false;
    this.ink = this.canvas.getContext('2d');
    this.moved = null;
    this.receivers = {
      source: () => this.#begin(),
      notice: ({ text }) => notice(text, 6),
      unavailable: ({ reason }) => notice(`This browser has no WebGL2, and the server cannot draw for it: ${reason}`),
      quit: () => ask('stop-dialog', answer => answer === 'stop' && this.#send({ type: 'stop' })),
    };
    this.#keys();
    this.#mouse();
    new ResizeObserver(() => this.#resize()).observe(document.documentElement);
    this.connection = new Connection('images', token, {
      message: message => this.receivers[message.type]?.(message),
      binary: ({ header, png }) => header.name === undefined ? this.#show(header.frame, png) : save(header.name, png),
      opened: () => notice(''),
      lost: (reason, seconds) => notice(`${reason}. Next try in ${seconds} s.`),
    });
  }

  #send(message) {
    this.connection?.send(message);
  }

  async #show(frame, png) {
    const image = await createImageBitmap(new Blob([png], { type: 'image/png' }));
    if (frame <= this.shown) { // a later image may be decoded first; it also confirms this one
      return;
    }
    this.shown = frame;
    this.canvas.width = image.width;
    this.canvas.height = image.height;
    this.ink.drawImage(image, 0, 0);
    this.#send({ type: 'confirm', frame });
  }

  /** A new connection counts its images from 1. */
  #begin() {
    this.shown = 0;
    this.#resize();
  }

  #resize() {
    const { clientWidth, clientHeight } = document.documentElement;
    const pixels = length => Math.max(64, Math.min(4096, Math.round(length * devicePixelRatio)));
    this.#send({ type: 'size', width: pixels(clientWidth), height: pixels(clientHeight), scale: devicePixelRatio });
  }

  #keys() {
    const open = () => document.querySelector('dialog[open]') !== null;
    document.addEventListener('keydown', event => {
      const key = event.ctrlKey || event.metaKey ? CONTROL_KEYS[event.key] : KEYS[event.key];
      const typed = [...event.key].length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey;
      if (!open() && (typed || key !== undefined)) {
        event.preventDefault();
        this.#send(typed ? { type: 'typed', codePoint: event.key.codePointAt(0) } : { type: 'pressed', key, shift: event.shiftKey });
      }
    });
    document.addEventListener('paste', event => {
      const text = event.clipboardData.getData('text');
      if (!open() && text !== '') {
        this.#send({ type: 'pasted', text });
      }
    });
  }

  #mouse() {
    const { canvas } = this;
    const at = event => {
      const box = canvas.getBoundingClientRect();
      return {
        x: (event.clientX - box.left) / box.width * canvas.width, y: (event.clientY - box.top) / box.height * canvas.height,
      };
    };
    canvas.addEventListener('pointermove', event => {
      if (this.moved === null) {
        setTimeout(() => this.#moveNow(), 100);
      }
      this.moved = { type: 'moved', ...at(event) };
    });
    canvas.addEventListener('pointerdown', event => {
      if (event.button === 0) {
        canvas.setPointerCapture(event.pointerId);
        this.#moveNow();
        const clicks = event.timeStamp - (this.pressed ?? -1e9) < 400 ? 2 : 1;
        this.pressed = event.timeStamp;
        this.#send({ type: 'down', ...at(event), clicks });
      }
    });
    canvas.addEventListener('pointerup', event => {
      if (event.button === 0) {
        this.#moveNow();
        this.#send({ type: 'up', ...at(event) });
      }
    });
    canvas.addEventListener('wheel', event => {
      event.preventDefault();
      const steps = -event.deltaY / (event.deltaMode === 0 ? 100 : 3);
      this.#send({ type: 'scrolled', steps: Math.max(-3, Math.min(3, steps)), ...at(event) });
    }, { passive: false });
    canvas.addEventListener('pointerleave', () => {
      this.#moveNow();
      this.#send({ type: 'left' });
    });
  }

  /** The last movement, before what follows it. */
  #moveNow() {
    if (this.moved !== null) {
      this.#send(this.moved);
      this.moved = null;
    }
  }
}
