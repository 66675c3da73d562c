// The maps of one channel, each in a panel that can be pointed at: how they are built and painted.

const Panels = (Base) => class extends Base {
  buildPanels() {
    this.panels = {};
    for (const figure of this.all(".panel")) {
      figure.innerHTML = `
        <figcaption><span class="name"><span class="dot"></span><span class="title"></span></span>
          <span class="numbers size"></span></figcaption>
        <div class="stage" tabindex="0" role="img"><canvas></canvas><span class="frame"></span></div>
        <span class="numbers"><span class="range"></span> <span class="note"></span></span>`;
      const find = (selector) => figure.querySelector(selector);
      this.panels[figure.dataset.panel] = {
        figure,
        canvas: find("canvas"),
        stage: find(".stage"),
        frame: find(".frame"),
        range: find(".range"),
        size: find(".size"),
        note: find(".note"),
      };
    }
  }

  listenToPanels() {
    for (const [name, { stage }] of Object.entries(this.panels)) {
      this.listenTo(stage, (event) => (this.sizes()[name] ? this.behind : this.pooledAt).call(this, stage, event));
    }
  }

  // Names and dots of the panels.
  labelPanels({ words, colours }) {
    for (const [name, { figure, note }] of Object.entries(this.panels)) {
      figure.querySelector(".title").textContent = words[name];
      const dot = figure.querySelector(".dot");
      dot.hidden = !colours[name];
      dot.style.background = colours[name] ?? "";
      note.textContent = "";
    }
  }

  // What lies in front of the pooling, and how large it is.
  sizes() {
    return { picture: this.header.image_shape, feature_map: [this.height, this.width] };
  }

  // The canvases and captions of the panels, for maps of the present size.
  sizePanels() {
    const { image_shape: image } = this.header;
    this.root.style.setProperty("--aspect", image[1] / image[0]);
    const sizes = this.sizes();
    for (const [name, panel] of Object.entries(this.panels)) {
      const [height, width] = sizes[name] ?? [this.rows, this.columns];
      panel.easel = easel(panel.canvas, height, width);
      panel.canvas.style.aspectRatio = `${image[1]} / ${image[0]}`;
      panel.size.textContent = `${height} × ${width}`;
      if (sizes[name]) panel.range.after(panel.size);
    }
    paintRgb(this.panels.picture.easel, this.arrays.image);
  }

  weightOf(name, channel = this.view.channel) {
    // An untouched dial leaves the layer its own blend weight, which may differ by channel.
    if (name === "hybrid") return this.view.weight ?? this.header.start[channel];
    if (name === "attention") return this.header.attention[channel];
    return name === "max" ? 1 : 0;
  }

  paintFeature() {
    const { channel } = this.view;
    const { gain, lift } = this.range(channel);
    const { input } = this.arrays;
    const panel = this.panels.feature_map;
    const count = this.height * this.width;
    paintBlend(panel.easel.pixels, 0, input, input, channel * count, count, 0, gain, lift, this.table);
    panel.easel.show();
    panel.range.textContent = this.spread((i) => input[channel * count + i], channel, count);
  }

  // Maximum and average, or two maps called otherwise, blended by a weight.
  paintBlended(name, weight, { max, average } = this.arrays) {
    const { channel } = this.view;
    const { gain, lift } = this.range(channel);
    const panel = this.panels[name];
    const count = this.rows * this.columns;
    const start = channel * count;
    paintBlend(panel.easel.pixels, 0, average, max, start, count, weight, gain, lift, this.table);
    panel.easel.show();
    panel.range.textContent = this.spread(
      (i) => blend(average[start + i], max[start + i], weight), channel, count);
  }

  // Lowest, highest and mean value of a painted map, in the map's own units; `zero` is where they
  // begin.
  spread(valueAt, channel, count, zero = this.header.low[channel]) {
    let low = Infinity, high = -Infinity, sum = 0;
    for (let i = 0; i < count; i++) {
      const value = valueAt(i);
      low = Math.min(low, value);
      high = Math.max(high, value);
      sum += value;
    }
    const { low: lows, high: highs } = this.header;
    const unit = (value) => fixed(zero + (value / FULL) * (highs[channel] - lows[channel]));
    return this.header.words.spread
      .replace("{low}", unit(low)).replace("{high}", unit(high)).replace("{mean}", unit(sum / count));
  }
};
