// All heads: a grid of layers x heads, of maps or of one colour each.

import { steer } from './camera.js';
import { fraction } from './colormap.js';
import { Heatmap, locate } from './heatmap.js';
import { barMarks, colorBar, label, labelStep, number, outline, palette, place, rgb, sheet } from './ink.js';

const LEFT = 58;
const RIGHT = 76;
const BOTTOM = 46;
const LARGE_CELL = 48; // of a map when zoomed

export class Atlas {
  /** @param actions view(), colors(), text(), pick(layer, head), hover(line) */
  constructor(root, shaders, actions) {
    this.actions = actions;
    this.root = root;
    [this.mapCanvas, this.valueCanvas, this.ink] = root.querySelectorAll('canvas');
    this.maps = new Heatmap(this.mapCanvas, shaders);
    this.values = new Heatmap(this.valueCanvas, shaders);
    this.shown = null;
    this.cursor = null;
    for (const canvas of [this.mapCanvas, this.valueCanvas]) {
      steer(canvas, () => this.actions.view().grid, grid => this.actions.view().set({ grid }), () => this.#maxZoom(), {
        hover: (x, y) => this.#hover(x, y),
        leave: () => this.#leave(),
        click: (x, y) => {
          const at = this.#locate(x, y);
          if (at !== null) {
            this.actions.pick(at.row, at.column);
          }
        },
      });
    }
  }

  source(source) {
    Object.assign(this, { layers: source.layers, heads: source.heads, side: source.side, format: source.cellFormat });
    this.values.shape(this.heads, this.layers, 1, 'f32');
    this.reset();
  }

  reset() {
    this.maps.shape(this.heads, this.layers, this.side, this.format);
  }

  write(block, columns, values) {
    this.maps.write(block.layer, 0, this.heads, block.firstRow, block.rows, columns, values);
  }

  #maxZoom() {
    return this.actions.view().mode === 'maps' ? LARGE_CELL * this.#cells() / this.pitch : LARGE_CELL * 4 / this.pitch;
  }

  #cells() {
    return Math.max(1, this.actions.text().header?.cells ?? 1);
  }

  #locate(x, y) {
    return this.shown && locate(this.shown, this.heads, this.layers, x * devicePixelRatio, y * devicePixelRatio);
  }

  #hover(x, y) {
    this.cursor = [x, y];
    const at = this.#locate(x, y);
    this.actions.hover(at === null ? '' : this.#describe(at));
  }

  #leave() {
    this.cursor = null;
    this.actions.hover('');
  }

  #describe({ row, column, x, y }) {
    const view = this.actions.view();
    const text = this.actions.text();
    const head = `layer ${row}, head ${column}`;
    if (text.header === null) {
      return head;
    }
    if (view.mode === 'metric') {
      return `${head}: ${view.metric} = ${number(text.value(view.metric, row, column))}`;
    }
    const line = this.#line();
    const query = line[1] >= 0 ? line[1] : y;
    const key = line[0] >= 0 ? line[0] : x;
    if (text.source.causal && key > query) {
      return head;
    }
    const { bin } = text.header;
    return `${head}: ${text.attention(query, key, bin)}, p = `
        + number(this.maps.value(row, column, query, key));
  }

  /** The column and the row of cells that alone fill a map. */
  #line() {
    const { token, column } = this.actions.view();
    const text = this.actions.text();
    if (token === null || text.header === null) {
      return [-1, -1];
    }
    const cell = Math.floor(token / text.header.bin);
    return column ? [cell, -1] : [-1, cell];
  }

  /** @param chosen layer and head, or null */
  draw(chosen) {
    const view = this.actions.view();
    const theme = palette();
    const { ink, width, height } = sheet(this.ink);
    const pitch = Math.min((width - LEFT - RIGHT) / this.heads, (height - 4 - BOTTOM) / this.layers);
    this.pitch = pitch >= 2 ? Math.floor(pitch) : Math.max(0.1, pitch);
    const box = { width: Math.max(1, this.pitch * this.heads), height: Math.max(1, this.pitch * this.layers), y: 4 };
    box.x = Math.round(LEFT + Math.max(0, width - LEFT - RIGHT - box.width) / 2);
    const maps = view.mode === 'maps';
    this.mapCanvas.hidden = !maps;
    this.valueCanvas.hidden = maps;
    const heatmap = maps ? this.maps : this.values;
    place(heatmap.canvas, box);
    const zoomed = this.pitch * view.grid.zoom;
    const gap = this.pitch < 4 ? 0 : Math.round(Math.min(2, this.pitch / 10) * devicePixelRatio);
    const range = maps ? view.range() : this.#upload(view.metric);
    this.shown = {
      origin: [view.grid.x * box.width * view.grid.zoom, view.grid.y * box.height * view.grid.zoom]
          .map(at => at * devicePixelRatio),
      pitch: zoomed * devicePixelRatio, gap, cells: maps ? this.#cells() : 1, range, log: maps && view.log,
      first: maps && !view.sink && this.#line()[0] !== 0 ? Math.min(1, this.#cells() - 1) : 0,
      line: maps ? this.#line() : [-1, -1],
      missing: rgb(theme.hidden), hidden: rgb(theme.hidden), empty: rgb(theme.panel),
    };
    heatmap.draw(this.shown);
    this.#labels(ink, theme, box, zoomed, view.grid);
    if (chosen !== null) {
      this.#mark(ink, theme, box, zoomed, view.grid, chosen);
    }
    if (!maps) {
      const bar = { x: box.x + box.width + 18, y: box.y + box.height * 0.1, width: 12, height: box.height * 0.8 };
      colorBar(ink, this.actions.colors(), bar, barMarks(range, false, value => fraction(value, range, false)), theme);
    }
    if (this.cursor !== null) {
      this.#hover(...this.cursor);
    }
  }

  /** @return the smallest and the largest value */
  #upload(metric) {
    const values = this.actions.text().metrics.get(metric);
    if (values === undefined) {
      return [0, 1];
    }
    let low = Infinity;
    let high = -Infinity;
    for (let layer = 0; layer < this.layers; layer++) {
      const row = values.subarray(layer * this.heads, (layer + 1) * this.heads);
      this.values.write(layer, 0, this.heads, 0, 1, 1, row);
      for (const value of row) {
        low = value < low ? value : low;
        high = value > high ? value : high;
      }
    }
    return low < high ? [low, high] : low === high ? [low - 0.5, high + 0.5] : [0, 1];
  }

  #labels(ink, theme, box, zoomed, camera) {
    ink.fillStyle = theme.pale;
    const side = zoomed;
    const visible = (at, start, length) => at >= start - 1 && at <= start + length + 1;
    const rows = labelStep(zoomed, 14);
    for (let layer = 0; layer < this.layers; layer += rows) {
      const y = box.y + layer * zoomed + side / 2 - camera.y * box.height * camera.zoom;
      if (visible(y, box.y, box.height)) {
        label(ink, String(layer), box.x - 8, y, 'right');
      }
    }
    const columns = labelStep(zoomed, 22);
    for (let head = 0; head < this.heads; head += columns) {
      const x = box.x + head * zoomed + side / 2 - camera.x * box.width * camera.zoom;
      if (visible(x, box.x, box.width)) {
        label(ink, String(head), x, box.y + box.height + 11, 'center');
      }
    }
    ink.font = ink.font.replace('11px', '12px');
    label(ink, 'Head', box.x + box.width / 2, box.y + box.height + 30, 'center');
    label(ink, 'Layer', box.x - 40, box.y + box.height / 2, 'center', true);
  }

  #mark(ink, theme, box, zoomed, camera, { layer, head }) {
    const gap = this.shown.gap / devicePixelRatio;
    ink.save();
    ink.beginPath();
    ink.rect(box.x - 2, box.y - 2, box.width + 4, box.height + 4);
    ink.clip();
    outline(ink, theme.accent, 2, box.x + head * zoomed - camera.x * box.width * camera.zoom,
        box.y + layer * zoomed - camera.y * box.height * camera.zoom, zoomed - gap, zoomed - gap);
    ink.restore();
  }
}
