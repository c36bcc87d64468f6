// Bars and lines over a numbered axis.

import { label, number, palette, sheet, ticks } from './ink.js';

const LEFT = 62;
const RIGHT = 16;
const TOP = 6;
const BOTTOM = 24;

export class Plot {
  /** @param bars whether values are bars from 0, otherwise a line @param hover receives a line about the nearest value */
  constructor(canvas, bars, describe, hover) {
    Object.assign(this, { canvas, bars, describe, hover, xs: [], ys: [], cursor: null });
    canvas.addEventListener('pointermove', event => {
      this.cursor = event.offsetX;
      this.#hover();
    });
    canvas.addEventListener('pointerleave', () => {
      this.cursor = null;
      hover('');
    });
  }

  /** @param xs ascending */
  set(xs, ys) {
    this.xs = xs;
    this.ys = ys;
  }

  #hover() {
    if (this.xs.length === 0 || this.scale === undefined) {
      return;
    }
    let nearest = 0;
    for (let i = 1; i < this.xs.length; i++) {
      if (Math.abs(this.scale.x(this.xs[i]) - this.cursor) < Math.abs(this.scale.x(this.xs[nearest]) - this.cursor)) {
        nearest = i;
      }
    }
    this.hover(this.describe(this.xs[nearest], this.ys[nearest]));
  }

  draw() {
    const { ink, width, height } = sheet(this.canvas);
    const { xs, ys } = this;
    if (xs.length === 0 || width < LEFT + RIGHT + 10) {
      return;
    }
    const theme = palette();
    let low = this.bars ? 0 : Infinity;
    let high = this.bars ? 0 : -Infinity;
    for (const y of ys) {
      low = Math.min(low, y);
      high = Math.max(high, y);
    }
    if (low === high) {
      low -= 0.5;
      high += 0.5;
    }
    const margin = (high - low) * 0.06;
    low -= low < 0 || !this.bars ? margin : 0;
    high += high > 0 || !this.bars ? margin : 0;
    const half = this.bars ? 0.5 : xs.length === 1 ? 1 : 0;
    const first = xs[0] - half;
    const last = xs[xs.length - 1] + half;
    const box = { x: LEFT, y: TOP, width: width - LEFT - RIGHT, height: height - TOP - BOTTOM };
    const x = value => box.x + (value - first) / (last - first) * box.width;
    const y = value => box.y + (high - value) / (high - low) * box.height;
    this.scale = { x };
    this.#axes(ink, theme, box, ticks(first, last, box.width / 60), ticks(low, high, box.height / 34), x, y);
    if (this.bars) {
      this.#bars(ink, theme, box, x, y);
    } else {
      this.#line(ink, theme, x, y);
    }
    if (this.cursor !== null) {
      this.#hover();
    }
  }

  #axes(ink, theme, box, across, up, x, y) {
    ink.strokeStyle = theme.rule;
    ink.lineWidth = 1;
    ink.strokeRect(box.x + 0.5, box.y + 0.5, box.width - 1, box.height - 1);
    ink.fillStyle = theme.pale;
    for (const value of across.values.filter(Number.isInteger)) {
      ink.fillRect(x(value) - 0.5, box.y + box.height, 1, 4);
      label(ink, String(value), x(value), box.y + box.height + 13, 'center');
    }
    for (const value of up.values) {
      ink.fillRect(box.x - 4, y(value) - 0.5, 4, 1);
      label(ink, up.text(value), box.x - 8, y(value), 'right');
    }
  }

  #bars(ink, theme, box, x, y) {
    const pitch = x(this.xs[0] + 1) - x(this.xs[0]);
    const width = pitch > 3 ? pitch - 1 : pitch + 1; // narrow bars overlap, or seams would show
    ink.save();
    ink.beginPath();
    ink.rect(box.x, box.y, box.width, box.height);
    ink.clip();
    ink.fillStyle = theme.bars;
    this.ys.forEach((value, i) => {
      const top = Math.min(y(value), y(0));
      ink.fillRect(x(this.xs[i]) - width / 2, top, width, Math.abs(y(value) - y(0)));
    });
    ink.restore();
    ink.fillStyle = theme.rule;
    ink.fillRect(box.x, y(0) - 0.5, box.width, 1);
  }

  #line(ink, theme, x, y) {
    ink.strokeStyle = theme.curve;
    ink.lineWidth = 1.5;
    ink.lineJoin = 'round';
    ink.beginPath();
    this.ys.forEach((value, i) => ink.lineTo(x(this.xs[i]), y(value)));
    ink.stroke();
    ink.fillStyle = theme.accent;
    ink.beginPath();
    ink.arc(x(this.xs.at(-1)), y(this.ys.at(-1)), 3.5, 0, 2 * Math.PI);
    ink.fill();
  }
}

/** The positions of eigenvalues that were chosen evenly among more. */
export function ranks(shown, all) {
  return Array.from({ length: shown }, (_, i) => shown === 1 ? 0 : Math.round(i * (all - 1) / (shown - 1)));
}

export { number };
