// Binary messages as they arrive; their layout is described in docs/live-protocol.md.

const FRAME = 0x31465348; // HSF1
const IMAGE = 0x31495348; // HSI1
const ARRAYS = { u8: Uint8Array, f16: Uint16Array, f32: Float32Array };

/**
 * @param buffer ArrayBuffer of a binary message
 * @return header: the fields. Of a frame, section(offset, count, format): values, in the format's own bits. Of an image,
 *         png: the bytes of the file
 */
export function decode(buffer) {
  const view = new DataView(buffer);
  const length = view.getUint32(4, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  switch (view.getUint32(0, true)) {
    case FRAME: {
      const start = Math.ceil((8 + length) / 8) * 8;
      return { header, section: (offset, count, format) => new ARRAYS[format](buffer, start + offset, count) };
    }
    case IMAGE:
      return { header, png: new Uint8Array(buffer, 8 + length) };
    default:
      throw new Error('neither a frame nor an image');
  }
}
