// The menu and the keys, which do the same.

const WALK = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/**
 * @param actions by the id of their button; walk(layers, heads) and nextMetric() have none
 */
export function bindKeys(actions) {
  const keys = {
    ' ': actions.pause, '.': actions.step, m: actions.mode, n: actions.nextMetric, c: actions.nextColormap, l: actions.log,
    s: actions.sink, t: actions.theme, e: actions.prompt, q: actions.stop, h: actions.help, '?': actions.help,
  };
  for (const id of ['pause', 'step', 'mode', 'log', 'sink', 'theme', 'prompt', 'stop', 'help']) {
    const button = document.getElementById(id);
    button.addEventListener('click', () => {
      actions[id]();
      button.blur(); // or the space bar would press it again
    });
  }
  document.addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]') !== null
        || event.target.matches('input, select, textarea')) {
      return;
    }
    const walk = WALK[event.key];
    const action = walk ? () => actions.walk(...walk) : keys[event.key.toLowerCase()];
    if (action !== undefined) {
      event.preventDefault();
      action();
    }
  });
}

/** Opens a dialog; what follows depends on the button that closes it. */
export function ask(id, closed = () => {}) {
  const dialog = document.getElementById(id);
  dialog.returnValue = '';
  dialog.addEventListener('close', () => closed(dialog.returnValue), { once: true });
  dialog.showModal();
}
