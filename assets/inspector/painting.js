// Painting: maps, strips, the legend, and the numbers under each map.

const Painting = (Base) => class extends Base {
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
    paintBlend(panel.easel.pixels, 0, input, input, channel * count, count, 0, gain, lift, this.table);
    panel.easel.show();
    panel.range.textContent = this.spread(input, input, channel, count, 0);
    for (const name of ["max", "average", "attention"]) this.paintPanel(name);
    paintLegend(this.$(".legend"), this.table, fixed(from), fixed(to));
    const { words } = this.header;
    this.panels.attention.note.textContent = words.attention_value.replace(
      "{value}", this.header.attention[channel].toFixed(3));
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
    paintBlend(panel.easel.pixels, 0, average, max, channel * count, count, weight, gain, lift, this.table);
    panel.easel.show();
    panel.range.textContent = this.spread(average, max, channel, count, weight);
  }

  paintStrip(name) {
    const { canvas, context } = this.strips[name];
    const count = this.rows * this.columns;
    const tile = context.createImageData(this.columns, this.rows);
    const pixels = new Uint32Array(tile.data.buffer);
    const { max, average } = this.arrays;
    context.clearRect(0, 0, canvas.width, canvas.height);
    for (let channel = 0; channel < this.channels; channel++) {
      const { gain, lift } = this.range(channel);
      const weight = this.weightOf(name, channel);
      paintBlend(pixels, 0, average, max, channel * count, count, weight, gain, lift, this.table);
      context.putImageData(tile, channel * this.pitch(), 0);
    }
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
    const unit = (value) => fixed(lows[channel] + (value / FULL) * (highs[channel] - lows[channel]));
    return this.header.words.spread
      .replace("{low}", unit(low)).replace("{high}", unit(high)).replace("{mean}", unit(sum / count));
  }
};
