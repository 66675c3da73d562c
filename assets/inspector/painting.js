// Painting: maps, strips, the legend, and the numbers under each map.

const Painting = (Base) => class extends Base {
  // The range that colours are spread over, and how a channel's 16-bit values reach it.
  range(channel) {
    const { low, high } = this.header;
    const all = this.view.scope === "all";
    const from = all ? Math.min(...low) : low[channel];
    const to = all ? Math.max(...high) : high[channel];
    const span = to - from || 1;
    return {
      from,
      to,
      gain: ((high[channel] - low[channel]) / FULL / span) * 255,
      lift: ((low[channel] - from) / span) * 255,
    };
  }

  value(array, channel, index) {
    const { low, high } = this.header;
    return low[channel] + (array[index] / FULL) * (high[channel] - low[channel]);
  }

  paintChannel() {
    const { channel } = this.view;
    const { gain, lift, from, to } = this.range(channel);
    const { input } = this.arrays;
    const panel = this.panels.feature_map;
    const count = this.height * this.width;
    paintBlend(panel.words, 0, input, input, channel * count, count, 0, gain, lift, this.table);
    panel.context.putImageData(panel.pixels, 0, 0);
    panel.range.textContent = this.spread(input, input, channel, count, 0);
    for (const name of ["max", "average", "attention"]) this.paintPanel(name);
    this.paintLegend(from, to);
    const { words } = this.header;
    this.panels.attention.note.textContent = words.attention_value.replace(
      "{value}", this.header.attention[channel].toFixed(3));
    this.$("select.channel").value = channel;
    for (const radio of this.root.querySelectorAll("[name=scope]")) radio.checked = radio.value === this.view.scope;
    const mark = this.$(".strip-mark");
    mark.style.left = `${channel * this.pitch() * this.zoom - 3}px`;
    mark.style.width = `${this.columns * this.zoom + 6}px`;
  }

  paintPanel(name) {
    const { channel } = this.view;
    const { gain, lift } = this.range(channel);
    const panel = this.panels[name];
    const count = this.rows * this.columns;
    const weight = this.weightOf(name, channel);
    const { max, average } = this.arrays;
    paintBlend(panel.words, 0, average, max, channel * count, count, weight, gain, lift, this.table);
    panel.context.putImageData(panel.pixels, 0, 0);
    panel.range.textContent = this.spread(average, max, channel, count, weight);
  }

  paintStrip(name) {
    const { canvas, context } = this.strips[name];
    const count = this.rows * this.columns;
    const tile = context.createImageData(this.columns, this.rows);
    const words = new Uint32Array(tile.data.buffer);
    const { max, average } = this.arrays;
    context.clearRect(0, 0, canvas.width, canvas.height);
    for (let channel = 0; channel < this.channels; channel++) {
      const { gain, lift } = this.range(channel);
      const weight = this.weightOf(name, channel);
      paintBlend(words, 0, average, max, channel * count, count, weight, gain, lift, this.table);
      context.putImageData(tile, channel * this.pitch(), 0);
    }
  }

  paintLegend(from, to) {
    const context = this.$(".legend-bar").getContext("2d");
    const line = context.createImageData(256, 1);
    new Uint32Array(line.data.buffer).set(this.table);
    context.putImageData(line, 0, 0);
    this.$(".legend-low").textContent = this.number(from);
    this.$(".legend-high").textContent = this.number(to);
  }

  // Lowest, highest and mean value of a painted map, in the map's own units.
  spread(average, max, channel, count, weight) {
    let low = Infinity, high = -Infinity, sum = 0;
    for (let i = channel * count; i < (channel + 1) * count; i++) {
      const value = blend(average[i], max[i], weight);
      low = Math.min(low, value);
      high = Math.max(high, value);
      sum += value;
    }
    const { low: lows, high: highs } = this.header;
    const unit = (value) => this.number(lows[channel] + (value / FULL) * (highs[channel] - lows[channel]));
    return this.header.words.spread
      .replace("{low}", unit(low)).replace("{high}", unit(high)).replace("{mean}", unit(sum / count));
  }

  number(value) {
    return value.toFixed(3).replace("-", "\u2212");
  }
};
