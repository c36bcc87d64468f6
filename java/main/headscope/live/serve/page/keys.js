// The menu and the keys, which do the same.

const WALK = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/**
 * @param actions by the id of their button; walk(layers, heads), view(by), colors(by), scroll(pages), whole()
 *     and leave() have none
 */
export function bindKeys(actions) {
  const keys = {
    ' ': actions.pause, '.': actions.step, m: () => actions.view(1), M: () => actions.view(-1), c: () => actions.colors(1),
    C: () => actions.colors(-1), l: actions.log, s: actions.sink, t: actions.side, d: actions.theme, e: actions.prompt,
    p: actions.picture, r: actions.record, q: actions.stop, h: actions.help, '[': actions.back, ']': actions.ahead,
    '-': actions.slower, '+': actions.faster, 0: actions.whole, Escape: actions.leave,
    Home: () => actions.scroll(-Infinity), End: () => actions.scroll(Infinity), PageUp: () => actions.scroll(-1),
    PageDown: () => actions.scroll(1),
  };
  for (const button of document.querySelectorAll('#menu button')) {
    button.addEventListener('click', () => {
      actions[button.id]();
      button.blur(); // or the space bar would press it again
    });
  }
  document.addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]') !== null
        || event.target.matches('input, select, textarea')) {
      return;
    }
    const walk = WALK[event.key];
    const action = walk ? () => actions.walk(...walk) : keys[event.key] ?? keys[event.key.toLowerCase()];
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
