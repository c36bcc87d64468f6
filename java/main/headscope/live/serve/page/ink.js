// Labels, rules and marks on a canvas, in pixels of the page.

export const FONT = 'Roboto, "DejaVu Sans", sans-serif';

/** The theme's colours, by name. */
export function palette() {
  const style = getComputedStyle(document.documentElement);
  return new Proxy({}, { get: (_, name) => style.getPropertyValue(`--${name}`).trim() });
}

/** @param css colour #rrggbb @return [red, green, blue] from 0 to 1 */
export function rgb(css) {
  return [1, 3, 5].map(at => parseInt(css.slice(at, at + 2), 16) / 255);
}

/** Empties a canvas that fills its parent, at the screen's resolution. */
export function sheet(canvas) {
  const width = canvas.parentElement.clientWidth;
  const height = canvas.parentElement.clientHeight;
  const scale = devicePixelRatio;
  fit(canvas, width, height);
  const ink = canvas.getContext('2d');
  ink.setTransform(scale, 0, 0, scale, 0, 0);
  ink.clearRect(0, 0, width, height);
  ink.font = `11px ${FONT}`;
  return { ink, width, height };
}

/** Gives a canvas as many pixels as the screen shows of it. */
export function fit(canvas, width, height) {
  const pixels = [Math.max(1, Math.round(width * devicePixelRatio)), Math.max(1, Math.round(height * devicePixelRatio))];
  if (canvas.width !== pixels[0] || canvas.height !== pixels[1]) {
    [canvas.width, canvas.height] = pixels;
  }
}

/** Puts a canvas of cells at a place in its parent. */
export function place(canvas, { x, y, width, height }) {
  Object.assign(canvas.style, { left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` });
  fit(canvas, width, height);
}

/** Every how many labels one fits: 1, 2, 5, 10, ... @param pitch from one to the next @param size of a label */
export function labelStep(pitch, size) {
  for (let decade = 1; ; decade *= 10) {
    for (const step of [decade, 2 * decade, 5 * decade]) {
      if (step * pitch >= size) {
        return step;
      }
    }
  }
}

/** A text that is cut at this width. */
export function shortened(ink, text, width) {
  if (ink.measureText(text).width <= width) {
    return text;
  }
  const letters = Array.from(text);
  while (letters.length > 1 && ink.measureText(letters.join('') + '…').width > width) {
    letters.pop();
  }
  return letters.join('') + '…';
}

/** A text whose end, start or middle lies at a point; turned: reads upwards. */
export function label(ink, text, x, y, align, turned = false) {
  ink.save();
  ink.translate(x, y);
  if (turned) {
    ink.rotate(-Math.PI / 2);
  }
  ink.textAlign = align;
  ink.textBaseline = 'middle';
  ink.fillText(text, 0, 0.5);
  ink.restore();
}

/** A frame around a box. */
export function outline(ink, color, width, x, y, w, h) {
  ink.strokeStyle = color;
  ink.lineWidth = width;
  ink.strokeRect(x - width / 2, y - width / 2, w + width, h + width);
}

/** Round numbers within a range, about this many. */
export function ticks(low, high, count) {
  const raw = (high - low) / Math.max(1, count);
  const decade = 10 ** Math.floor(Math.log10(raw));
  const step = decade * [1, 2, 5, 10].find(factor => factor * decade >= raw * 0.999);
  const values = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) {
    values.push(i * step);
  }
  return { values, text: value => value.toFixed(Math.max(0, -Math.floor(Math.log10(step) + 1e-9))).replace('-', '−') };
}

/** A number for people: four significant digits. */
export function number(value) {
  return Number.isFinite(value) ? String(Number(value.toPrecision(4))).replace('-', '−') : 'unknown';
}

/** The colours of a range, beside a map. @param colors three bytes per colour @param marks {values, text, at(value): 0 to 1} */
export function colorBar(ink, colors, box, marks, theme) {
  const count = colors.length / 3;
  for (let y = 0; y < box.height; y++) {
    const index = Math.min(count - 1, Math.floor((1 - (y + 0.5) / box.height) * count));
    ink.fillStyle = `rgb(${colors[3 * index]} ${colors[3 * index + 1]} ${colors[3 * index + 2]})`;
    ink.fillRect(box.x, box.y + y, box.width, 1.5);
  }
  outline(ink, theme.rule, 1, box.x, box.y, box.width, box.height);
  ink.fillStyle = theme.pale;
  for (const value of marks.values) {
    const y = box.y + (1 - marks.at(value)) * box.height;
    ink.fillRect(box.x + box.width, y - 0.5, 4, 1);
    label(ink, marks.text(value), box.x + box.width + 7, y, 'left');
  }
}

/** Marks of a colour bar: round numbers, or powers of ten. */
export function barMarks([low, high], log, at) {
  if (!log) {
    return { ...ticks(low, high, 6), at };
  }
  const values = [];
  for (let power = Math.ceil(Math.log10(low) - 1e-9); 10 ** power <= high * 1.0001; power++) {
    values.push(10 ** power);
  }
  return { values, text: value => String(Number(value.toPrecision(1))), at };
}
