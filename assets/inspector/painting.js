// Painting: maps and their differences, strips, the filter and the legends.

const CLIP = 0.99;

// The value below which a share of all values lie, between neighbours as torch.quantile does.
function quantile(values, share) {
  const sorted = Float32Array.from(values).sort();
  const at = share * (sorted.length - 1);
  const low = sorted[Math.floor(at)];
  return low + (at - Math.floor(at)) * (sorted[Math.ceil(at)] - low);
}

const Painting = (Base) => class extends Base {
  // The values that colours span: of a channel, or of all where they span all.
  spanned(channel) {
    const plane = this.height * this.width;
    return this.view.scope === "all" ? this.feature : this.feature.subarray(channel * plane, (channel + 1) * plane);
  }

  // Colours may end where nearly all cells of the feature map lie below.
  range(channel) {
    const found = super.range(channel);
    if (!this.view.clipped) return found;
    const key = this.view.scope === "all" ? "all" : channel;
    if (!this.ends.has(key)) this.ends.set(key, quantile(this.spanned(channel), CLIP));
    const to = this.ends.get(key);
    if (!(to > found.from)) return found; // nearly all cells are alike: nothing to clip
    const stretch = (found.to - found.from) / (to - found.from);
    return { ...found, to, gain: found.gain * stretch, lift: found.lift * stretch, clipped: true };
  }

  paintChannel() {
    const { channel } = this.view;
    this.paintFeature();
    for (const name of ["max", "average", "attention"]) this.paintPanel(name);
    this.paintFilter();
    this.showLegends();
    const { words } = this.header;
    this.panels.attention.note.textContent = words.attention_value.replace(
      "{value}", this.header.attention[channel].toFixed(3));
    const mark = this.$(".strip-mark");
    mark.style.left = `${channel * this.pitch() * this.zoom - 3}px`;
    mark.style.width = `${this.columns * this.zoom + 6}px`;
  }

  // The filter in the colours of the picture that it looks for; grey takes no part.
  paintFilter() {
    const { channel } = this.view;
    const { stem: { kernel } } = this.header;
    const area = kernel * kernel;
    const weight = this.arrays.weight.subarray(3 * channel * area, 3 * (channel + 1) * area);
    const largest = weight.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
    const rgb = new Uint8Array(3 * area);
    for (let i = 0; i < 3 * area; i++) rgb[3 * (i % area) + Math.floor(i / area)] = 127.5 + 127.5 * (weight[i] / largest);
    const canvas = this.$(".filter canvas");
    canvas.setAttribute("aria-label", `${this.header.words.filter}: ${this.header.names[channel]}`);
    paintRgb(easel(canvas, kernel, kernel), rgb);
    this.$(".filter-size").textContent = `${kernel} × ${kernel}`;
  }

  showLegends() {
    const { channel, difference } = this.view;
    const { from, to, clipped } = this.range(channel);
    const { words } = this.header;
    const legend = this.$(".legend.values");
    paintLegend(legend, this.table, fixed(from), `${clipped ? "≥ " : ""}${fixed(to)}`);
    const mark = legend.querySelector(".clip");
    mark.hidden = !clipped;
    mark.style.background = css(this.table[this.table.length - 1]);
    let note = this.paired ? words.legend_note_both : words.legend_note;
    if (clipped) {
      const values = this.spanned(channel);
      const above = values.reduce((count, value) => count + (value > to), 0);
      note = (this.paired ? words.clipped_note_both : words.clipped_note).replace("{count}", above).replace("{total}", values.length);
    }
    legend.querySelector(".legend-note").textContent = note;
    const differences = this.$(".legend.differences");
    differences.hidden = !difference;
    if (!difference) return;
    const end = this.farthest(channel) * this.range(channel).unit;
    paintLegend(differences, this.diverging, fixed(-end), fixed(end));
  }

  // How far max and average lie apart at most in a channel, in the steps that maps are made of.
  farthest(channel) {
    const { max, average } = this.arrays;
    const count = this.rows * this.columns;
    let most = 0;
    for (let i = channel * count; i < (channel + 1) * count; i++) most = Math.max(most, max[i] - average[i]);
    return most;
  }

  paintPanel(name) {
    const { channel, difference } = this.view;
    const { words } = this.header;
    const panel = this.panels[name];
    const count = this.rows * this.columns;
    const { max, average } = this.arrays;
    const start = channel * count;
    const other = difference && { max, average }[name];
    const weight = this.weightOf(other ? "hybrid" : name, channel);
    const mixed = (i) => blend(average[start + i], max[start + i], weight);
    if (other) {
      const gain = 127.5 / (this.farthest(channel) || 1);
      for (let i = 0; i < count; i++) {
        panel.easel.pixels[i] = this.diverging[Math.round(127.5 + (mixed(i) - other[start + i]) * gain)];
      }
      panel.range.textContent = this.spread((i) => mixed(i) - other[start + i], channel, count, 0);
      panel.easel.show();
    } else {
      this.paintBlended(name, weight);
    }
    const against = { max: words.hybrid_minus_max, average: words.hybrid_minus_average };
    panel.figure.querySelector(".title").textContent = other ? against[name] : words[name];
  }

  paintStrip(name, first = 0, end = this.live ? this.live.next : this.channels) {
    const { context } = this.strips[name];
    const count = this.rows * this.columns;
    const tile = context.createImageData(this.columns, this.rows);
    const pixels = new Uint32Array(tile.data.buffer);
    const { max, average } = this.arrays;
    for (let channel = first; channel < end; channel++) {
      const { gain, lift } = this.range(channel);
      const weight = this.weightOf(name, channel);
      paintBlend(pixels, 0, average, max, channel * count, count, weight, gain, lift, this.table);
      context.putImageData(tile, channel * this.pitch(), 0);
    }
  }
};
