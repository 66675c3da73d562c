// What is done to the picture, as hybridpool.answer.Change does it: the same numbers from the same
// draw, which Python sends once a seed.

const SALTED = {
  salt: (value, drawn, level) => (drawn < level ? 1 : value),
  pepper: (value, drawn, level) => (drawn < level ? 0 : value),
  salt_and_pepper: (value, drawn, level) => {
    if (drawn < Math.fround(level / 2)) return 0;
    return drawn >= Math.fround(1 - level / 2) ? 1 : value;
  },
};
const SPREAD = {
  gaussian: (value, drawn, level) => clip(value + level * drawn, 0, 1),
  speckle: (value, drawn, level) => clip(value + value * level * drawn, 0, 1),
};

function noisy(picture, draw, { noise, level }) {
  // What cannot be scaled comes as the picture that it makes, and changes once the hand lets go.
  if (noise === "poisson") return { ...picture, data: draw };
  const change = SALTED[noise] ?? SPREAD[noise];
  const scaled = noise in SALTED ? Math.fround(level) : level;
  return { ...picture, data: picture.data.map((value, place) => change(value, draw[place], scaled)) };
}

function moved(picture, { rows, columns }) {
  const { height, width } = picture;
  const data = picture.data.map((_, place) => {
    const row = ((place / width) | 0) % height;
    const from = place - row * width - (place % width);
    const y = (((row - rows) % height) + height) % height;
    const x = (((place % width) - columns) % width + width) % width;
    return picture.data[from + y * width + x];
  });
  return { ...picture, data };
}

// Whether an occluder covers a pixel; twice the distance from its middle, so that no rounding decides.
function covers({ top, left, height, width }, shape, y, x) {
  if (y < top || x < left || y >= top + height || x >= left + width) return false;
  if (shape === "rectangle") return true;
  const down = (2 * (y - top) + 1 - height) * width;
  const across = (2 * (x - left) + 1 - width) * height;
  return down * down + across * across <= (height * width) ** 2;
}

// The picture through a Gaussian whose sigma is a quarter of the occluder's longer side.
function smoothed(picture, { height, width }) {
  const sigma = Math.max(height, width) / 4;
  const along = (size) => Array.from({ length: size }, (_, at) => {
    const row = Array.from({ length: size }, (_, other) => Math.exp(-(((at - other) / sigma) ** 2) / 2));
    const sum = row.reduce((a, b) => a + b);
    return row.map((value) => value / sum);
  });
  const [down, across] = [along(picture.height), along(picture.width)];
  const between = picture.data.map((_, place) => {
    const row = place - (place % picture.width);
    return across[place % picture.width].reduce((sum, tap, x) => sum + tap * picture.data[row + x], 0);
  });
  return between.map((_, place) => {
    const plane = picture.height * picture.width;
    const start = place - (place % plane) + (place % picture.width);
    const row = ((place % plane) / picture.width) | 0;
    return down[row].reduce((sum, tap, y) => sum + tap * between[start + y * picture.width], 0);
  });
}

function covered(picture, box, { shape, fill }, draw) {
  const plane = picture.height * picture.width;
  const means = fill === "mean" ? channelMeans(picture) : null;
  const blur = fill === "blur" ? smoothed(picture, box) : null;
  const content = (place, channel, y, x) => {
    if (fill === "mean") return means[channel];
    if (fill === "blur") return blur[place];
    if (fill === "noise") return draw[(channel * box.height + y - box.top) * box.width + x - box.left];
    return fill === "grey" ? 0.5 : 0;
  };
  const data = picture.data.map((value, place) => {
    const channel = (place / plane) | 0;
    const y = ((place % plane) / picture.width) | 0;
    const x = place % picture.width;
    return covers(box, shape, y, x) ? content(place, channel, y, x) : value;
  });
  return { ...picture, data };
}

function changedPicture(picture, view, box, draw) {
  if (view.action === "shift") return moved(picture, view);
  if (view.action === "occlusion") return covered(picture, box, view, draw);
  return noisy(picture, draw, view);
}
