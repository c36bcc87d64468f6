// The page of one or more runs: figures, a table of heads, numbers and settings. Text is only ever set as text.

/** A table whose columns sort by a click on their heading; numbers, and texts where a column has any. */
class SortedTable {
  constructor(parent, names, rows, kind = '') {
    Object.assign(this, { rows, kept: -1, by: -1, down: false });
    const scroll = element('div', parent, { class: 'scroll', tabindex: 0 });
    const table = element('table', scroll, { class: ('data ' + kind).trim() });
    const head = element('tr', element('thead', table));
    this.texts = names.map((_, column) => rows.some(row => typeof row[column] === 'string'));
    this.headings = names.map((name, column) => {
      const heading = element('th', head, { scope: 'col', class: this.texts[column] ? 'text' : '' });
      element('button', heading, { type: 'button', title: 'sort by ' + name }, name);
      heading.firstChild.addEventListener('click', () => this.sort(column));
      return heading;
    });
    this.body = element('tbody', table);
    this.lines = rows.map(row => {
      const line = element('tr', null);
      row.forEach((value, column) => element('td', line, { class: this.texts[column] ? 'text' : '', title: String(value) }, shown(value)));
      return line;
    });
    this.order = rows.map((_, i) => i);
    this.fill();
  }

  fill() { this.body.replaceChildren(...this.order.map(i => this.lines[i])); }

  sort(column) {
    this.down = this.by === column ? !this.down : false;
    this.by = column;
    const sign = this.down ? -1 : 1;
    this.order.sort((a, b) => {
      const one = this.rows[a][column], other = this.rows[b][column];
      if (typeof one === 'string') return sign * one.localeCompare(String(other)) || a - b;
      if (Number.isNaN(one) || Number.isNaN(other)) return Number.isNaN(one) - Number.isNaN(other) || a - b; // none is last
      return sign * (one - other) || a - b;
    });
    this.headings.forEach((heading, i) => {
      if (i === column) heading.setAttribute('aria-sort', this.down ? 'descending' : 'ascending');
      else heading.removeAttribute('aria-sort');
      heading.firstChild.textContent = heading.firstChild.title.slice('sort by '.length) + (i === column ? (this.down ? ' ▼' : ' ▲') : '');
    });
    this.fill();
  }

  keep(row, scroll) {
    this.lines[this.kept]?.classList.remove('kept');
    this.kept = row;
    this.lines[row]?.classList.add('kept');
    if (scroll) {
      const box = this.body.closest('.scroll');
      box.scrollTop = this.lines[row].offsetTop - box.clientHeight / 2;
    }
  }
}

/** One run: its panels and its table show the same head. */
class Run {
  constructor(parent, run) {
    this.run = run;
    this.panels = [];
    this.kept = null;
    const section = element('section', parent, { id: run.name });
    element('h2', section, {}, run.name);
    element('p', section, { class: 'command' });
    element('code', section.lastChild, {}, run.command);
    element('p', section, {}, run.legend);
    this.kept = run.figures[0]?.enlarged ?? null;
    for (const figure of run.figures) this.figure(section, figure);
    if (run.heads) this.table(section, run.heads);
    for (const table of run.tables) {
      element('h3', section, {}, table.title);
      new SortedTable(section, table.names, table.rows);
    }
    this.facts(section, run.manifest);
  }

  figure(section, figure) {
    const box = element('figure', section);
    for (const bar of figure.bars) bar.colors = data.colormaps[bar.colormap];
    if (figure.bars.length) {
      const bars = element('div', box, { class: 'bars' });
      figure.bars.forEach(bar => drawBar(bars, bar));
    }
    const lines = figure.panels[0].marks.filter(mark => mark.kind === 'line');
    if (lines.length) {
      const key = element('div', box, { class: 'key' });
      for (const line of lines) {
        const entry = element('span', key);
        element('i', entry).style.background = visible(line.color);
        entry.append(line.label);
      }
    }
    const grid = element('div', box, { class: 'panels' });
    grid.style.gridTemplateColumns = `repeat(${figure.columns}, minmax(0, 1fr))`;
    for (const panel of figure.panels) {
      panel.bar = figure.bars[panel.bar];
      for (const mark of panel.marks) if (mark.kind === 'heatmap') mark.values = numbers(mark.values, Float32Array);
      this.panels.push(new Panel(grid, panel, this));
    }
    if (figure.caption) element('figcaption', box, { class: 'caption' }, figure.caption);
  }

  table(section, heads) {
    this.names = heads.names;
    this.values = heads.columns.map(column => numbers(column, Float64Array));
    this.headsPerLayer = heads.heads;
    element('h3', section, {}, 'Heads');
    element('p', section, { class: 'caption' }, 'Layers and heads are counted from 0. Click a heading to sort, a row or a cell above to mark a head.');
    const rows = Array.from({ length: heads.layers * heads.heads },
        (_, i) => [Math.floor(i / heads.heads), i % heads.heads, ...this.values.map(column => column[i])]);
    this.sorted = new SortedTable(section, ['layer', 'head', ...heads.names], rows, 'heads');
    this.sorted.lines.forEach((line, i) => line.addEventListener('click', () => this.keep([rows[i][0], rows[i][1]], false)));
    if (this.kept) this.sorted.keep(this.kept[0] * heads.heads + this.kept[1], false);
  }

  /** Name and value of the columns that belong to a panel, for a head [layer, head]. */
  columns(key, [layer, head]) {
    if (!this.values) return [];
    const found = [];
    const belongs = (name, to) => name === to || name.startsWith(to + '_');
    const longer = this.panels.map(panel => panel.panel.key).filter(other => other.length > key.length);
    this.names.forEach((name, i) => {
      if (key === '' || belongs(name, key) && !longer.some(other => belongs(name, other))) {
        const short = key !== '' && name.startsWith(key + '_') ? name.slice(key.length + 1) : name;
        found.push([short.replaceAll('_', ' '), this.values[i][layer * this.headsPerLayer + head]]);
      }
    });
    return found;
  }

  hover(cell) {
    for (const panel of this.panels) if (panel.svg) panel.mark(panel.hovered, panel.heads ? cell : null);
  }

  keep(cell, scroll = true) {
    this.kept = cell;
    for (const panel of this.panels) if (panel.heads && panel.svg) panel.mark(panel.kept, cell);
    this.sorted?.keep(cell[0] * this.headsPerLayer + cell[1], scroll);
  }

  facts(section, manifest) {
    const groups = { Results: {}, Settings: {}, 'Model, texts and program': {}, Conventions: {} };
    const place = { settings: 'Settings', conventions: 'Conventions' };
    const origin = ['analysis', 'program', 'run', 'device', 'model', 'texts', 'tasks', 'text', 'times'];
    for (const [key, value] of Object.entries(manifest)) {
      if (['command', 'caption', 'check_caption'].includes(key)) continue;
      if (place[key]) groups[place[key]] = value;
      else groups[origin.includes(key) ? 'Model, texts and program' : 'Results'][key] = value;
    }
    for (const [title, values] of Object.entries(groups)) {
      if (!Object.keys(values).length) continue;
      const opened = title === 'Results';
      const box = opened ? section : element('details', section);
      element(opened ? 'h3' : 'summary', box, {}, title);
      this.list(box, values);
    }
  }

  list(parent, values) {
    let list = null;
    for (const [key, value] of Object.entries(values)) {
      const name = key.replaceAll('_', ' ');
      if (Array.isArray(value) && value.length && typeof value[0] === 'object') {
        list = null;
        element('p', parent, {}, name);
        const flat = value.map(entry => Object.fromEntries(flattened(entry)));
        const names = [...new Set(flat.flatMap(Object.keys))];
        new SortedTable(parent, names, flat.map(entry => names.map(column => entry[column] ?? '')));
        continue;
      }
      list ??= element('dl', parent, { class: 'facts' });
      for (const [path, one] of flattened({ [name]: value })) {
        element('dt', list, {}, path);
        element('dd', list, {}, shown(one));
      }
    }
  }
}

/** [path, value] of all values of an object; lists are joined. */
function flattened(object, prefix = '') {
  return Object.entries(object).flatMap(([key, value]) => {
    const path = prefix + key.replaceAll('_', ' ');
    if (Array.isArray(value)) return [[path, value.length ? value.map(one => typeof one === 'object' ? JSON.stringify(one) : shown(one)).join(', ') : 'none']];
    return value !== null && typeof value === 'object' ? flattened(value, path + ' · ') : [[path, value]];
  });
}

const data = JSON.parse(document.getElementById('data').textContent);
const page = document.getElementById('page');
element('h1', page, {}, data.title);
if (data.runs.length > 1) {
  const links = element('nav', page);
  for (const run of data.runs) element('a', links, { href: '#' + encodeURIComponent(run.name) }, run.name);
}
for (const run of data.runs) new Run(page, run);
