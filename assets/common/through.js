// What Python otherwise computes and sends, computed by the engine: from a picture and a stem's
// weights to all that the inspector shows. A picture is a map of three channels from 0 to 1.

function throughStem(picture, { mean, std, kernel, stride, padding, edge }, { weight, bias }) {
  const plane = picture.height * picture.width;
  const data = picture.data.map((value, i) => {
    const colour = (i / plane) | 0;
    return (value - mean[colour]) / std[colour];
  });
  return relu(convolve({ ...picture, data }, { weight, bias, out: bias.length, kernel, stride, padding, edge }));
}

function attentionOf(feature, { inner, inner_bias: innerBias, outer, outer_bias: outerBias }) {
  return attention(feature, { inner, innerBias, outer, outerBias });
}

// The lowest and highest value of each channel.
function rangesOf({ data, channels, height, width }) {
  const plane = height * width;
  const low = Array(channels).fill(Infinity);
  const high = Array(channels).fill(-Infinity);
  for (let channel = 0; channel < channels; channel++) {
    for (let i = channel * plane; i < (channel + 1) * plane; i++) {
      if (data[i] < low[channel]) low[channel] = data[i];
      if (data[i] > high[channel]) high[channel] = data[i];
    }
  }
  return { low, high };
}

// A map in 16 bits of its channels' ranges, and what they rounded away, as Python packs them.
function quantised({ data, channels, height, width }, { low, high }) {
  const plane = height * width;
  const steps = new Uint16Array(data.length);
  const fine = new Uint8Array(data.length);
  for (let channel = 0; channel < channels; channel++) {
    const unit = FULL / (high[channel] - low[channel] || 1);
    for (let i = channel * plane; i < (channel + 1) * plane; i++) {
      const exact = clip((data[i] - low[channel]) * unit, 0, FULL);
      steps[i] = Math.round(exact);
      fine[i] = Math.round((exact - steps[i] + 0.5) * 255);
    }
  }
  return { steps, fine };
}

// The same unrounded, for what is painted at once.
function stepsOf({ data, height, width }, { low, high }) {
  const plane = height * width;
  const units = low.map((value, channel) => FULL / (high[channel] - value || 1));
  return data.map((value, i) => {
    const channel = (i / plane) | 0;
    return (value - low[channel]) * units[channel];
  });
}

// For each channel the pooled cell where max and average differ most, how much they do, and the cell
// whose average is furthest from zero.
function contrasts({ maximum, average }) {
  const plane = maximum.height * maximum.width;
  const cell = (i) => [Math.floor(i / maximum.width), i % maximum.width];
  return Array.from({ length: maximum.channels }, (_, channel) => {
    let [best, far, sum] = [0, 0, 0];
    const at = (i) => maximum.data[channel * plane + i] - average.data[channel * plane + i];
    const size = (i) => Math.abs(average.data[channel * plane + i]);
    for (let i = 0; i < plane; i++) {
      sum += at(i);
      if (at(i) > at(best)) best = i;
      if (size(i) > size(far)) far = i;
    }
    return { cell: cell(best), mean: sum / plane, far: cell(far), size: size(far) };
  });
}

// The channel and cell that show all three poolings best, as `example_cell` of the library finds
// them: the largest mean contrast in units of the channel's own range, as far as its hybrid map lies
// from the nearer of max and average, without channels whose range is faint beside the widest one.
function exampleCell(found, { low, high }, start) {
  const spans = low.map((value, channel) => high[channel] - value);
  const widest = Math.max(...spans);
  const room = start.map((weight) => Math.min(weight, 1 - weight));
  const factor = room.some((share) => share > 0) ? room : room.fill(1);
  const scores = found.map(({ mean }, channel) =>
    (spans[channel] > 0.05 * widest ? (mean / spans[channel]) * factor[channel] : -1));
  const best = Math.max(...scores);
  if (best > 0) return [scores.indexOf(best), ...found[scores.indexOf(best)].cell];
  const sizes = found.map(({ size }) => size);
  const channel = sizes.indexOf(Math.max(...sizes));
  return [channel, ...found[channel].far];
}

// The message of a picture. `header` holds what does not depend on it: stem, window, words, view.
function messageOf(picture, header, arrays) {
  const feature = throughStem(picture, header.stem, arrays);
  const pooled = poolBoth(feature, header.window);
  const ranges = rangesOf(feature);
  const found = contrasts(pooled);
  const view = { ...header.view };
  const [channel, ...cell] = exampleCell(found, ranges, header.start);
  const chosen = view.channel === null ? channel : Math.min(view.channel, feature.channels - 1);
  if (view.row === null) [view.row, view.column] = view.channel === null ? cell : found[chosen].cell;
  view.channel = chosen;
  view.row = Math.min(view.row, pooled.maximum.height - 1);
  view.column = Math.min(view.column, pooled.maximum.width - 1);
  const { steps: input, fine } = quantised(feature, ranges);
  const { steps: max, fine: maxFine } = quantised(pooled.maximum, ranges);
  const { steps: average, fine: averageFine } = quantised(pooled.average, ranges);
  return {
    header: {
      ...header,
      ...ranges,
      input_shape: [feature.channels, feature.height, feature.width],
      pooled_shape: [feature.channels, pooled.maximum.height, pooled.maximum.width],
      image_shape: [picture.height, picture.width],
      attention: [...attentionOf(feature, arrays)],
      example_cells: found.map(({ cell }) => cell),
      view,
    },
    arrays: {
      ...arrays, image: bytesOf(picture.data), input, fine, max, max_fine: maxFine, average, average_fine: averageFine,
    },
  };
}

// A picture from numbers of 0 to 1, or from 16 bits of them.
function pictureOf(values, [height, width]) {
  const data = values instanceof Uint16Array ? floats(values, (value) => value / FULL) : values;
  return map(data, 3, height, width);
}
