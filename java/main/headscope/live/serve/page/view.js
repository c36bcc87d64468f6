// How this viewer looks at the text: kept while the page is open, the theme also afterwards.

import { WHOLE } from './camera.js';

export const COLORMAPS = ['rocket', 'magma', 'inferno', 'viridis', 'cividis', 'turbo', 'jet', 'coolwarm'];

export class View {
  constructor(changed) {
    this.changed = changed;
    this.mode = 'maps'; // or 'metric': what a cell of the grid of layers x heads shows
    this.metric = null;
    this.colormap = 'magma';
    this.log = false;
    this.sink = true; // whether the first token's column is shown
    this.token = null; // picked in the text
    this.column = false; // the grid shows the attention that the picked token gets, not that which it pays
    this.grid = WHOLE;
    this.map = WHOLE;
    this.theme = localStorage.getItem('theme') ?? 'dark';
  }

  set(changes) {
    Object.assign(this, changes);
    localStorage.setItem('theme', this.theme);
    this.changed();
  }

  /** Ends of the colour map, for probabilities. */
  range() {
    return this.log ? [1e-4, 1] : [0, 1];
  }

  /** Pays, gets, nothing. */
  pick(token) {
    if (this.token !== token) {
      this.set({ token, column: false, mode: 'maps' });
    } else if (this.column) {
      this.set({ token: null });
    } else {
      this.set({ column: true, mode: 'maps' });
    }
  }
}
