// A small engine: what a picture goes through, on typed arrays, while a hand moves. PyTorch is the
// judge of every function here (tests/browser/test_browser_engine.py). Maps are Float32Arrays
// channel by channel, {data, channels, height, width}; numbers are counted as PyTorch counts them.

const map = (data, channels, height, width) => ({ data, channels, height, width });

// A map with a border: of a value, or of its own edge repeated.
function pad(input, [top, left], [bottom, right], value) {
  const height = input.height + top + bottom;
  const width = input.width + left + right;
  const data = new Float32Array(input.channels * height * width);
  if (value) data.fill(value);
  const repeat = value === "edge";
  for (let channel = 0; channel < input.channels; channel++) {
    for (let y = 0; y < height; y++) {
      const inside = y - top;
      if (!repeat && (inside < 0 || inside >= input.height)) continue;
      const row = Math.min(Math.max(inside, 0), input.height - 1);
      const from = (channel * input.height + row) * input.width;
      const to = (channel * height + y) * width;
      data.set(input.data.subarray(from, from + input.width), to + left);
      if (!repeat) continue;
      data.fill(input.data[from], to, to + left);
      data.fill(input.data[from + input.width - 1], to + left + input.width, to + width);
    }
  }
  return map(data, input.channels, height, width);
}

// Convolution: weight (out, in, kernel, kernel), one bias a channel or none. `edge` repeats the
// border instead of zeros; `only` computes some output channels and leaves the rest zero.
function convolve(input, { weight, bias, out, kernel, stride = 1, padding = 0, edge = false, only }) {
  const border = [padding, padding];
  const source = padding ? pad(input, border, border, edge ? "edge" : 0) : input;
  const height = Math.floor((source.height - kernel) / stride) + 1;
  const width = Math.floor((source.width - kernel) / stride) + 1;
  const data = new Float32Array(out * height * width);
  const values = source.data;
  const taps = source.channels * kernel * kernel;
  const places = Int32Array.from({ length: taps }, (_, tap) => {
    const line = ((tap / (kernel * kernel)) | 0) * source.height + (((tap / kernel) | 0) % kernel);
    return line * source.width + (tap % kernel);
  });
  for (const channel of only ?? Array(out).keys()) {
    const first = channel * taps;
    for (let y = 0; y < height; y++) {
      const to = (channel * height + y) * width;
      if (bias) data.fill(bias[channel], to, to + width);
      const line = y * stride * source.width;
      let tap = 0;
      // Four at a time: nearly twice as fast, because each sum is read and written less often.
      for (; tap + 4 <= taps; tap += 4) {
        const at = first + tap;
        const [f, g, h, i] = [weight[at], weight[at + 1], weight[at + 2], weight[at + 3]];
        const [a, b, c, d] = [places[tap], places[tap + 1], places[tap + 2], places[tap + 3]];
        for (let x = 0, from = line; x < width; x++, from += stride) {
          data[to + x] += f * values[a + from] + g * values[b + from] + h * values[c + from] + i * values[d + from];
        }
      }
      for (; tap < taps; tap++) {
        const factor = weight[first + tap];
        const from = line + places[tap];
        for (let x = 0; x < width; x++) data[to + x] += factor * values[from + x * stride];
      }
    }
  }
  return map(data, out, height, width);
}

function relu(input) {
  const data = input.data.map((value) => (value > 0 || Number.isNaN(value) ? value : 0));
  return { ...input, data };
}

// The error function: Abramowitz and Stegun 7.1.26, right to 1.5e-7.
function erf(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const series = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t
    + 0.254829592) * t;
  return Math.sign(x) * (1 - series * Math.exp(-x * x));
}

function gelu(input) {
  const data = input.data.map((value) => 0.5 * value * (1 + erf(value * Math.SQRT1_2)));
  return { ...input, data };
}

// How many windows there are along one axis; one that would start behind the map does not count.
function windowCount(size, kernel, stride, padding, ceilMode) {
  const spare = size + 2 * padding - kernel + (ceilMode ? stride - 1 : 0);
  const count = Math.floor(spare / stride) + 1;
  return ceilMode && (count - 1) * stride >= size + padding ? count - 1 : count;
}

// Max and average pooling in one pass. NaN in a window makes both NaN.
function poolBoth(input, { kernel, stride, padding = 0, ceilMode = false, countPad = false }) {
  const height = windowCount(input.height, kernel, stride, padding, ceilMode);
  const width = windowCount(input.width, kernel, stride, padding, ceilMode);
  const maximum = new Float32Array(input.channels * height * width);
  const average = new Float32Array(maximum.length);
  for (let y = 0; y < height; y++) {
    const top = y * stride - padding;
    const from = Math.max(top, 0);
    const to = Math.min(top + kernel, input.height);
    const counted = Math.min(top + kernel, input.height + padding) - top;
    for (let x = 0; x < width; x++) {
      const left = x * stride - padding;
      const first = Math.max(left, 0);
      const stop = Math.min(left + kernel, input.width);
      const across = Math.min(left + kernel, input.width + padding) - left;
      const cells = countPad ? counted * across : (to - from) * (stop - first);
      for (let channel = 0; channel < input.channels; channel++) {
        let largest = -Infinity;
        let sum = 0;
        for (let row = from; row < to; row++) {
          const start = (channel * input.height + row) * input.width;
          for (let column = first; column < stop; column++) {
            const value = input.data[start + column];
            sum += value;
            if (value > largest || Number.isNaN(value)) largest = value;
          }
        }
        const place = (channel * height + y) * width + x;
        maximum[place] = largest;
        average[place] = sum / cells;
      }
    }
  }
  return {
    maximum: map(maximum, input.channels, height, width),
    average: map(average, input.channels, height, width),
  };
}

// weights: one blend weight for all channels, or one for each.
function blendMaps({ maximum, average }, weights) {
  const plane = maximum.height * maximum.width;
  const data = average.data.map((low, place) => {
    const weight = weights.length > 1 ? weights[(place / plane) | 0] : weights[0];
    return low + weight * (maximum.data[place] - low);
  });
  return { ...maximum, data };
}

function channelMeans(input) {
  const plane = input.height * input.width;
  return Float32Array.from({ length: input.channels }, (_, channel) => {
    let sum = 0;
    for (let i = 0; i < plane; i++) sum += input.data[channel * plane + i];
    return sum / plane;
  });
}

// weight (outputs, inputs) row by row.
function linear(values, weight, bias) {
  return Float32Array.from(bias, (start, output) =>
    values.reduce((sum, value, i) => sum + value * weight[output * values.length + i], start));
}

const sigmoid = (value) => 1 / (1 + Math.exp(-value));

// The attention layer: a blend weight for each channel, computed from the channels' means.
function attention(input, weights) {
  return attentionFrom(channelMeans(input), weights);
}

function attentionFrom(means, { inner, innerBias, outer, outerBias }) {
  const hidden = linear(means, inner, innerBias).map((value) => Math.max(value, 0));
  return linear(hidden, outer, outerBias).map(sigmoid);
}

function softmax(scores) {
  const largest = scores.reduce((a, b) => Math.max(a, b));
  const powers = scores.map((score) => Math.exp(score - largest));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}
