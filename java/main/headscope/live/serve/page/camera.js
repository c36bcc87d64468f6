// The visible part of a square view, as fractions of the whole; zoom 1 shows all of it.

export const WHOLE = Object.freeze({ x: 0, y: 0, zoom: 1 });

function camera(x, y, zoom) {
  const clamp = value => Math.max(0, Math.min(1 - 1 / zoom, value));
  return { x: clamp(x), y: clamp(y), zoom };
}

/** Zooms about a point that stays where it is; atX, atY: fractions of the visible width and height. */
export function zoomed(from, factor, atX, atY, max) {
  const zoom = Math.max(1, Math.min(Math.max(1, max), from.zoom * factor));
  return camera(from.x + atX / from.zoom - atX / zoom, from.y + atY / from.zoom - atY / zoom, zoom);
}

/** Moves the contents by fractions of the visible width and height. */
export function dragged(from, byX, byY) {
  return camera(from.x - byX / from.zoom, from.y - byY / from.zoom, from.zoom);
}

/**
 * Wheel zooms about the cursor, dragging pans, a double click resets; a click that does not drag picks.
 *
 * @param element that receives the mouse
 * @param get, set the camera
 * @param max the largest zoom, as a function
 * @param handlers hover(x, y), leave(), click(x, y): pixels of the page from the element's top left
 */
export function steer(element, get, set, max, handlers) {
  let drag = null;
  const place = event => {
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top, width: box.width, height: box.height };
  };
  element.addEventListener('wheel', event => {
    event.preventDefault();
    const at = place(event);
    const lines = event.deltaMode === 0 ? event.deltaY / 100 : event.deltaY / 3;
    set(zoomed(get(), 1.25 ** -Math.max(-3, Math.min(3, lines)), at.x / at.width, at.y / at.height, max()));
    handlers.hover(at.x, at.y);
  }, { passive: false });
  element.addEventListener('pointerdown', event => {
    if (event.button === 0) {
      element.setPointerCapture(event.pointerId);
      drag = { ...place(event), moved: false };
    }
  });
  element.addEventListener('pointermove', event => {
    const at = place(event);
    if (drag !== null && (drag.moved || Math.hypot(at.x - drag.x, at.y - drag.y) > 3)) {
      set(dragged(get(), (at.x - drag.x) / at.width, (at.y - drag.y) / at.height));
      drag = { ...at, moved: true };
    }
    handlers.hover(at.x, at.y);
  });
  element.addEventListener('pointerup', event => {
    const clicked = drag !== null && !drag.moved;
    drag = null;
    if (clicked) {
      const at = place(event);
      handlers.click(at.x, at.y);
    }
  });
  element.addEventListener('pointercancel', () => {
    drag = null;
  });
  element.addEventListener('pointerleave', () => handlers.leave());
  element.addEventListener('dblclick', () => set(WHOLE));
}
