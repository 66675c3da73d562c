// A trained network, step by step, on the engine's functions; PyTorch is its judge too
// (tests/browser/test_browser_network.py).

// A number in half precision as it is stored: sign, 5 bits of exponent, 10 of fraction.
function half(bits) {
  const exponent = (bits >> 10) & 31;
  const size = (exponent ? 1024 + (bits & 1023) : bits & 1023) * 2 ** (Math.max(exponent, 1) - 25);
  return bits & 0x8000 ? -size : size;
}

// Looked up: there are only so many, and a network holds twice as many numbers.
let every = null;

function halves(bits) {
  every ??= new Float32Array(1 << 16).map((_, place) => half(place));
  const found = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) found[i] = every[bits[i]];
  return found;
}

function numbers(raw, dtype) {
  return dtype === "float16" ? halves(new Uint16Array(raw.buffer)) : new Float32Array(raw.buffer);
}

const ARRAYS = ["weight", "bias", "factor", "weights", "mask", "inner", "innerBias", "outer", "outerBias"];

// Steps whose arrays are numbers of `arrays`: put in their place, and batch normalisation folded in.
function prepared(steps, arrays) {
  return steps.map((step) => {
    const own = { ...step };
    for (const name of ARRAYS) if (name in step) own[name] = arrays[step[name]];
    if (own.factor) {
      const each = own.weight.length / own.out;
      own.weight = own.weight.map((value, place) => value * own.factor[(place / each) | 0]);
    }
    return own;
  });
}

// The convolution of the engine, faster where most of the time goes: 3 x 3, stride 1.
function convolveStep(input, step) {
  if (step.kernel !== 3 || step.stride !== 1) return convolve(input, step);
  const border = [step.padding, step.padding];
  const source = step.padding ? pad(input, border, border, 0) : input;
  const [across, plane] = [source.width, source.width * source.height];
  const [height, width] = [source.height - 2, source.width - 2];
  const data = new Float32Array(step.out * height * width);
  const from = source.data;
  for (let out = 0; out < step.out; out++) {
    const start = out * height * width;
    if (step.bias) data.fill(step.bias[out], start, start + height * width);
    for (let channel = 0; channel < source.channels; channel++) {
      const at9 = 9 * (out * source.channels + channel);
      const w = step.weight;
      const [a, b, c] = [w[at9], w[at9 + 1], w[at9 + 2]];
      const [d, e, f] = [w[at9 + 3], w[at9 + 4], w[at9 + 5]];
      const [g, h, i] = [w[at9 + 6], w[at9 + 7], w[at9 + 8]];
      for (let y = 0; y < height; y++) {
        const to = start + y * width;
        let at = channel * plane + y * across;
        for (let x = 0; x < width; x++, at++) {
          const [below, lowest] = [at + across, at + 2 * across];
          data[to + x] += a * from[at] + b * from[at + 1] + c * from[at + 2]
            + d * from[below] + e * from[below + 1] + f * from[below + 2]
            + g * from[lowest] + h * from[lowest + 1] + i * from[lowest + 2];
        }
      }
    }
  }
  return map(data, step.out, height, width);
}

// The binomial blur of 3 x 3 at stride 2 on a map that its own edge continues.
function blurred(input) {
  const source = pad(input, [1, 1], [1, 1], "edge");
  const height = Math.floor((source.height - 3) / 2) + 1;
  const width = Math.floor((source.width - 3) / 2) + 1;
  const data = new Float32Array(input.channels * height * width);
  const taps = [1, 2, 1];
  let to = 0;
  for (let channel = 0; channel < input.channels; channel++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        let sum = 0;
        for (let tap = 0; tap < 9; tap++) {
          const [row, column] = [(tap / 3) | 0, tap % 3];
          const at = (channel * source.height + 2 * y + row) * source.width + 2 * x + column;
          sum += taps[row] * taps[column] * source.data[at];
        }
        data[to++] = sum / 16;
      }
    }
  }
  return map(data, input.channels, height, width);
}

const WINDOW = { kernel: 2, stride: 2 };
const BLENDS = ["blend", "attention", "gated", "blur_blend"];

// Each window with a blend weight of its own, from its four values.
function gatedBlend(input, both, mask) {
  const gates = convolveEach(input, mask);
  const data = both.average.data.map((low, place) =>
    low + gates[place] * (both.maximum.data[place] - low));
  return { ...both.maximum, data };
}

function convolveEach(input, mask) {
  const [height, width] = [Math.floor(input.height / 2), Math.floor(input.width / 2)];
  const gates = new Float32Array(input.channels * height * width);
  let to = 0;
  for (let channel = 0; channel < input.channels; channel++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const at = (channel * input.height + 2 * y) * input.width + 2 * x;
        const below = at + input.width;
        gates[to++] = sigmoid(mask[0] * input.data[at] + mask[1] * input.data[at + 1]
          + mask[2] * input.data[below] + mask[3] * input.data[below + 1]);
      }
    }
  }
  return gates;
}

// One pooling, and the blend weights that it used; `dial` takes the place of its own.
function poolStep(input, step, dial) {
  if (step.kind === "strided") return { pooled: convolve(input, step) };
  const dense = step.kind === "blur" || step.kind === "blur_blend";
  const both = poolBoth(input, dense ? { kernel: 2, stride: 1 } : WINDOW);
  if (step.kind === "blur") return { pooled: blurred(both.maximum) };
  if (step.kind === "max") return { pooled: both.maximum };
  if (step.kind === "average") return { pooled: both.average };
  if (step.kind === "gated" && dial === null) return { pooled: gatedBlend(input, both, step.mask) };
  let { weights } = step;
  if (dial !== null) weights = [dial];
  else if (step.kind === "attention") weights = attention(input, step);
  const pooled = blendMaps(both, weights);
  return { pooled: dense ? blurred(pooled) : pooled, weights };
}

// The probability of each class of a picture {data, channels, height, width} with values from 0 to 1;
// the pooled maps with the blend weights that made them, and the last map before the head.
function ask(network, picture, dial = null) {
  const plane = picture.height * picture.width;
  const normalised = picture.data.map((value, place) => {
    const channel = (place / plane) | 0;
    return (value - network.mean[channel]) / network.std[channel];
  });
  let current = { ...picture, data: normalised };
  const stages = [];
  const [head] = network.steps.slice(-1);
  for (const step of network.steps.slice(0, -1)) {
    if (step.op === "convolve") current = convolveStep(current, step);
    else if (step.op === "relu") current = relu(current);
    else if (step.op === "gelu") current = gelu(current);
    else {
      const stage = poolStep(current, step, dial);
      stages.push(stage);
      current = stage.pooled;
    }
  }
  const scores = linear(channelMeans(current), head.weight, head.bias);
  return { probabilities: softmax(scores), stages, last: current };
}

// Which class a network names: of equals the first.
const largest = (probabilities) => probabilities.indexOf(Math.max(...probabilities));

const blends = (network) => network.steps.some((step) => BLENDS.includes(step.kind));
