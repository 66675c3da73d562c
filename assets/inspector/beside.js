// A second picture below the first: through the same stem, window and dial, all in the browser, so
// that both rows follow the hand.

const TWINS = ["picture", "average", "hybrid", "max", "attention"];

const Pairing = (Base) => class extends Base {
  buildTwins() {
    this.twins = {};
    for (const name of TWINS) {
      const figure = this.$(".twins").appendChild(element("figure", "twin"));
      figure.dataset.twin = name;
      figure.innerHTML = `
        <figcaption><span class="name"><span class="dot"></span><span class="title"></span></span></figcaption>
        <div class="stage"><canvas role="img"></canvas></div>
        <span class="numbers"></span>`;
      const find = (selector) => figure.querySelector(selector);
      this.twins[name] = { figure, canvas: find("canvas"), title: find(".title"), numbers: find(".numbers") };
    }
  }

  get paired() {
    return Boolean(this.second) && !this.video && !this.swiping;
  }

  unfold() {
    super.unfold();
    const { header, arrays } = this.base;
    this.second = null;
    if (!header.beside) return;
    const picture = pictureOf(arrays.beside, header.beside.shape);
    const feature = throughStem(picture, header.stem, arrays);
    this.second = { picture, feature, ...rangesOf(feature), attention: attentionOf(feature, arrays) };
  }

  label(header) {
    super.label(header);
    const { words, colours, beside } = header;
    if (!beside) return;
    const titles = { ...words, picture: beside.title };
    for (const [name, { figure, title }] of Object.entries(this.twins)) {
      title.textContent = titles[name];
      const dot = figure.querySelector(".dot");
      dot.hidden = !colours[name];
      dot.style.background = colours[name] ?? "";
    }
  }

  // ---- one scale of colours for both pictures -----------------------------------------------

  spanned(channel) {
    const own = super.spanned(channel);
    if (!this.paired) return own;
    const { data } = this.second.feature;
    const values = this.view.scope === "all" ? data : this.secondMap(channel).data;
    return Float32Array.of(...own, ...values);
  }

  range(channel) {
    const found = super.range(channel);
    if (!this.paired) return found;
    const { low, high } = this.second;
    const all = this.view.scope === "all";
    const from = Math.min(found.from, all ? Math.min(...low) : low[channel]);
    const to = found.clipped ? found.to : Math.max(found.to, all ? Math.max(...high) : high[channel]);
    const span = to - from || 1;
    return {
      ...found, from, to, gain: (found.unit / span) * 255, lift: ((this.header.low[channel] - from) / span) * 255,
    };
  }

  farthest(channel) {
    const own = super.farthest(channel);
    if (!this.paired) return own;
    const { maximum, average } = this.secondPooled(channel);
    const most = maximum.data.reduce((far, value, i) => Math.max(far, value - average.data[i]), 0);
    return Math.max(own, most / (this.range(channel).unit || 1));
  }

  // ---- the maps of the second picture -------------------------------------------------------

  secondMap(channel) {
    const { data, height, width } = this.second.feature;
    return map(data.subarray(channel * height * width, (channel + 1) * height * width), 1, height, width);
  }

  // Both maps of a channel, until another channel or window is looked at.
  secondPooled(channel) {
    const key = JSON.stringify([channel, this.shape]);
    const { second } = this;
    if (second.key !== key) Object.assign(second, { key, pooled: poolBoth(this.secondMap(channel), this.shape) });
    return second.pooled;
  }

  paintTwins(pending) {
    this.$(".maps").classList.toggle("paired", this.paired);
    if (!this.paired) return;
    const { channel, difference } = this.view;
    const { picture, attention } = this.second;
    const names = pending.has("all") ? TWINS.slice(1) : ["hybrid", ...(difference ? ["max", "average"] : [])];
    if (pending.has("all")) {
      const { canvas } = this.twins.picture;
      canvas.setAttribute("aria-label", this.header.beside.title);
      paintRgb(easel(canvas, picture.height, picture.width), bytesOf(picture.data));
    } else if (!pending.has("hybrid")) return;
    for (const name of names) {
      this.paintTwin(name, name === "attention" ? attention[channel] : this.weightOf(name));
    }
  }

  paintTwin(name, weight) {
    const { channel, difference } = this.view;
    const { maximum, average } = this.secondPooled(channel);
    const { canvas, title, numbers } = this.twins[name];
    const { pixels, show } = easel(canvas, maximum.height, maximum.width);
    const { from, to, unit } = this.range(channel);
    const other = difference && { max: maximum, average }[name];
    const share = other ? this.weightOf("hybrid") : weight;
    const values = maximum.data.map((value, i) => blend(average.data[i], value, share) - (other ? other.data[i] : 0));
    const gain = other ? 127.5 / (this.farthest(channel) * unit || 1) : 255 / (to - from || 1);
    const lift = other ? 127.5 : -from * gain;
    const table = other ? this.diverging : this.table;
    paintBlend(pixels, 0, values, values, 0, values.length, 0, gain, lift, table);
    show();
    const { words, beside } = this.header;
    const against = { max: words.hybrid_minus_max, average: words.hybrid_minus_average };
    title.textContent = other ? against[name] : words[name];
    canvas.setAttribute("aria-label", `${title.textContent}: ${beside.title}`);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const ends = [Math.min(...values), Math.max(...values)].map((value) => fixed(value));
    numbers.textContent = words.spread.replace("{low}", ends[0]).replace("{high}", ends[1]).replace("{mean}", fixed(mean));
  }
};
