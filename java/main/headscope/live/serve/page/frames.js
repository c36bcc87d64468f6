// Frames as they arrive; the layout is described in docs/live-protocol.md.

const MAGIC = 0x31465348; // HSF1
const ARRAYS = { u8: Uint8Array, f16: Uint16Array, f32: Float32Array };

/**
 * @param buffer ArrayBuffer of a binary message
 * @return header: the fields; section(offset, count, format): values, in the format's own bits
 */
export function decodeFrame(buffer) {
  const view = new DataView(buffer);
  if (view.getUint32(0, true) !== MAGIC) {
    throw new Error('not a frame');
  }
  const length = view.getUint32(4, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const start = Math.ceil((8 + length) / 8) * 8;
  return { header, section: (offset, count, format) => new ARRAYS[format](buffer, start + offset, count) };
}
