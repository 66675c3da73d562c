// A picture on its way through stem and poolings in the browser, channel by channel, and what two
// of them differ by: the numbers that Python computes for the rows at rest.

class Passage {
  // `stem` and `window` as the message has them; `weights`: filter, bias, and the attention layer's.
  constructor(stem, window, weights, [height, width]) {
    Object.assign(this, { stem, window, weights, image: [height, width] });
    const count = (size) => Math.floor((size + 2 * stem.padding - stem.kernel) / stem.stride) + 1;
    [this.height, this.width] = [count(height), count(width)];
    const pooled = (size) => windowCount(size, window.kernel, window.stride, window.padding, window.ceilMode);
    [this.rows, this.columns] = [pooled(this.height), pooled(this.width)];
    this.channels = weights.bias.length;
    this.plane = this.height * this.width;
    this.count = this.rows * this.columns;
    this.place = windowPlaces(this);
  }

  // The picture as the convolution sees it: normalised, with its border.
  source(picture) {
    const { mean, std, padding, edge } = this.stem;
    const plane = picture.length / 3;
    const data = picture.map((value, i) => {
      const channel = (i / plane) | 0;
      return fround(fround(value - fround(mean[channel])) / fround(std[channel]));
    });
    const border = [padding, padding];
    return pad(map(data, 3, ...this.image), border, border, edge ? "edge" : 0);
  }

  // What a picture becomes; its channels are filled in one at a time.
  begin(picture) {
    const room = (count) => new Float32Array(this.channels * count);
    return {
      source: this.source(picture),
      features: room(this.plane),
      max: room(this.count),
      average: room(this.count),
      means: new Float32Array(this.channels),
      done: new Set(),
    };
  }

  // One channel through filter, ReLU and poolings. Where only a part of the picture differs from
  // that of another passage, only the cells of `part` are filtered and the rest is taken from it.
  run(maps, channel, part = null, from = null) {
    const { kernel, stride } = this.stem;
    const taps = 3 * kernel * kernel;
    const { filter, bias } = this.weights;
    const weight = filter.subarray(channel * taps, (channel + 1) * taps);
    const settings = { weight, bias: bias.subarray(channel, channel + 1), out: 1, kernel, stride };
    const values = maps.features.subarray(channel * this.plane, (channel + 1) * this.plane);
    if (part) {
      values.set(from.features.subarray(channel * this.plane, (channel + 1) * this.plane));
      const found = relu(convolve(cropped(maps.source, part, kernel, stride), settings));
      for (let y = 0; y < found.height; y++) {
        values.set(found.data.subarray(y * found.width, (y + 1) * found.width), (part.top + y) * this.width + part.left);
      }
    } else {
      values.set(relu(convolve(maps.source, settings)).data);
    }
    const { maximum, average } = poolBoth(map(values, 1, this.height, this.width), this.window);
    maps.max.set(maximum.data, channel * this.count);
    maps.average.set(average.data, channel * this.count);
    let sum = 0;
    for (const value of values) sum += value;
    maps.means[channel] = sum / this.plane;
    maps.done.add(channel);
  }

  // The attention value of each channel, once all are there.
  attention({ means }) {
    return attentionFrom(means, this.weights);
  }

  // The cells of the feature map that see a box of the picture.
  seeing({ top, left, height, width }) {
    const { kernel, stride, padding, edge } = this.stem;
    const span = (start, side, size, cells) => {
      let [first, stop] = [start + padding, start + side + padding];
      // A border that is repeated is seen wherever the padding repeats it.
      if (edge && start === 0) first = 0;
      if (edge && start + side === size) stop = size + 2 * padding;
      return [Math.max(Math.ceil((first - kernel + 1) / stride), 0), Math.min(Math.floor((stop - 1) / stride) + 1, cells)];
    };
    const [first, stop] = span(top, height, this.image[0], this.height);
    const [start, end] = span(left, width, this.image[1], this.width);
    return { top: first, left: start, height: stop - first, width: end - start };
  }

  // Which pooled cells see any pixel of a patch of this shape (1), and which do not (0).
  reached(box, shape) {
    const { kernel, stride, padding } = this.stem;
    const [height, width] = this.image;
    const marked = sums(height, width, (y, x) =>
      y >= box.top && y < box.top + box.height && x >= box.left && x < box.left + box.width
        && covers(box, shape, y - box.top, x - box.left));
    const seen = sums(this.height, this.width, (y, x) => {
      const [top, left] = [y * stride - padding, x * stride - padding];
      return marked(top, left, top + kernel, left + kernel) > 0;
    });
    const { kernel: side, stride: step, padding: around } = this.window;
    return Uint8Array.from({ length: this.count }, (_, i) => {
      const [top, left] = [Math.floor(i / this.columns) * step - around, (i % this.columns) * step - around];
      return seen(top, left, top + side, left + side) > 0 ? 1 : 0;
    });
  }

  // The place of each window's maximum in the window, `TIE` where several cells share it.
  winners({ features }, channel, tolerance, found) {
    for (let i = 0; i < this.count; i++) {
      const { cells, places } = this.place[i];
      let best = 0;
      for (let k = 1; k < cells.length; k++) {
        if (features[channel * this.plane + cells[k]] > features[channel * this.plane + cells[best]]) best = k;
      }
      const least = features[channel * this.plane + cells[best]] - tolerance;
      let sharing = 0;
      for (const cell of cells) if (features[channel * this.plane + cell] >= least) sharing++;
      found[channel * this.count + i] = sharing === 1 ? places[best] : TIE;
    }
  }
}

// For each window the cells of the feature map that it holds, and their places in the window.
function windowPlaces({ rows, columns, height, width, window: { kernel, stride, padding } }) {
  return Array.from({ length: rows * columns }, (_, i) => {
    const [top, left] = [Math.floor(i / columns) * stride - padding, (i % columns) * stride - padding];
    const found = { cells: [], places: [] };
    for (let y = Math.max(top, 0); y < Math.min(top + kernel, height); y++) {
      for (let x = Math.max(left, 0); x < Math.min(left + kernel, width); x++) {
        found.cells.push(y * width + x);
        found.places.push((y - top) * kernel + x - left);
      }
    }
    return found;
  });
}

// The part of a padded picture that these cells of the feature map see.
function cropped(source, { top, left, height, width }, kernel, stride) {
  const [rows, columns] = [(height - 1) * stride + kernel, (width - 1) * stride + kernel];
  const data = new Float32Array(source.channels * rows * columns);
  for (let line = 0; line < source.channels * rows; line++) {
    const [channel, y] = [Math.floor(line / rows), line % rows];
    const from = (channel * source.height + top * stride + y) * source.width + left * stride;
    data.set(source.data.subarray(from, from + columns), line * columns);
  }
  return map(data, source.channels, rows, columns);
}

// Sums over any rectangle of a map of zeros and ones, each in four steps.
function sums(height, width, marked) {
  const side = width + 1;
  const total = new Int32Array((height + 1) * side);
  for (let y = 0; y < height; y++) {
    let line = 0;
    for (let x = 0; x < width; x++) {
      if (marked(y, x)) line++;
      total[(y + 1) * side + x + 1] = total[y * side + x + 1] + line;
    }
  }
  return (top, left, bottom, right) => {
    const [a, b] = [clip(top, 0, height), clip(bottom, 0, height)];
    const [c, d] = [clip(left, 0, width), clip(right, 0, width)];
    return total[b * side + d] - total[a * side + d] - total[b * side + c] + total[a * side + c];
  };
}

// How far two passages lie apart in one channel, as `statistics` of Python has it.
function apart(before, after, channel, count, weights, rounding, cells) {
  const [was, is] = weights;
  const size = [0, 0, 0, 0];
  const moved = [0, 0, 0, 0];
  const largest = { max: 0, average: 0, attention: 0 };
  let [low, high] = [Infinity, -Infinity];
  for (let i = channel * count; i < (channel + 1) * count; i++) {
    const [m0, a0, m1, a1] = [before.max[i], before.average[i], after.max[i], after.average[i]];
    const [dm, da] = [m1 - m0, a1 - a0];
    const b0 = a0 + was * (m0 - a0);
    const db = a1 + is * (m1 - a1) - b0;
    size[0] += m0 * m0;
    size[1] += m0 * a0;
    size[2] += a0 * a0;
    size[3] += b0 * b0;
    moved[0] += dm * dm;
    moved[1] += dm * da;
    moved[2] += da * da;
    moved[3] += db * db;
    largest.max = Math.max(largest.max, Math.abs(dm));
    largest.average = Math.max(largest.average, Math.abs(da));
    largest.attention = Math.max(largest.attention, Math.abs(db));
    low = Math.min(low, a0, a1, m0, m1);
    high = Math.max(high, a0, a1, m0, m1);
    cells[i] = (Math.abs(dm) > rounding ? 1 : 0) | (Math.abs(da) > rounding ? 2 : 0) | (Math.abs(db) > rounding ? 4 : 0);
  }
  return { size, moved, largest, low, high };
}
