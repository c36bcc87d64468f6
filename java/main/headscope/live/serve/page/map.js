// The chosen head: its tokens x tokens.

import { steer } from './camera.js';
import { fraction } from './colormap.js';
import { Heatmap, locate } from './heatmap.js';
import { barMarks, colorBar, label, labelStep, number, outline, palette, place, rgb, sheet, shortened } from './ink.js';

const LEFT = 84;
const RIGHT = 84;
const BOTTOM = 68;
const LARGE_CELL = 48;
const TOKEN = 11; // room for a token's name

export class ChosenMap {
  /** @param actions view(), colors(), text(), hover(line) */
  constructor(root, shaders, actions) {
    this.actions = actions;
    [this.canvas, this.ink] = root.querySelectorAll('canvas');
    this.heatmap = new Heatmap(this.canvas, shaders);
    this.cursor = null;
    this.reset();
    steer(this.canvas, () => this.actions.view().map, map => this.actions.view().set({ map }),
        () => LARGE_CELL * this.columns / this.box.width, {
          hover: (x, y) => this.#hover(x, y),
          leave: () => {
            this.cursor = null;
            this.actions.hover('');
          },
          click: () => {},
        });
  }

  reset() {
    this.columns = 0;
    this.bin = 1;
    this.box = { x: 0, y: 0, width: 1, height: 1 };
    this.shown = null;
    this.heatmap.shape(1, 1, 1, 'f16');
  }

  write({ firstRow, rows, columns, bin }, values) {
    if (firstRow === 0) {
      this.heatmap.shape(1, 1, columns, 'f16');
    } else if (columns > this.heatmap.slot) {
      const { slot, levels } = this.heatmap;
      this.heatmap.shape(1, 1, columns, 'f16');
      this.heatmap.write(0, 0, 1, 0, slot, slot, levels[0]);
    }
    this.heatmap.write(0, 0, 1, firstRow, rows, columns, values);
    this.columns = columns;
    this.bin = bin;
  }

  #locate(x, y) {
    return this.shown && locate(this.shown, 1, 1, x * devicePixelRatio, y * devicePixelRatio);
  }

  #hover(x, y) {
    this.cursor = [x, y];
    const at = this.#locate(x, y);
    const text = this.actions.text();
    if (at === null || text.source.causal && at.x > at.y) {
      this.actions.hover('');
      return;
    }
    const largest = this.bin > 1 ? `largest of ${this.bin} x ${this.bin}: ` : '';
    this.actions.hover(`${text.attention(at.y, at.x, this.bin)}, ${largest}p = `
        + number(this.heatmap.value(0, 0, at.y, at.x)));
  }

  draw() {
    const view = this.actions.view();
    const theme = palette();
    const { ink, width, height } = sheet(this.ink);
    const side = Math.max(1, Math.floor(Math.min(width - LEFT - RIGHT, height - 4 - BOTTOM)));
    this.box = { x: Math.round(LEFT + (width - LEFT - RIGHT - side) / 2), y: 4, width: side, height: side };
    place(this.canvas, this.box);
    if (this.columns === 0) {
      this.canvas.hidden = true;
      return;
    }
    this.canvas.hidden = false;
    const camera = view.map;
    const origin = [camera.x * side * camera.zoom, camera.y * side * camera.zoom];
    const range = view.range();
    this.shown = {
      origin: origin.map(at => at * devicePixelRatio), pitch: side * camera.zoom * devicePixelRatio, gap: 0,
      cells: this.columns, range, log: view.log, first: view.sink ? 0 : Math.min(1, this.columns - 1),
      missing: rgb(theme.hidden), hidden: rgb(theme.hidden), empty: rgb(theme.panel),
    };
    this.heatmap.draw(this.shown);
    outline(ink, theme.rule, 1, this.box.x, this.box.y, side, side);
    this.#labels(ink, theme, origin, side * camera.zoom / this.columns);
    this.#marks(ink, theme, view, origin, side * camera.zoom / this.columns);
    const bar = { x: this.box.x + side + 18, y: this.box.y + side * 0.1, width: 12, height: side * 0.8 };
    colorBar(ink, this.actions.colors(), bar, barMarks(range, view.log, value => fraction(value, range, view.log)), theme);
    if (this.cursor !== null) {
      this.#hover(...this.cursor);
    }
  }

  /** The first token of a cell names it. */
  #labels(ink, theme, origin, pitch) {
    const { box, bin } = this;
    const text = this.actions.text();
    const step = labelStep(pitch, TOKEN);
    const last = this.columns - 1;
    ink.fillStyle = theme.pale;
    for (let cell = 0; cell < this.columns; cell += step) {
      const at = (cell + 0.5) * pitch;
      const name = text.name(cell * bin);
      if (at >= origin[1] && at <= origin[1] + box.height && (cell === last || (last - cell) * pitch >= TOKEN)) {
        label(ink, shortened(ink, name, LEFT - 14), box.x - 6, box.y + at - origin[1], 'right');
      }
      if (at >= origin[0] && at <= origin[0] + box.width) {
        label(ink, shortened(ink, name, BOTTOM - 10), box.x + at - origin[0], box.y + box.height + 6, 'right', true);
      }
    }
    if (last % step !== 0) {
      const at = (last + 0.5) * pitch;
      if (at >= origin[1] && at <= origin[1] + box.height) {
        label(ink, shortened(ink, text.name(last * bin), LEFT - 14), box.x - 6, box.y + at - origin[1], 'right');
      }
    }
  }

  #marks(ink, theme, view, origin, pitch) {
    const { box } = this;
    ink.save();
    ink.beginPath();
    ink.rect(box.x - 2, box.y - 2, box.width + 4, box.height + 4);
    ink.clip();
    const row = (color, cell) => outline(ink, color, 1.5, box.x - origin[0], box.y + cell * pitch - origin[1],
        pitch * this.columns, pitch);
    row(theme.accent, this.columns - 1);
    if (view.token !== null) {
      const cell = Math.floor(view.token / this.bin);
      if (view.column) {
        outline(ink, theme.picked, 1.5, box.x + cell * pitch - origin[0], box.y - origin[1], pitch, pitch * this.columns);
      } else {
        row(theme.picked, cell);
      }
    }
    ink.restore();
  }
}
