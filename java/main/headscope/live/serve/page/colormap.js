// Colour maps from the files figure/colormaps/*.csv.

/** @param csv red,green,blue and a line per colour @return three bytes per colour */
export function parseColormap(csv) {
  return Uint8Array.from(csv.trim().split('\n').slice(1).flatMap(line => line.split(',').map(Number)));
}

/** The colour of a fraction of the range, as in the shader: [red, green, blue] from 0 to 255. */
export function colorAt(rgb, fraction) {
  const colors = rgb.length / 3;
  const index = Math.max(0, Math.min(colors - 1, Math.floor(fraction * colors)));
  return [rgb[3 * index], rgb[3 * index + 1], rgb[3 * index + 2]];
}

/** Where a value lies between the ends of the range. */
export function fraction(value, [low, high], log) {
  return log ? Math.log(Math.max(value, low) / low) / Math.log(high / low) : (value - low) / (high - low);
}
