// The text so far, as its frames add up.

export class LiveText {
  /** @param source what all frames of the stream have in common */
  constructor(source) {
    this.source = source;
    this.clear();
  }

  clear() {
    this.header = null;
    this.tokens = [];
    this.changedFrom = 0; // position of the first token that may differ from what is on show
    this.metrics = new Map();
    this.chosen = null;
    this.eigenvalues = new Float32Array();
    this.cells = 0;
  }

  /**
   * Adds the next frame; the values of maps go to the views.
   *
   * @param atlas {reset(), write(block, columns, values)}
   * @param map {write(chosen, values)}
   */
  add({ header, section }, atlas, map) {
    const { layers, heads, metrics, cellFormat } = this.source;
    if (this.header === null || this.header.text !== header.text) {
      this.clear();
      atlas.reset();
      map.reset();
    } else if (this.header.bin !== header.bin) {
      atlas.reset();
    }
    this.tokens.length = header.firstToken;
    this.changedFrom = Math.min(this.changedFrom, header.firstToken);
    this.tokens.push(...header.tokens);
    for (const { key } of metrics) {
      if (header.metrics[key] !== undefined) {
        this.metrics.set(key, section(header.metrics[key], layers * heads, 'f32'));
      }
    }
    for (const block of header.atlas) {
      atlas.write(block, header.cells, section(block.offset, heads * block.rows * header.cells, cellFormat));
    }
    if (header.chosen !== undefined) {
      const { rows, columns, offset, eigenvalues, eigenvalueCount } = header.chosen;
      this.eigenvalues = section(eigenvalues, eigenvalueCount, 'f32');
      map.write(header.chosen, section(offset, rows * columns, 'f16'));
      this.chosen = header.chosen;
    }
    this.header = header;
  }

  name(token) {
    return this.tokens[token]?.[1] ?? '';
  }

  /** The tokens of a cell, such as "boria (3)", or "boria (8) to is (15)". */
  cellName(cell, bin) {
    const first = cell * bin;
    const last = Math.min(this.tokens.length, first + bin) - 1;
    const one = token => `${this.name(token)} (${token})`;
    return last > first ? `${one(first)} to ${one(last)}` : one(first);
  }

  /** Which tokens attend to which: those of two cells. */
  attention(query, key, bin) {
    const several = Math.min(this.tokens.length, query * bin + bin) - 1 > query * bin;
    return `${this.cellName(query, bin)} ${several ? 'attend' : 'attends'} to ${this.cellName(key, bin)}`;
  }

  value(metric, layer, head) {
    return this.metrics.get(metric)?.[layer * this.source.heads + head] ?? NaN;
  }
}
