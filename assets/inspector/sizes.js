// The window's sizes under the hand: the engine pools until PyTorch has answered, and is then
// compared with it.

const PATIENT = 8; // milliseconds of a frame for the channels that are not shown
const SIZES = ["kernel", "stride", "padding"];
const same = (one, other) => [...SIZES, "ceilMode"].every((name) => one[name] === other[name]);

const Sizing = (Base) => class extends Base {
  listenToSizes() {
    for (const input of this.all("[data-size]")) {
      input.addEventListener("input", () => this.resize(this.chosenSizes()));
      input.addEventListener("change", () => this.soon("window", () => this.tellWindow(), 120));
    }
  }

  chosenSizes() {
    const value = (name) => Number(this.$(`[data-size=${name}]`).value);
    const kernel = value("kernel");
    const padding = Math.min(value("padding"), Math.floor(kernel / 2));
    const ceilMode = this.$("[data-size=ceilMode]").checked;
    return { ...this.shape, kernel, stride: value("stride"), padding, ceilMode };
  }

  showSizes() {
    for (const name of SIZES) {
      const input = this.$(`[data-size=${name}]`);
      if (name === "padding") input.max = Math.floor(this.shape.kernel / 2);
      input.disabled = name === "padding" && this.shape.kernel < 2;
      input.value = this.shape[name];
      this.$(`[data-shown=${name}]`).textContent = this.shape[name];
    }
    this.$("[data-size=ceilMode]").checked = this.shape.ceilMode;
    const { words, device } = this.header;
    const said = this.moved ? words.moving : this.apart === null ? words.by_pytorch : words.checked;
    this.$(".judged").textContent = said
      .replace("{device}", device).replace("{difference}", atMost(this.apart));
  }

  // ---- messages ---------------------------------------------------------------------------

  load(message) {
    const known = this.base;
    const all = this.joined(message, "input");
    if (!all) return this.tellWindow(this.readable(message.header));
    if (this.base !== known) this.unfold();
    if (this.moved && this.base === known) {
      if (!same(message.header.window, this.shape)) return; // the hand was quicker
      this.kept = this.view;
    }
    this.moved = false;
    this.live = null;
    this.apart = null;
    super.load(all);
    this.kept = {};
    this.loaded();
    // The maps come first.
    this.soon("judge", () => this.judge(0, 0), 100);
  }

  // What a message says of window and view, told again by a browser that lacks the picture.
  readable({ window, view }) {
    return { ...view, ...window, has: "" };
  }

  // The feature map as float32: its 16 bits and what they had rounded away.
  unfold() {
    const { header: { low, high, input_shape: shape }, arrays: { input, fine } } = this.base;
    const plane = shape[1] * shape[2];
    this.ends = new Map();
    this.diverging = colourTable(this.base.arrays.diverging);
    this.feature = floats(input, (step, i) => {
      const channel = Math.floor(i / plane);
      return low[channel] + ((high[channel] - low[channel]) * (step + fine[i] / 255 - 0.5)) / FULL;
    });
  }

  tellWindow(told = { ...this.view, ...this.shape, has: this.base.header.base }) {
    this.tell("window", told);
  }

  // ---- the engine -------------------------------------------------------------------------

  // Another window: the frame stays where it is on the feature map.
  resize(shape) {
    const { row, column } = this.view;
    const middle = (index) => index * this.shape.stride - this.shape.padding + (this.shape.kernel - 1) / 2;
    const at = [middle(row), middle(column)];
    this.shape = shape;
    const count = (size) => windowCount(size, shape.kernel, shape.stride, shape.padding, shape.ceilMode);
    [this.rows, this.columns] = [count(this.height), count(this.width)];
    this.view.row = nearestWindow(at[0], this.rows, shape);
    this.view.column = nearestWindow(at[1], this.columns, shape);
    const room = () => new Float32Array(this.channels * this.rows * this.columns);
    this.arrays = { ...this.arrays, max: room(), average: room() };
    this.live = { done: new Set(), next: 0 };
    this.moved = true;
    clearTimeout(this.waiting.judge);
    this.size();
    this.dirty();
  }

  // Both maps of a channel in the map's own units.
  pooledBy(channel) {
    const plane = this.height * this.width;
    const values = this.feature.subarray(channel * plane, (channel + 1) * plane);
    const { maximum, average } = poolBoth(map(values, 1, this.height, this.width), this.shape);
    return { max: maximum.data, average: average.data };
  }

  // One channel while the hand moves, in the steps that maps are painted from.
  pool(channel) {
    if (!this.live || this.live.done.has(channel)) return;
    this.live.done.add(channel);
    const { low, high } = this.header;
    const unit = FULL / (high[channel] - low[channel] || 1);
    const start = channel * this.rows * this.columns;
    for (const [name, values] of Object.entries(this.pooledBy(channel))) {
      const to = this.arrays[name];
      for (let i = 0; i < values.length; i++) to[start + i] = (values[i] - low[channel]) * unit;
    }
  }

  // The other channels, as many as a frame has time for; the rest follows in the next one.
  poolRest() {
    if (!this.live || this.live.next === this.channels) return;
    const first = this.live.next;
    const end = performance.now() + PATIENT;
    while (this.live.next < this.channels && performance.now() < end) this.pool(this.live.next++);
    for (const name of POOLED) this.paintStrip(name, first, this.live.next);
    if (this.live.next < this.channels) this.dirty("rest");
  }

  exampleCell(channel) {
    if (!this.moved) return super.exampleCell(channel);
    this.pool(channel);
    const { max, average } = this.arrays;
    const start = channel * this.rows * this.columns;
    let best = 0;
    for (let i = 1; i < this.rows * this.columns; i++) {
      if (max[start + i] - average[start + i] > max[start + best] - average[start + best]) best = i;
    }
    return [Math.floor(best / this.columns), best % this.columns];
  }

  // ---- the judge --------------------------------------------------------------------------

  // How far the engine's maps lie from PyTorch's, channel by channel, while nothing else is to do.
  judge(channel, apart) {
    const end = performance.now() + PATIENT;
    while (channel < this.channels && performance.now() < end) {
      const { low, high } = this.header;
      const unit = (high[channel] - low[channel]) / FULL;
      const start = channel * this.rows * this.columns;
      for (const [name, values] of Object.entries(this.pooledBy(channel))) {
        const [steps, fine] = [this.arrays[name], this.arrays[`${name}_fine`]];
        for (let i = 0; i < values.length; i++) {
          const wanted = low[channel] + unit * (steps[start + i] + fine[start + i] / 255 - 0.5);
          apart = Math.max(apart, Math.abs(values[i] - wanted));
        }
      }
      channel++;
    }
    if (channel < this.channels) return this.soon("judge", () => this.judge(channel, apart), 0);
    this.apart = apart;
    this.showSizes();
  }
};
