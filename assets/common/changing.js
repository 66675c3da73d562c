// What is done to a picture, counted as PyTorch counts it: in float32, rounded after every step, so
// that the browser and the server show the same picture. A picture is a Float32Array, channel by
// channel; what is random comes as numbers that Python drew from the seed.

const { fround } = Math;
const PLACES = 16; // places along a pixel that decide how much of it a disc covers

// Everything that the browser can do by itself; called with the picture, the level and `given`:
// draw (one number for each value), means (one for each channel), height and width.
const CHANGES = {
  gaussian(image, level, { draw }) {
    const sigma = fround(level);
    return image.map((value, i) => clip(fround(value + fround(sigma * draw[i])), 0, 1));
  },
  speckle(image, level, { draw }) {
    const sigma = fround(level);
    return image.map((value, i) => clip(fround(value + fround(fround(value * sigma) * draw[i])), 0, 1));
  },
  salt(image, level, { draw }) {
    const amount = fround(level);
    return image.map((value, i) => (draw[i] < amount ? 1 : value));
  },
  pepper(image, level, { draw }) {
    const amount = fround(level);
    return image.map((value, i) => (draw[i] < amount ? 0 : value));
  },
  salt_and_pepper(image, level, { draw }) {
    const [low, high] = [fround(level / 2), fround(1 - level / 2)];
    return image.map((value, i) => (draw[i] >= high ? 1 : draw[i] < low ? 0 : value));
  },
  brightness(image, level) {
    const [added, plane] = [fround(level), image.length / 3];
    const changed = new Float32Array(image.length);
    for (let i = 0; i < plane; i++) {
      const value = Math.max(image[i], image[plane + i], image[2 * plane + i]);
      const brighter = Math.min(fround(value + added), 1);
      for (let at = i; at < image.length; at += plane) {
        changed[at] = (value > 0 ? fround(image[at] / value) : 1) * brighter;
      }
    }
    return changed;
  },
  contrast(image, level, { means }) {
    const [factor, plane] = [fround(level), image.length / means.length];
    return image.map((value, i) => {
      const mean = means[(i / plane) | 0];
      return clip(fround(fround(fround(value - mean) * factor) + mean), 0, 1);
    });
  },
  gaussian_blur(image, sigma, { height, width }) {
    if (sigma === 0) return image;
    const reach = Math.floor(4 * sigma + 0.5);
    const weights = gaussianWeights(-reach, 2 * reach + 1, 0, sigma);
    const down = filtered(image, height, width, weights, [reach, 0]);
    return filtered(down, height, width, weights, [0, reach]);
  },
  defocus_blur(image, radius, { height, width }) {
    const reach = Math.max(Math.ceil(radius - 0.5), 0);
    return reach ? filtered(image, height, width, disc(radius, reach), [reach, reach]) : image;
  },
};

// `count` weights from `first` on, of a Gaussian around a place, that add up to one.
function gaussianWeights(first, count, place, sigma) {
  const weights = Float64Array.from({ length: count }, (_, i) => Math.exp(-(((first + i - place) / sigma) ** 2) / 2));
  const sum = weights.reduce((a, b) => a + b);
  return weights.map((weight) => weight / sum);
}

// How much of each pixel a disc covers, as weights that add up to one.
function disc(radius, reach) {
  const side = 2 * reach + 1;
  const squares = Float64Array.from({ length: side * PLACES },
    (_, i) => (Math.floor(i / PLACES) - reach + ((i % PLACES) + 0.5) / PLACES - 0.5) ** 2);
  const weights = new Float64Array(side * side);
  squares.forEach((down, y) => squares.forEach((across, x) => {
    if (down + across <= radius ** 2) weights[Math.floor(y / PLACES) * side + Math.floor(x / PLACES)]++;
  }));
  const sum = weights.reduce((a, b) => a + b);
  return weights.map((weight) => weight / sum);
}

// A weighted sum over so many rows and columns to each side; the border is repeated.
function filtered(image, height, width, weights, [rows, columns]) {
  const channels = image.length / (height * width);
  const source = pad(map(image, channels, height, width), [rows, columns], [rows, columns], "edge");
  const side = 2 * columns + 1;
  const sum = new Float64Array(image.length);
  for (let tap = 0; tap < weights.length; tap++) {
    const weight = weights[tap];
    if (!weight) continue;
    const [dy, dx] = [Math.floor(tap / side), tap % side];
    for (let line = 0; line < channels * height; line++) {
      const [channel, y] = [Math.floor(line / height), line % height];
      const from = (channel * source.height + y + dy) * source.width + dx;
      for (let x = 0; x < width; x++) sum[line * width + x] += weight * source.data[from + x];
    }
  }
  return Float32Array.from(sum);
}

// ---- a patch that covers a part ------------------------------------------------------------

// Whether the shape of a patch covers a pixel of its rectangle; whole numbers, so nothing rounds.
function covers({ height, width }, shape, y, x) {
  if (shape === "rectangle") return true;
  return ((2 * y + 1 - height) * width) ** 2 + ((2 * x + 1 - width) * height) ** 2 <= (height * width) ** 2;
}

// The picture with a patch on it, which lies wholly on the picture.
function covered(image, box, { fill, shape, draw, means, height, width }) {
  const changed = image.slice();
  const blur = fill === "blur" ? blurredPatch(image, box, height, width) : null;
  for (let channel = 0; channel < means.length; channel++) {
    for (let y = 0; y < box.height; y++) {
      for (let x = 0; x < box.width; x++) {
        if (!covers(box, shape, y, x)) continue;
        const inside = (channel * box.height + y) * box.width + x;
        const content = { black: 0, grey: 0.5, mean: means[channel], blur: blur?.[inside], noise: draw?.[inside] };
        changed[(channel * height + box.top + y) * width + box.left + x] = content[fill];
      }
    }
  }
  return changed;
}

// What a Gaussian of a quarter of the patch's longer side makes of the whole picture, where it lies.
function blurredPatch(image, box, height, width) {
  const sigma = Math.max(box.height, box.width) / 4;
  const channels = image.length / (height * width);
  const across = Array.from({ length: box.width }, (_, x) => gaussianWeights(0, width, box.left + x, sigma));
  const found = new Float32Array(channels * box.height * box.width);
  for (let y = 0; y < box.height; y++) {
    const down = gaussianWeights(0, height, box.top + y, sigma);
    for (let channel = 0; channel < channels; channel++) {
      const line = new Float64Array(width);
      for (let row = 0; row < height; row++) {
        const from = (channel * height + row) * width;
        for (let x = 0; x < width; x++) line[x] += down[row] * image[from + x];
      }
      const to = (channel * box.height + y) * box.width;
      across.forEach((weights, x) => {
        let sum = 0;
        for (let column = 0; column < width; column++) sum += weights[column] * line[column];
        found[to + x] = sum;
      });
    }
  }
  return found;
}
