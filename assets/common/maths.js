// Numbers only: unpacking, window geometry, the blend, and colours. Nothing here touches the page.

const FULL = 65535;
const ROUNDING = 1e-5; // what is below this share of a map's range is rounding, as in the library
const KINDS = { uint16: Uint16Array, float32: Float32Array };

// [u32 length][JSON header][arrays]; slices copy because the frame's offset is not aligned.
function unpack(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  const arrays = {};
  for (const [name, entry] of Object.entries(header.arrays)) {
    const start = 4 + length + entry.offset;
    const raw = bytes.slice(start, start + entry.bytes);
    arrays[name] = new (KINDS[entry.dtype] ?? Uint8Array)(raw.buffer);
  }
  return { header, arrays };
}

// Whether two shares differ by no more than rounding, as the library says it.
const alike = (a, b) => Math.abs(a - b) <= ROUNDING * Math.max(1, Math.abs(a), Math.abs(b));

// What `Float32Array.from` gives, in a tenth of its time.
function floats(values, numberOf) {
  const made = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) made[i] = numberOf(values[i], i);
  return made;
}

// Rows (or columns) of the feature map that the window at `index` covers, without padding.
function windowSpan(index, size, { kernel, stride, padding }) {
  const start = index * stride - padding;
  return { start, from: Math.max(start, 0), to: Math.min(start + kernel, size) };
}

// How many cells PyTorch divides by: the valid ones, or with count_include_pad those up to the
// padded border.
function divisor(row, column, height, width, shape) {
  const along = (index, size) => {
    const { start, from, to } = windowSpan(index, size, shape);
    return shape.countPad ? Math.min(start + shape.kernel, size + shape.padding) - start : to - from;
  };
  return along(row, height) * along(column, width);
}

// The pooled cell whose window's middle lies nearest to a cell of the feature map.
function nearestWindow(cell, count, { kernel, stride, padding }) {
  const index = Math.round((cell + padding - (kernel - 1) / 2) / stride);
  return Math.min(Math.max(index, 0), count - 1);
}

const blend = (average, maximum, weight) => average + weight * (maximum - average);

function colourTable(rgb) {
  const table = new Uint32Array(rgb.length / 3);
  for (let i = 0; i < table.length; i++) {
    table[i] = 0xff000000 | (rgb[3 * i + 2] << 16) | (rgb[3 * i + 1] << 8) | rgb[3 * i];
  }
  return table;
}

// Paints weight * max + (1 - weight) * average of `count` cells into 32-bit pixels. `gain` and
// `lift` carry a 16-bit value of this channel into the 256 colours of the chosen range.
function paintBlend(pixels, target, average, maximum, source, count, weight, gain, lift, table) {
  for (let i = 0; i < count; i++) {
    const low = average[source + i];
    const value = (low + weight * (maximum[source + i] - low)) * gain + lift;
    pixels[target + i] = table[value < 0 ? 0 : value > 255 ? 255 : (value + 0.5) | 0];
  }
}
