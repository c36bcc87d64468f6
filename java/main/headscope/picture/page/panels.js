'use strict';

// Figures: heat maps on canvases, everything else as SVG in CSS pixels above them.

const SVG = 'http://www.w3.org/2000/svg';

function element(name, parent, attributes = {}, text) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  parent?.append(made);
  return made;
}

function shape(name, parent, attributes = {}, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}

/** Little-endian numbers in base 64. */
function numbers(text, type) {
  const bytes = Uint8Array.from(atob(text), character => character.charCodeAt(0));
  return new type(bytes.buffer);
}

function shown(value) {
  if (typeof value !== 'number') return String(value);
  if (Number.isNaN(value)) return 'none';
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) < 1e-4 ? value.toExponential(3) : String(Number(value.toPrecision(4)));
}

const ruler = document.createElement('canvas').getContext('2d');
ruler.font = '12px system-ui, sans-serif';
const width = text => ruler.measureText(text).width;

function color(colors, fraction) {
  if (Number.isNaN(fraction)) return 0xB3B3B3;
  return colors[Math.min(colors.length - 1, Math.max(0, Math.floor(fraction * colors.length)))];
}

/** Black lines have the colour of the text, which is light on a dark page. */
const visible = line => line === '#000000' ? 'var(--ink)' : line;

/** Every pixel has the colour of its cell; where cells are smaller than pixels, that of the largest value. */
function paint(canvas, map, bar) {
  const context = canvas.getContext('2d');
  const { width: w, height: h } = canvas;
  const image = context.createImageData(w, h);
  const pixels = new Uint32Array(image.data.buffer);
  const span = (i, size, cells) => {
    const first = Math.floor(i * cells / size);
    return [first, Math.max(first + 1, Math.floor((i + 1) * cells / size))];
  };
  const columns = Array.from({ length: w }, (_, x) => span(x, w, map.columns));
  for (let y = 0; y < h; y++) {
    const [top, bottom] = span(y, h, map.rows);
    for (let x = 0; x < w; x++) {
      const [left, right] = columns[x];
      let largest = NaN;
      for (let row = top; row < bottom; row++) {
        for (let column = left; column < right; column++) {
          const value = map.values[row * map.columns + column];
          if (!(value <= largest) && !Number.isNaN(value)) largest = value;
        }
      }
      const rgb = color(bar.colors, (largest - bar.min) / (bar.max - bar.min));
      pixels[y * w + x] = 0xff000000 | (rgb & 0xff) << 16 | rgb & 0xff00 | rgb >> 16;
    }
  }
  context.putImageData(image, 0, 0);
}

function place(canvas, left, top, w, h) {
  const dense = Math.max(2, window.devicePixelRatio);
  canvas.width = Math.max(1, Math.round(w * dense));
  canvas.height = Math.max(1, Math.round(h * dense));
  Object.assign(canvas.style, { left: left + 'px', top: top + 'px', width: w + 'px', height: h + 'px' });
}

/** A horizontal colour bar with its ticks and its label. */
function drawBar(parent, bar) {
  const box = element('div', parent, { class: 'bar' });
  const canvas = element('canvas', box);
  const w = Math.min(340, box.clientWidth) - 20;
  place(canvas, 10, 18, w, 10);
  paint(canvas, { rows: 1, columns: 256, values: Float32Array.from({ length: 256 }, (_, i) => bar.min + (i + .5) / 256 * (bar.max - bar.min)) }, bar);
  const svg = shape('svg', box);
  shape('text', svg, { x: 10, y: 12, class: 'label' }, bar.label);
  for (const [value, label] of bar.ticks) {
    const x = 10 + (value - bar.min) / (bar.max - bar.min) * w;
    shape('line', svg, { x1: x, x2: x, y1: 28, y2: 32, class: 'tick' });
    shape('text', svg, { x, y: 44, 'text-anchor': 'middle' }, label);
  }
}

const names = axis => axis.names ?? [];

/** Which token or tokens a cell of an axis has, and their names. */
function tokens(axis, cell) {
  if (!axis.tokens) return [axis.label, axis.names[cell]];
  const first = Math.floor(cell * axis.tokens / axis.count), last = Math.floor((cell + 1) * axis.tokens / axis.count) - 1;
  return first === last
      ? [`${axis.label} ${first}`, axis.names[cell]]
      : [`${axis.label}s ${first} to ${last}`, `${axis.names[cell]} … ${axis.last[cell]}`];
}

const across = 16; // CSS pixels between labels of neighbouring cells

/** The cells whose labels are shown: at most one in `across` pixels. */
function labelled(axis, length) {
  if (axis.names) {
    const step = Math.ceil(axis.count * across / Math.max(1, length));
    return axis.names.map((name, i) => [i, name]).filter(([i]) => i % step === 0);
  }
  const room = Math.max(1, Math.floor(length / (width('888') + 8)));
  const fits = Object.entries(axis.ticks).filter(([limit]) => Number(limit) <= room).pop();
  return (fits ?? Object.entries(axis.ticks)[0])[1];
}

/** One pair of axes in a box that it redraws when its width changes. */
class Panel {
  constructor(parent, panel, run) {
    Object.assign(this, { panel, run });
    const box = element('div', parent, { class: 'panel' });
    this.box = element('div', box, { class: 'plot', role: 'img', 'aria-label': panel.title || panel.y.label });
    this.map = panel.marks.find(mark => mark.kind === 'heatmap');
    this.heads = this.map && !panel.x.names && !panel.y.names;
    this.box.addEventListener('pointermove', event => this.point(event));
    this.box.addEventListener('pointerleave', () => { hint.hide(); this.run.hover(null); });
    this.box.addEventListener('click', event => this.click(event));
    this.draw();
    new ResizeObserver(() => this.draw()).observe(this.box);
  }

  draw() {
    const total = this.box.clientWidth;
    if (total === this.total) return;
    this.total = total;
    const { x, y, title } = this.panel;
    const longest = axis => Math.min(130, Math.max(0, ...names(axis).map(width)));
    const groups = axis => axis.groups?.length ? 26 : 0;
    const left = 24 + (this.map ? (y.names ? longest(y) + 8 : 26) : 44) + groups(y);
    const top = (title ? 24 : 8) + groups(x);
    const w = total - left - 8;
    const h = this.map ? Math.min(1.6, Math.max(.4, y.count / x.count)) * w : Math.min(340, .6 * w);
    const bottom = (x.names ? longest(x) + 8 : 20) + 24;
    this.plot = { left, top, w, h };
    const height = top + h + bottom;
    this.box.style.aspectRatio = `${total} / ${height}`;
    this.box.replaceChildren();
    if (this.map) {
      const canvas = element('canvas', this.box, { class: 'framed' });
      place(canvas, left, top, w, h);
      // in parts of the box, so that a printer, which draws nothing anew, can scale it
      Object.assign(canvas.style, { left: 100 * left / total + '%', top: 100 * top / height + '%', width: 100 * w / total + '%', height: 100 * h / height + '%' });
      paint(canvas, this.map, this.panel.bar);
    }
    this.svg = shape('svg', this.box, { viewBox: `0 0 ${total} ${height}` });
    if (title) {
      const heading = shape('text', this.svg, { x: left + w / 2, y: 14, 'text-anchor': 'middle', class: 'title' }, title);
      heading.style.fontSize = Math.min(14, 14 * w / (1.3 * width(title))) + 'px'; // never wider than the plot
    }
    shape('text', this.svg, { x: left + w / 2, y: top + h + bottom - 4, 'text-anchor': 'middle', class: 'label' }, x.label);
    shape('text', this.svg, { transform: `translate(12 ${top + h / 2}) rotate(-90)`, 'text-anchor': 'middle', class: 'label' }, y.label);
    if (this.map) this.cells(); else this.lines();
    if (!this.map) shape('rect', this.svg, { x: left, y: top, width: w, height: h, class: 'frame' });
    this.hovered = shape('rect', this.svg, { class: 'hover', visibility: 'hidden' });
    this.kept = shape('rect', this.svg, { class: 'kept', visibility: 'hidden' });
    if (this.heads) this.mark(this.kept, this.run.kept);
  }

  cells() {
    const { left, top, w, h } = this.plot;
    const { x, y } = this.panel;
    const cw = w / x.count, ch = h / y.count;
    const short = name => { let text = name; while (width(text) > 130) text = text.slice(0, -2) + '…'; return text; };
    for (const [i, label] of labelled(x, w)) {
      const at = left + (i + .5) * cw;
      if (x.names) shape('text', this.svg, { transform: `translate(${at + 4} ${top + h + 6}) rotate(-90)`, 'text-anchor': 'end' }, short(label));
      else shape('text', this.svg, { x: at, y: top + h + 16, 'text-anchor': 'middle' }, label);
    }
    for (const [i, label] of labelled(y, y.names ? h : 2 * h)) {
      shape('text', this.svg, { x: left - 6, y: top + (i + .5) * ch + 4, 'text-anchor': 'end' }, short(label));
    }
    for (const { label, start, end } of x.groups ?? []) {
      const from = left + start * cw + 2, to = left + end * cw - 2;
      shape('path', this.svg, { d: `M${from} ${top - 4}v-5H${to}v5`, class: 'frame' });
      shape('text', this.svg, { x: (from + to) / 2, y: top - 13, 'text-anchor': 'middle' }, label);
    }
    for (const { label, start, end } of y.groups ?? []) {
      const from = top + start * ch + 2, to = top + end * ch - 2, at = 44;
      shape('path', this.svg, { d: `M${at + 4} ${from}h-5V${to}h5`, class: 'frame' });
      shape('text', this.svg, { transform: `translate(${at - 6} ${(from + to) / 2}) rotate(-90)`, 'text-anchor': 'middle' }, label);
    }
    for (const mark of this.panel.marks) {
      if (mark.kind === 'markers') {
        for (const [row, column] of mark.cells) {
          shape('circle', this.svg, { cx: left + (column + .5) * cw, cy: top + (row + .5) * ch, r: Math.max(1, Math.min(4, cw / 6, ch / 6)), class: 'dot' });
        }
      }
      if (mark.kind === 'separators' && Math.min(cw, ch) > 5) {
        for (let i = 1; i < x.count; i++) shape('line', this.svg, { x1: left + i * cw, x2: left + i * cw, y1: top, y2: top + h, class: 'separator' });
        for (let i = 1; i < y.count; i++) shape('line', this.svg, { x1: left, x2: left + w, y1: top + i * ch, y2: top + i * ch, class: 'separator' });
      }
    }
  }

  lines() {
    const { left, top, w, h } = this.plot;
    const { x, y } = this.panel;
    this.px = value => left + (value - x.min) / (x.max - x.min) * w;
    this.py = value => top + h - (value - y.min) / (y.max - y.min) * h;
    for (const [value, label] of labelled(x, w)) {
      shape('line', this.svg, { x1: this.px(value), x2: this.px(value), y1: top, y2: top + h, class: 'grid' });
      shape('text', this.svg, { x: this.px(value), y: top + h + 16, 'text-anchor': 'middle' }, label);
    }
    for (const [value, label] of labelled(y, h)) {
      shape('line', this.svg, { x1: left, x2: left + w, y1: this.py(value), y2: this.py(value), class: 'grid' });
      shape('text', this.svg, { x: left - 6, y: this.py(value) + 4, 'text-anchor': 'end' }, label);
    }
    for (const line of this.panel.marks) {
      const points = line.x.map((value, i) => [this.px(value), this.py(line.y[i])]);
      shape('polyline', this.svg, { points: points.join(' '), fill: 'none', stroke: visible(line.color), 'stroke-width': 2 });
      if (line.dotted) for (const [cx, cy] of points) shape('circle', this.svg, { cx, cy, r: 3, fill: visible(line.color) });
    }
  }

  /** Frames a cell [row, column], or none. */
  mark(rect, cell) {
    rect.setAttribute('visibility', cell ? 'visible' : 'hidden');
    if (!cell) return;
    const { left, top, w, h } = this.plot;
    const { x, y } = this.panel;
    const attributes = { x: left + cell[1] / x.count * w, y: top + cell[0] / y.count * h, width: w / x.count, height: h / y.count };
    for (const [key, value] of Object.entries(attributes)) rect.setAttribute(key, value);
  }

  at(event) {
    const box = this.box.getBoundingClientRect();
    const scale = this.total / box.width;
    const across = ((event.clientX - box.left) * scale - this.plot.left) / this.plot.w;
    const down = ((event.clientY - box.top) * scale - this.plot.top) / this.plot.h;
    return across >= 0 && across < 1 && down >= 0 && down < 1 ? { across, down } : null;
  }

  point(event) {
    const at = this.plot && this.at(event);
    if (!at) { hint.hide(); this.run.hover(null); return; }
    if (!this.map) { this.pointLine(at, event); return; }
    const { x, y, title, bar } = this.panel;
    const cell = [Math.floor(at.down * y.count), Math.floor(at.across * x.count)];
    const value = this.map.values[Math.floor(at.down * this.map.rows) * this.map.columns + Math.floor(at.across * this.map.columns)];
    const quantity = bar.label || 'value';
    if (!this.heads) {
      this.mark(this.hovered, cell);
      hint.show(event, title, [tokens(y, cell[0]), tokens(x, cell[1]), [quantity, value]]);
      return;
    }
    this.run.hover(cell);
    const from0 = x.first === 0 ? '' : ` (${cell[0]}.${cell[1]} counted from 0)`;
    hint.show(event, `${title ? title + ': ' : ''}layer ${cell[0] + y.first}, head ${cell[1] + x.first}${from0}`,
        [[quantity, value], ...this.run.columns(this.panel.key, cell).filter(([, other]) => this.panel.key === '' || Math.fround(other) !== value)]);
  }

  pointLine(at, event) {
    const { x } = this.panel;
    const lines = this.panel.marks;
    const value = x.min + at.across * (x.max - x.min);
    const all = [...new Set(lines.flatMap(line => line.x))];
    const nearest = all.reduce((best, next) => Math.abs(next - value) < Math.abs(best - value) ? next : best);
    hint.show(event, `${x.label}: ${shown(nearest)}`, lines.filter(line => line.x.includes(nearest))
        .map(line => [line.label, line.y[line.x.indexOf(nearest)]]));
  }

  click(event) {
    const at = this.heads && this.at(event);
    if (at) this.run.keep([Math.floor(at.down * this.panel.y.count), Math.floor(at.across * this.panel.x.count)]);
  }
}

/** The one box with the values under the pointer. */
const hint = {
  box: null,
  show(event, title, rows) {
    this.box ??= element('div', document.body, { id: 'hint', role: 'status' });
    this.box.replaceChildren();
    element('b', this.box, {}, title);
    const table = element('table', this.box);
    for (const [name, value] of rows) {
      const row = element('tr', table);
      element('td', row, {}, name);
      element('td', row, {}, shown(value));
    }
    this.box.hidden = false;
    const { offsetWidth: w, offsetHeight: h } = this.box;
    const right = event.clientX + 18 + w < window.innerWidth;
    this.box.style.left = Math.max(4, right ? event.clientX + 18 : event.clientX - 18 - w) + 'px';
    this.box.style.top = Math.max(4, Math.min(event.clientY + 12, window.innerHeight - h - 4)) + 'px';
  },
  hide() { if (this.box) this.box.hidden = true; },
};
