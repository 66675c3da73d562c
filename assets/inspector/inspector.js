// The inspector: one channel of one picture in every pooling, a dial that blends on the spot, and
// the window behind each cell. Python sends the maps once and hears only what the hand lets go of.

const POOLED = ["max", "average", "hybrid", "attention"];
const STRIP_GAP = 2;
const instances = new WeakMap();

export default function mount({ data, parentElement, setStateValue }) {
  let inspector = instances.get(parentElement);
  if (!inspector) {
    inspector = new Inspector(parentElement.querySelector(".inspector"));
    instances.set(parentElement, inspector);
  }
  inspector.send = (view) => setStateValue("view", view);
  if (data && data !== inspector.source) inspector.load(data);
  return () => {
    inspector.dispose();
    instances.delete(parentElement);
  };
}

class Inspector {
  constructor(root) {
    this.root = root;
    this.send = () => {};
    this.view = { weight: 0.5, channel: 0, row: 0, column: 0, pinned: false, scope: "channel" };
    this.frame = 0;
    this.build();
    this.listen();
  }

  $(selector) {
    return this.root.querySelector(selector);
  }

  // ---- page elements ----------------------------------------------------------------------

  build() {
    this.panels = {};
    for (const figure of this.root.querySelectorAll(".panel")) {
      const name = figure.dataset.panel;
      figure.innerHTML = `
        <figcaption><span class="name"><span class="dot"></span><span class="title"></span></span>
          <span class="numbers size"></span></figcaption>
        <div class="stage" tabindex="0" role="img"><canvas></canvas><span class="frame"></span></div>
        <span class="numbers range"></span><span class="note"></span>`;
      const canvas = figure.querySelector("canvas");
      this.panels[name] = {
        figure,
        canvas,
        context: canvas.getContext("2d"),
        stage: figure.querySelector(".stage"),
        frame: figure.querySelector(".frame"),
        range: figure.querySelector(".range"),
        size: figure.querySelector(".size"),
        note: figure.querySelector(".note"),
      };
    }
    this.strips = {};
    for (const name of POOLED) {
      const canvas = document.createElement("canvas");
      canvas.tabIndex = name === "max" ? 0 : -1;
      canvas.setAttribute("role", "img");
      canvas.dataset.strip = name;
      this.$(".strip-rows").append(canvas);
      const label = document.createElement("span");
      label.innerHTML = `<span class="dot"></span><span class="title"></span>`;
      this.$(".strip-names").append(label);
      this.strips[name] = { canvas, context: canvas.getContext("2d"), label };
    }
  }

  listen() {
    const dial = this.$("#dial");
    dial.addEventListener("input", () => this.turn(Number(dial.value)));
    dial.addEventListener("change", () => this.tell());
    this.root.addEventListener("click", (event) => this.clicked(event));
    this.$("select.channel").addEventListener("change", (event) => {
      this.pickChannel(Number(event.target.value));
    });
    for (const radio of this.root.querySelectorAll("[name=scope]")) {
      radio.addEventListener("change", () => this.set({ scope: radio.value }, true));
    }
    for (const [name, { stage }] of Object.entries(this.panels)) {
      stage.addEventListener("pointermove", (event) => {
        if (!this.view.pinned) this.moveTo(...this.cellAt(name, event));
      });
      stage.addEventListener("click", (event) => {
        const [row, column] = this.cellAt(name, event);
        const same = row === this.view.row && column === this.view.column;
        this.set({ row, column, pinned: !(this.view.pinned && same) }, true);
      });
      stage.addEventListener("keydown", (event) => this.panelKey(event));
    }
    for (const { canvas } of Object.values(this.strips)) {
      canvas.addEventListener("keydown", (event) => {
        const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        if (!step) return;
        event.preventDefault();
        this.pickChannel(this.view.channel + step);
      });
    }
  }

  clicked(event) {
    const button = event.target.closest("button");
    if (button?.dataset.step) return this.pickChannel(this.view.channel + Number(button.dataset.step));
    if (button?.dataset.weight !== undefined) return this.turn(Number(button.dataset.weight), true);
    if (button?.classList.contains("restart")) return this.turn(this.header.start, true);
    if (button?.classList.contains("save")) return saveView(this);
    if (event.target.dataset.strip) {
      const box = event.target.getBoundingClientRect();
      const pitch = this.pitch() * this.zoom;
      this.pickChannel(Math.floor((event.clientX - box.left) / pitch));
    }
  }

  panelKey(event) {
    const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (move) {
      this.moveTo(this.view.row + move[0], this.view.column + move[1]);
      if (this.view.pinned) this.tellSoon();
    } else if (event.key === "Enter" || event.key === " ") {
      this.set({ pinned: !this.view.pinned }, true);
    } else if (event.key === "Escape" && this.view.pinned) {
      this.set({ pinned: false }, true);
    } else if (event.key === "," || event.key === ".") {
      this.pickChannel(this.view.channel + (event.key === "." ? 1 : -1));
    } else {
      return;
    }
    event.preventDefault();
  }

  // ---- what is shown ----------------------------------------------------------------------

  load(data) {
    this.source = data;
    const { header, arrays } = unpack(data);
    this.header = header;
    this.arrays = arrays;
    this.shape = header.window;
    this.table = colourTable(arrays.palette);
    [this.channels, this.height, this.width] = header.input_shape;
    [, this.rows, this.columns] = header.pooled_shape;
    this.view = { ...header.view };
    this.label();
    this.size();
    this.root.hidden = false;
    this.set({}, false);
    this.reveal();
  }

  label() {
    const { words, names, colours } = this.header;
    for (const element of this.root.querySelectorAll("[data-word]")) {
      element.textContent = words[element.dataset.word];
    }
    for (const element of this.root.querySelectorAll("[data-label]")) {
      element.setAttribute("aria-label", words[element.dataset.label]);
    }
    for (const [name, { figure, note }] of Object.entries(this.panels)) {
      figure.querySelector(".title").textContent = words[name];
      const dot = figure.querySelector(".dot");
      dot.style.display = colours[name] ? "" : "none";
      dot.style.background = colours[name] ?? "";
      note.textContent = "";
    }
    for (const [name, { label, canvas }] of Object.entries(this.strips)) {
      label.querySelector(".title").textContent = words[name];
      label.querySelector(".dot").style.background = colours[name];
      canvas.setAttribute("aria-label", `${words.all_channels}: ${words[name]}`);
    }
    for (const name of POOLED) this.root.style.setProperty(`--${name}`, colours[name]);
    this.$(".restart").textContent = words.restart.replace("{weight}", this.header.start.toFixed(2));
    this.$("select.channel").replaceChildren(
      ...names.map((name, i) => new Option(`${i + 1} / ${names.length} · ${name}`, i)),
    );
    this.$(".start-mark").style.left = `calc(0.75rem + ${this.header.start} * (100% - 1.5rem))`;
  }

  size() {
    const { image_shape: image } = this.header;
    const sizes = {
      picture: [image[0], image[1]],
      feature_map: [this.height, this.width],
    };
    for (const [name, panel] of Object.entries(this.panels)) {
      const [height, width] = sizes[name] ?? [this.rows, this.columns];
      panel.canvas.width = width;
      panel.canvas.height = height;
      panel.canvas.style.aspectRatio = `${image[1]} / ${image[0]}`;
      panel.size.textContent = `${height} × ${width}`;
      panel.pixels = panel.context.createImageData(width, height);
      panel.words = new Uint32Array(panel.pixels.data.buffer);
    }
    this.zoom = Math.max(1, Math.ceil(44 / Math.max(this.columns, this.rows)));
    for (const { canvas } of Object.values(this.strips)) {
      canvas.width = this.channels * this.pitch() - STRIP_GAP;
      canvas.height = this.rows;
      canvas.style.width = `${canvas.width * this.zoom}px`;
      canvas.style.height = `${canvas.height * this.zoom}px`;
    }
    for (const { label } of Object.values(this.strips)) label.style.height = `${this.rows * this.zoom}px`;
    const { context, pixels, words } = this.panels.picture;
    const rgb = this.arrays.image;
    for (let i = 0; i < words.length; i++) {
      words[i] = 0xff000000 | (rgb[3 * i + 2] << 16) | (rgb[3 * i + 1] << 8) | rgb[3 * i];
    }
    context.putImageData(pixels, 0, 0);
  }

  pitch() {
    return this.columns + STRIP_GAP;
  }

  pickChannel(channel) {
    const last = this.channels - 1;
    const next = Math.min(Math.max(channel, 0), last);
    const cell = this.view.pinned ? {} : { row: this.header.telling[next][0], column: this.header.telling[next][1] };
    this.set({ channel: next, ...cell }, true);
    this.reveal();
  }

  // Scrolls the strips so that the shown channel is in sight.
  reveal() {
    const left = this.view.channel * this.pitch() * this.zoom;
    const scroll = this.$(".strip-scroll");
    const room = scroll.clientWidth - this.columns * this.zoom;
    if (left < scroll.scrollLeft || left > scroll.scrollLeft + room) scroll.scrollLeft = left - room / 2;
  }

  turn(weight, release = false) {
    this.view.weight = weight;
    this.dirty("hybrid");
    if (release) this.tell();
  }

  moveTo(row, column) {
    this.view.row = Math.min(Math.max(row, 0), this.rows - 1);
    this.view.column = Math.min(Math.max(column, 0), this.columns - 1);
    this.dirty("cell");
  }

  set(change, tell) {
    Object.assign(this.view, change);
    this.dirty("all");
    if (tell) this.tell();
  }

  tell() {
    clearTimeout(this.timer);
    this.send({ ...this.view });
  }

  tellSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.tell(), 400);
  }

  cellAt(name, event) {
    const box = this.panels[name].stage.getBoundingClientRect();
    const y = (event.clientY - box.top) / box.height;
    const x = (event.clientX - box.left) / box.width;
    if (POOLED.includes(name)) {
      const clip = (value, count) => Math.min(Math.max(Math.floor(value * count), 0), count - 1);
      return [clip(y, this.rows), clip(x, this.columns)];
    }
    return [
      nearestWindow(Math.floor(y * this.height), this.rows, this.shape),
      nearestWindow(Math.floor(x * this.width), this.columns, this.shape),
    ];
  }

  // ---- painting ---------------------------------------------------------------------------

  dirty(what) {
    this.pending = (this.pending ?? new Set()).add(what);
    this.frame ||= requestAnimationFrame(() => {
      const pending = this.pending;
      this.pending = null;
      this.frame = 0;
      if (pending.has("all")) this.paintChannel();
      if (pending.has("all")) for (const name of POOLED) this.paintStrip(name);
      else if (pending.has("hybrid")) this.paintStrip("hybrid");
      if (pending.has("all") || pending.has("hybrid")) this.paintPanel("hybrid");
      this.showDial();
      this.showCell();
      // Counts paints, so that what is on the screen can be awaited and measured.
      this.root.dataset.painted = Number(this.root.dataset.painted ?? 0) + 1;
    });
  }

  weightOf(name, channel) {
    if (name === "hybrid") return this.view.weight;
    if (name === "attention") return this.header.attention[channel];
    return name === "max" ? 1 : 0;
  }

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

  showDial() {
    const { weight } = this.view;
    const { words } = this.header;
    const dial = this.$("#dial");
    dial.value = weight;
    dial.setAttribute("aria-valuetext", weight.toFixed(2));
    this.$(".dial-value").textContent = weight.toFixed(2);
    const note = weight === 1 ? "same_as_max" : weight === 0 ? "same_as_average" : "dial_note";
    this.$(".dial-note").textContent = words[note]
      .replace("{max}", Math.round(weight * 100)).replace("{average}", Math.round((1 - weight) * 100));
    this.panels.hybrid.note.textContent = words.hybrid_value.replace("{value}", weight.toFixed(2));
  }

  // ---- the window -------------------------------------------------------------------------

  showCell() {
    const { row, column, pinned } = this.view;
    this.root.classList.toggle("pinned", pinned);
    const rows = windowSpan(row, this.height, this.shape);
    const columns = windowSpan(column, this.width, this.shape);
    for (const name of POOLED) this.place(name, row, row + 1, column, column + 1, this.rows, this.columns);
    this.place("feature_map", rows.from, rows.to, columns.from, columns.to, this.height, this.width);
    const { stem, image_shape: image } = this.header;
    const back = (from, to, size) => [
      Math.max(from * stem.stride - stem.padding, 0),
      Math.min((to - 1) * stem.stride - stem.padding + stem.kernel, size),
    ];
    this.place("picture", ...back(rows.from, rows.to, image[0]), ...back(columns.from, columns.to, image[1]), image[0], image[1]);
    this.showWindow(rows, columns);
  }

  place(name, top, bottom, left, right, height, width) {
    const style = this.panels[name].frame.style;
    style.top = `${(top / height) * 100}%`;
    style.height = `${((bottom - top) / height) * 100}%`;
    style.left = `${(left / width) * 100}%`;
    style.width = `${((right - left) / width) * 100}%`;
  }

  showWindow(rows, columns) {
    const { channel, row, column, pinned } = this.view;
    const { words } = this.header;
    const offset = channel * this.height * this.width;
    const cell = channel * this.rows * this.columns + row * this.columns + column;
    const top = this.arrays.max[cell];
    const { from, to } = this.range(channel);
    const lines = [];
    const values = [];
    let winners = 0;
    for (let y = rows.start; y < rows.start + this.shape.kernel; y++) {
      const cells = [];
      for (let x = columns.start; x < columns.start + this.shape.kernel; x++) {
        const td = document.createElement("td");
        if (y < 0 || x < 0 || y >= this.height || x >= this.width) {
          td.className = "outside";
          td.title = words.outside;
        } else {
          const raw = this.arrays.input[offset + y * this.width + x];
          const value = this.value(this.arrays.input, channel, offset + y * this.width + x);
          values.push(value);
          const shade = Math.round(((value - from) / (to - from || 1)) * 255);
          const colour = this.table[Math.min(Math.max(shade, 0), 255)];
          const [r, g, b] = [colour & 255, (colour >> 8) & 255, (colour >> 16) & 255];
          td.style.background = `rgb(${r},${g},${b})`;
          td.style.color = 0.299 * r + 0.587 * g + 0.114 * b > 140 ? "#000" : "#fff";
          td.textContent = this.number(value);
          if (raw === top) {
            td.className = "winner";
            winners++;
          }
        }
        cells.push(td);
      }
      const tr = document.createElement("tr");
      tr.append(...cells);
      lines.push(tr);
    }
    const table = this.$(".window");
    table.className = `window k${this.shape.kernel}`;
    table.replaceChildren(...lines);
    this.$(".card-title").textContent = (pinned ? words.window_pinned : words.window)
      .replace("{row}", row + 1).replace("{column}", column + 1);
    this.showFormulas(values, channel, cell, row, column);
    const notes = [];
    if (winners > 1) notes.push(words.tie.replace("{count}", winners));
    if (values.length < this.shape.kernel ** 2) {
      notes.push(this.shape.countPad ? words.padding_counted : words.padding_ignored);
    }
    this.$(".card-note").textContent = notes.join(" ");
  }

  showFormulas(values, channel, cell, row, column) {
    const { words, colours } = this.header;
    const top = this.value(this.arrays.max, channel, cell);
    const mean = this.value(this.arrays.average, channel, cell);
    const count = divisor(row, column, this.height, this.width, this.shape);
    const n = (value) => (value < 0 ? `(${this.number(value)})` : this.number(value));
    const short = values.length > 9;
    const list = short ? words.window_values.replace("{count}", values.length) : values.map((v) => this.number(v)).join(", ");
    const sum = short ? n(mean * count) : values.map(n).join(" + ");
    const mix = (weight) => `${weight.toFixed(2)} × ${n(top)} + ${(1 - weight).toFixed(2)} × ${n(mean)}`;
    const attention = this.header.attention[channel];
    const formulas = {
      max: [`max(${list})`, top],
      average: [`(${sum}) / ${count}`, mean],
      hybrid: [mix(this.view.weight), blend(mean, top, this.view.weight)],
      attention: [mix(attention), blend(mean, top, attention)],
    };
    const entries = Object.entries(formulas).map(([name, [formula, result]]) => {
      const line = document.createElement("div");
      line.innerHTML = `<dt><span class="dot"></span><span></span></dt><dd><span></span> = <strong></strong></dd>`;
      line.dataset.formula = name;
      line.querySelector(".dot").style.background = colours[name];
      line.querySelector("dt span:last-child").textContent = words[name];
      line.querySelector("dd span").textContent = formula;
      line.querySelector("strong").textContent = this.number(result);
      return line;
    });
    this.$(".formulas").replaceChildren(...entries);
    const spoken = Object.entries(formulas).map(([name, [, result]]) => `${words[name]} ${this.number(result)}`);
    const place = words.window.replace("{row}", row + 1).replace("{column}", column + 1);
    for (const [name, { stage }] of Object.entries(this.panels)) {
      stage.setAttribute("aria-label", `${words[name]}. ${place}. ${spoken.join(", ")}`);
    }
    if (this.root.getRootNode().activeElement?.classList.contains("stage")) {
      this.$(".spoken").textContent = `${place}. ${spoken.join(", ")}`;
    }
  }

  dispose() {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.timer);
  }
}
