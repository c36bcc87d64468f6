// A grid of square maps (layers x heads, or a single map) drawn by WebGL2 with shaders/cells.*. Needs no other module.

const FORMATS = {
  // values of 0 to 1 in steps of 1/255
  u8: { array: Uint8Array, internal: 'R8', type: 'UNSIGNED_BYTE', decode: value => value / 255 },
  // half precision, not negative: the bits compare like the numbers
  f16: { array: Uint16Array, internal: 'R16F', type: 'HALF_FLOAT', decode: half },
  f32: { array: Float32Array, internal: 'R32F', type: 'FLOAT', decode: value => value },
};

const PRECISIONS = '#version 300 es\nprecision highp float;\nprecision highp int;\nprecision highp sampler2D;\n'
    + 'precision highp sampler2DArray;\n';

/** The number that 16 bits stand for in IEEE 754 half precision. */
export function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = bits >> 10 & 31;
  const fraction = bits & 1023;
  if (exponent === 31) {
    return fraction ? NaN : sign * Infinity;
  }
  return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24);
}

/** NaN if either is. */
function larger(a, b) {
  return a > b || a !== a ? a : b;
}

/** Whether this browser can draw. */
export function supported() {
  return document.createElement('canvas').getContext('webgl2') !== null;
}

/**
 * Which cell a point lies on.
 *
 * @param view of {@link Heatmap#draw}
 * @param x, y in pixels of the canvas
 * @return map's row and column in the grid, cell's row and column in the map; null between maps and beyond the grid
 */
export function locate(view, columns, rows, x, y) {
  const across = (view.origin[0] + x) / view.pitch;
  const down = (view.origin[1] + y) / view.pitch;
  const column = Math.floor(across);
  const row = Math.floor(down);
  const side = view.pitch - view.gap;
  const cellX = (across - column) * view.pitch / side * view.cells;
  const cellY = (down - row) * view.pitch / side * view.cells;
  if (column < 0 || row < 0 || column >= columns || row >= rows || cellX >= view.cells || cellY >= view.cells) {
    return null;
  }
  return { row, column, y: Math.floor(cellY), x: Math.floor(cellX) };
}

export class Heatmap {
  /** @param shaders {vertex, fragment}: the texts of cells.vert and cells.frag */
  constructor(canvas, shaders) {
    this.canvas = canvas;
    this.shaders = shaders;
    this.gl = canvas.getContext('webgl2', { antialias: false, depth: false, alpha: false, preserveDrawingBuffer: true });
    if (this.gl === null) {
      throw new Error('This browser has no WebGL2');
    }
    this.colors = new Uint8Array([0, 0, 0, 255, 255, 255]);
    this.#build();
    this.shape(1, 1, 1, 'f32');
    this.onrestored = () => {};
    canvas.addEventListener('webglcontextlost', event => event.preventDefault());
    canvas.addEventListener('webglcontextrestored', () => {
      this.#build();
      this.colormap(this.colors);
      this.#allocate();
      this.#uploadAll();
      this.onrestored();
    });
  }

  #build() {
    const gl = this.gl;
    this.program = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, this.shaders.vertex], [gl.FRAGMENT_SHADER, this.shaders.fragment]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text.replace(/^#version.*\n/, PRECISIONS));
      gl.compileShader(shader);
      gl.attachShader(this.program, shader);
    }
    gl.linkProgram(this.program);
    if (!gl.getProgramParameter(this.program, gl.LINK_STATUS) && !gl.isContextLost()) {
      const logs = gl.getAttachedShaders(this.program).map(shader => gl.getShaderInfoLog(shader));
      throw new Error([gl.getProgramInfoLog(this.program), ...logs].join('\n'));
    }
    gl.useProgram(this.program);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    this.uniforms = new Proxy({}, {
      get: (known, name) => known[name] ??= gl.getUniformLocation(this.program, name),
    });
    gl.uniform1i(this.uniforms.u_values, 0);
    gl.uniform1i(this.uniforms.u_colors, 1);
    this.values = null;
    this.colorTexture = gl.createTexture();
  }

  /** @param rgb three bytes per colour, from the lowest to the highest value */
  colormap(rgb) {
    const gl = this.gl;
    this.colors = rgb;
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D, this.colorTexture);
    gl.pixelStorei(gl.UNPACK_ROW_LENGTH, 0);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGB8, rgb.length / 3, 1, 0, gl.RGB, gl.UNSIGNED_BYTE, rgb);
    this.#nearest(gl.TEXTURE_2D, gl.NEAREST);
  }

  #nearest(target, minification) {
    const gl = this.gl;
    gl.texParameteri(target, gl.TEXTURE_MIN_FILTER, minification);
    gl.texParameteri(target, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    gl.texParameteri(target, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(target, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
  }

  /**
   * Makes room for maps of zeros.
   *
   * @param columns, rows maps of the grid
   * @param side cells of a map on each side, at most
   * @param format u8, f16 or f32
   */
  shape(columns, rows, side, format) {
    const limit = this.gl.getParameter(this.gl.MAX_TEXTURE_SIZE);
    const slot = 2 ** Math.ceil(Math.log2(side));
    if (slot > limit) {
      throw new Error(`${side} cells a side: this browser draws at most ${limit}`);
    }
    const across = Math.min(columns, Math.floor(limit / slot));
    const height = Math.ceil(columns / across) * slot;
    if (height > limit || rows > this.gl.getParameter(this.gl.MAX_ARRAY_TEXTURE_LAYERS)) {
      throw new Error(`${rows} x ${columns} maps of ${side} x ${side} cells are more than this browser can draw`);
    }
    Object.assign(this, { columns, rows, side, slot, across, height, width: across * slot });
    this.format = FORMATS[format];
    this.levels = [];
    for (let level = 0; level <= Math.log2(slot); level++) {
      this.levels.push(new this.format.array(rows * (this.width >> level) * (height >> level)));
    }
    this.#allocate();
    this.#uploadAll();
  }

  #allocate() {
    const gl = this.gl;
    if (this.values !== null) {
      gl.deleteTexture(this.values);
    }
    this.values = gl.createTexture();
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, this.values);
    gl.texStorage3D(
        gl.TEXTURE_2D_ARRAY, this.levels.length, gl[this.format.internal], this.width, this.height, this.rows);
    this.#nearest(gl.TEXTURE_2D_ARRAY, gl.NEAREST_MIPMAP_NEAREST);
  }

  #uploadAll() {
    for (let row = 0; row < this.rows; row++) {
      this.levels.forEach((_, level) => this.#upload(row, level, 0, 0, this.width >> level, this.height >> level));
    }
  }

  #upload(row, level, x, y, width, height) {
    const gl = this.gl;
    const stride = this.width >> level;
    gl.activeTexture(gl.TEXTURE0);
    gl.pixelStorei(gl.UNPACK_ROW_LENGTH, stride);
    gl.texSubImage3D(gl.TEXTURE_2D_ARRAY, level, x, y, row, width, height, 1, gl.RED, gl[this.format.type],
        this.levels[level], (row * (this.height >> level) + y) * stride + x);
  }

  /**
   * Replaces the first cells of some rows of neighbouring maps.
   *
   * @param row of the grid
   * @param column of the first map
   * @param first the first row of cells
   * @param values [maps, rows, width], in the format's own bits
   */
  write(row, column, maps, first, rows, width, values) {
    for (let map = 0; map < maps; map++) {
      const left = (column + map) % this.across * this.slot;
      const top = Math.floor((column + map) / this.across) * this.slot;
      for (let y = 0; y < rows; y++) {
        const from = (map * rows + y) * width;
        this.levels[0].set(
            values.subarray(from, from + width), (row * this.height + top + first + y) * this.width + left);
      }
      this.#pool(row, left, top, first, first + rows, width);
    }
    const top = Math.floor(column / this.across) * this.slot;
    const bottom = Math.floor((column + maps - 1) / this.across) * this.slot;
    if (top === bottom) {
      const left = column % this.across * this.slot;
      this.levels.forEach((_, level) => {
        const y = top + first >> level;
        const end = (top + first + rows - 1 >> level) + 1;
        this.#upload(row, level, left >> level, y, (maps - 1) * (this.slot >> level) + (width - 1 >> level) + 1, end - y);
      });
    } else {
      this.levels.forEach((_, level) =>
        this.#upload(row, level, 0, top >> level, this.width >> level, bottom + this.slot - top >> level));
    }
  }

  /** The largest of 2 x 2 cells, level by level. */
  #pool(row, left, top, first, end, width) {
    for (let level = 1; level < this.levels.length; level++) {
      const fine = this.levels[level - 1];
      const coarse = this.levels[level];
      const stride = this.width >> level;
      const columns = (width - 1 >> level) + 1;
      for (let y = top + first >> level; y <= top + end - 1 >> level; y++) {
        const above = (row * (this.height >> level - 1) + 2 * y) * 2 * stride + (left >> level - 1);
        const to = (row * (this.height >> level) + y) * stride + (left >> level);
        for (let x = 0; x < columns; x++) {
          const a = above + 2 * x;
          const b = a + 2 * stride;
          coarse[to + x] = larger(larger(fine[a], fine[a + 1]), larger(fine[b], fine[b + 1]));
        }
      }
    }
  }

  /** The number in a cell. */
  value(row, column, y, x) {
    const left = column % this.across * this.slot;
    const top = Math.floor(column / this.across) * this.slot;
    return this.format.decode(this.levels[0][(row * this.height + top + y) * this.width + left + x]);
  }

  /**
   * Draws the visible part on the whole canvas.
   *
   * @param view origin: where the canvas's top left lies on the zoomed grid; pitch: from one map to the next, gap: of this
   *   between maps; all in pixels. cells: shown of each map, a side. range: the values at the ends of the colour map, above 0
   *   if log. first: the first column shown. line: the column and the row that alone fill a map, or -1. missing: colour of
   *   NaN, hidden: of the columns before first, empty: between maps; [red, green, blue] from 0 to 1
   */
  draw(view) {
    const { gl, uniforms } = this;
    if (gl.isContextLost()) {
      return;
    }
    const { width, height } = this.canvas;
    gl.viewport(0, 0, width, height);
    gl.uniform4f(uniforms.u_box, 0, 0, width, height);
    gl.uniform2f(uniforms.u_canvas, width, height);
    gl.uniform2f(uniforms.u_origin, ...view.origin);
    gl.uniform2i(uniforms.u_grid, this.columns, this.rows);
    gl.uniform1f(uniforms.u_pitch, view.pitch);
    gl.uniform1f(uniforms.u_gap, view.gap);
    gl.uniform3i(uniforms.u_slots, this.slot, this.across, this.levels.length - 1);
    gl.uniform1i(uniforms.u_cells, view.cells);
    gl.uniform1i(uniforms.u_first, view.first ?? 0);
    gl.uniform2i(uniforms.u_line, ...(view.line ?? [-1, -1]));
    gl.uniform2f(uniforms.u_range, ...view.range);
    gl.uniform1i(uniforms.u_log, view.log ? 1 : 0);
    gl.uniform3f(uniforms.u_missing, ...view.missing);
    gl.uniform3f(uniforms.u_hidden, ...(view.hidden ?? view.empty));
    gl.uniform3f(uniforms.u_empty, ...view.empty);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, this.values);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  }
}
