// Connects the parts of the page.

import { Atlas } from './atlas.js';
import { WHOLE } from './camera.js';
import { parseColormap } from './colormap.js';
import { Connection } from './connection.js';
import { supported } from './heatmap.js';
import { ImagePage } from './images.js';
import { number } from './ink.js';
import { ask, bindKeys } from './keys.js';
import { ChosenMap } from './map.js';
import { Plot, ranks } from './plot.js';
import { save } from './save.js';
import { drawStatus } from './status.js';
import { LiveText } from './text.js';
import { COLORMAPS, View } from './view.js';
import { Words } from './words.js';

const NOTICE = 6; // seconds
const TOKENS_PER_MOVE = 10;

const element = id => document.getElementById(id);
const say = (id, text) => {
  if (element(id).textContent !== text) {
    element(id).textContent = text;
  }
};

async function file(path) {
  const answer = await fetch(path);
  if (!answer.ok) {
    throw new Error(`${path}: ${answer.status}`);
  }
  return answer.text();
}

/** Shows a line, until another one or for some seconds. */
function notice(text, seconds = Infinity) {
  element('notice').hidden = text === '';
  say('notice', text);
  clearTimeout(notice.end);
  if (seconds < Infinity) {
    notice.end = setTimeout(() => notice(''), 1000 * seconds);
  }
}

async function start() {
  const token = location.hash.slice(1);
  if (token === '') {
    notice('The token is missing from the address, the part after #: open the address that headscope printed.');
    return;
  }
  if (!supported()) {
    new ImagePage(token, notice);
    return;
  }
  const [vertex, fragment, ...maps] = await Promise.all(
      ['shaders/cells.vert', 'shaders/cells.frag', ...COLORMAPS.map(name => `colormaps/${name}.csv`)].map(file));
  new Page(token, { vertex, fragment }, new Map(COLORMAPS.map((name, i) => [name, parseColormap(maps[i])])));
}

class Page {
  constructor(token, shaders, colormaps) {
    this.colormaps = colormaps;
    this.text = null;
    this.dropped = 0;
    this.millis = 0;
    this.lost = null;
    this.unconfirmed = 0;
    this.curve = { tokens: [], values: [] };
    this.receivers = {
      source: message => this.begin(message),
      curve: message => this.past(message),
      dropped: message => this.missed(message),
      prompt: message => {
        element('prompt-text').value = message.prompt;
      },
      recording: ({ file }) => {
        element('record').setAttribute('aria-pressed', file !== '');
        element('record').title = file === '' ? 'Record on the server' : `Recorded in ${file} on the server`;
      },
      notice: message => notice(message.text, NOTICE),
    };
    this.view = new View(() => this.changed());
    const shared = { view: () => this.view, colors: () => this.colormaps.get(this.view.colormap), text: () => this.text };
    this.atlas = new Atlas(element('grid'), shaders, {
      ...shared, hover: line => say('grid-hover', line), pick: (layer, head) => this.pick(layer, head),
    });
    this.map = new ChosenMap(element('map'), shaders, {
      ...shared, hover: line => say('map-hover', line),
    });
    this.atlas.maps.onrestored = this.atlas.values.onrestored = this.map.heatmap.onrestored = () => this.request();
    this.spectrum = new Plot(element('spectrum'), true,
        (rank, value) => `number ${rank}: ${number(value)}`, line => say('spectrum-hover', line));
    this.line = new Plot(element('curve'), false,
        (tokens, value) => `after ${tokens} tokens: ${number(value)}`, line => say('curve-hover', line));
    this.words = new Words(element('text'), position => this.view.pick(position));
    this.menu();
    new ResizeObserver(() => this.request()).observe(document.body);
    document.fonts.ready.then(() => this.request());
    this.changed();
    this.connection = new Connection('frames', token, {
      message: message => this.receivers[message.type](message),
      binary: message => message.png === undefined ? this.frame(message) : save(message.header.name, message.png),
      opened: () => {
        this.lost = null;
        this.unconfirmed = 0;
        notice('');
      },
      lost: (reason, seconds) => {
        this.lost = reason;
        this.unconfirmed = 0;
        const failed = this.text?.header?.state === 'failed' ? `${this.text.header.message}. ` : '';
        notice(`${failed}${reason}. Next try in ${seconds} s.`);
        this.request();
      },
    });
  }

  menu() {
    for (const name of COLORMAPS) {
      element('colormap').add(new Option(name, name));
    }
    element('colormap').addEventListener('change', ({ target }) => {
      this.view.set({ colormap: target.value });
      target.blur();
    });
    element('grid-of').addEventListener('change', ({ target }) => {
      this.show(target.selectedIndex);
      target.blur();
    });
    const next = (all, now, by) => all[(all.indexOf(now) + by + all.length) % all.length];
    bindKeys({
      pause: () => this.send({ type: this.text?.header?.state === 'paused' ? 'resume' : 'pause' }),
      step: () => this.send({ type: 'step' }),
      end: () => this.recorded() || this.send({ type: 'end' }),
      back: () => this.recorded() && this.send({ type: 'move', tokens: -TOKENS_PER_MOVE }),
      ahead: () => this.recorded() && this.send({ type: 'move', tokens: TOKENS_PER_MOVE }),
      slower: () => this.recorded() && this.send({ type: 'speed', times: 0.5 }),
      faster: () => this.recorded() && this.send({ type: 'speed', times: 2 }),
      picture: () => this.picture(),
      record: () => this.recorded() || this.send({ type: 'record' }),
      view: by => {
        const { options, selectedIndex } = element('grid-of');
        this.show((selectedIndex + by + options.length) % options.length);
      },
      colors: by => this.view.set({ colormap: next(COLORMAPS, this.view.colormap, by) }),
      log: () => this.view.set({ log: !this.view.log }),
      sink: () => this.view.set({ sink: !this.view.sink }),
      side: () => this.view.token !== null && this.view.set({ column: !this.view.column }),
      whole: () => this.view.set({ grid: WHOLE, map: WHOLE }),
      leave: () => this.view.set({ token: null }),
      scroll: pages => this.words.scroll(pages),
      theme: () => this.view.set({ theme: this.view.theme === 'dark' ? 'light' : 'dark' }),
      prompt: () => this.recorded() || ask('prompt-dialog', answer => {
        const prompt = element('prompt-text').value;
        if (answer === 'restart' && prompt !== '') {
          this.send({ type: 'restart', prompt });
        }
      }),
      stop: () => ask('stop-dialog', answer => answer === 'stop' && this.send({ type: 'stop' })),
      help: () => ask('help-dialog'),
      walk: (layers, heads) => this.walk(layers, heads),
    });
  }

  /** What the grid shows: the maps come first, then each metric. */
  show(index) {
    const metric = this.text?.source.metrics[index - 1]?.key;
    this.view.set(metric === undefined ? { mode: 'maps' } : { mode: 'metric', metric });
  }

  /** Whether a recording is played. */
  recorded() {
    return this.text?.source.recorded ?? false;
  }

  /** Asks for a picture for print, which arrives as a file. */
  picture() {
    const { view } = this;
    if (this.text?.header != null) {
      notice('The server is drawing the picture.', NOTICE);
      this.send({
        type: 'picture', mode: view.mode, metric: view.metric, colormap: view.colormap, log: view.log, firstToken: view.sink,
        token: view.token ?? -1, column: view.column, ...view.map,
      });
    }
  }

  send(message) {
    this.connection.send(message);
  }

  pick(layer, head) {
    this.picked = this.recorded() ? null : { layer, head }; // a recording has the map of the head chosen then
    this.send({ type: 'pick', layer, head });
    this.view.set({ map: WHOLE });
  }

  /** From the head that was asked for last, which may not have arrived. */
  walk(layers, heads) {
    const now = this.picked ?? this.text?.chosen;
    if (now) {
      const { source } = this.text;
      const layer = Math.max(0, Math.min(source.layers - 1, now.layer + layers));
      const head = Math.max(0, Math.min(source.heads - 1, now.head + heads));
      if (layer !== now.layer || head !== now.head) {
        this.pick(layer, head);
      }
    }
  }

  /** The first message of a connection. */
  begin(source) {
    const metrics = source.metrics.map(({ key }) => key);
    this.text = new LiveText(source);
    document.body.classList.toggle('recorded', source.recorded);
    this.receivers.recording({ file: '' });
    this.atlas.source(source);
    this.map.reset();
    this.dropped = 0;
    this.picked = null;
    this.asked = null;
    this.curve = { tokens: [], values: [] };
    element('grid-of').replaceChildren(new Option('maps', ''), ...metrics.map(key => new Option(key.replaceAll('_', ' '), key)));
    say('source', `${source.recorded ? 'recording of ' : ''}${source.model} · ${source.layers} layers x ${source.heads} heads · ${source.device}`);
    this.view.set({ metric: metrics.includes(this.view.metric) ? this.view.metric : metrics[0], token: null });
  }

  missed({ frames }) {
    this.dropped = frames;
    this.request();
  }

  /** Answers the request for the metric over the tokens so far. */
  past({ metric, layer, head, tokens, values }) {
    if (this.asked === `${metric} ${layer} ${head}`) {
      this.curve = { tokens, values };
      this.request();
    }
  }

  frame(frame) {
    const before = this.text.header;
    this.text.add(frame, this.atlas, this.map);
    const { header } = frame;
    if (before?.text !== header.text) {
      this.asked = null;
      this.view.set({ token: null });
    }
    if (header.chosen !== undefined && this.picked?.layer === header.chosen.layer && this.picked.head === header.chosen.head) {
      this.picked = null;
    }
    if (header.dropped !== this.dropped) {
      this.asked = null; // the curve lacks their points
      this.dropped = header.dropped;
    }
    this.unconfirmed = header.frame;
    this.follow();
    this.request();
  }

  /** Keeps the curve of the chosen head's metric: asks for the past, and adds what is new. */
  follow() {
    const { text, view } = this;
    if (text?.chosen == null || view.metric === null) {
      return;
    }
    const { layer, head } = text.chosen;
    const wanted = `${view.metric} ${layer} ${head}`;
    if (this.asked !== wanted) {
      this.asked = wanted;
      this.send({ type: 'curve', metric: view.metric, layer, head });
    } else if (text.header.layersRead === text.source.layers) {
      const tokens = text.tokens.length;
      const value = text.value(view.metric, layer, head);
      const last = this.curve.tokens.at(-1) ?? 0;
      if (tokens > last && Number.isFinite(value)) {
        this.curve.tokens.push(tokens);
        this.curve.values.push(value);
      }
    }
  }

  changed() {
    const { view } = this;
    document.documentElement.dataset.theme = view.theme;
    element('colormap').value = view.colormap;
    element('grid-of').value = view.mode === 'maps' ? '' : view.metric;
    for (const heatmap of [this.atlas.maps, this.atlas.values, this.map.heatmap]) {
      heatmap.colormap(this.colormaps.get(view.colormap));
    }
    element('log').setAttribute('aria-pressed', view.log);
    element('sink').setAttribute('aria-pressed', !view.sink);
    this.follow();
    this.request();
  }

  request() {
    this.requested ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.requested = null;
    const begin = performance.now();
    const { text, view } = this;
    if (text !== null) {
      const chosen = this.picked ?? text.chosen;
      this.titles(text, view, chosen);
      this.atlas.draw(chosen);
      this.map.draw();
      this.spectrum.set(ranks(text.eigenvalues.length, text.chosen?.tokens ?? 0), text.eigenvalues);
      this.spectrum.draw();
      this.line.set(this.curve.tokens, this.curve.values);
      this.line.draw();
      this.words.draw(text, view);
    }
    drawStatus(text, this.dropped, this.millis, this.lost);
    this.millis = 0.9 * this.millis + 0.1 * (performance.now() - begin);
    if (this.unconfirmed > 0) {
      this.send({ type: 'confirm', frame: this.unconfirmed });
      this.unconfirmed = 0;
    }
  }

  titles(text, view, chosen) {
    const unit = text.source.metrics.find(({ key }) => key === view.metric)?.unit;
    const metric = view.metric.replaceAll('_', ' ') + (unit ? ` (${unit})` : '');
    const token = view.token === null ? '' : `${text.name(view.token)} (${view.token})`;
    say('grid-title', view.mode === 'metric' ? metric
        : view.token === null ? 'All heads' : view.column ? `Attention that ${token} gets` : `Attention that ${token} pays`);
    say('map-title', chosen ? `Layer ${chosen.layer}, head ${chosen.head}` : 'No head yet');
    say('curve-title', `${metric} over tokens`);
    say('spectrum-title', text.source.causal ? 'Laplacian eigenvalues, sorted' : 'Laplacian eigenvalues: for causal attention only');
    say('text-title', view.token === null ? 'Text so far; click a token' : 'Text so far; click the token again');
    element('pause').lastElementChild.textContent = text.header?.state === 'paused' ? 'resume' : 'pause';
  }
}

start().catch(problem => {
  notice(`The page cannot start: ${problem.message}`);
  throw problem;
});
