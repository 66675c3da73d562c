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

class Inspector extends Windowing(Painting(Object)) {
  constructor(root) {
    super();
    this.root = root;
    this.send = () => {};
    this.view = { weight: null, channel: 0, row: 0, column: 0, pinned: false, scope: "channel" };
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
    if (button?.classList.contains("restart")) return this.turn(null, true);
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
    this.$("select.channel").replaceChildren(
      ...names.map((name, i) => new Option(`${i + 1} / ${names.length} · ${name}`, i)),
    );
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
    // Streamlit keeps quiet about a state it has had before, so no two are alike.
    this.told = (this.told ?? Date.now()) + 1;
    this.send({ ...this.view, told: this.told });
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
    // An untouched dial leaves the layer its own blend weight, which may differ by channel.
    if (name === "hybrid") return this.view.weight ?? this.header.start[channel];
    if (name === "attention") return this.header.attention[channel];
    return name === "max" ? 1 : 0;
  }

  showDial() {
    const { channel } = this.view;
    const weight = this.weightOf("hybrid", channel);
    const { words } = this.header;
    const dial = this.$("#dial");
    dial.value = weight;
    dial.setAttribute("aria-valuetext", weight.toFixed(2));
    this.$(".dial-value").textContent = weight.toFixed(2);
    const note = weight === 1 ? "same_as_max" : weight === 0 ? "same_as_average" : "dial_note";
    this.$(".dial-note").textContent = words[note]
      .replace("{max}", Math.round(weight * 100)).replace("{average}", Math.round((1 - weight) * 100));
    const start = this.header.start[channel];
    this.$(".restart").textContent = words.restart.replace("{weight}", start.toFixed(2));
    this.$(".start-mark").style.left = `calc(0.75rem + ${start} * (100% - 1.5rem))`;
    this.panels.hybrid.note.textContent = words.hybrid_value.replace("{value}", weight.toFixed(2));
  }

  dispose() {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.timer);
  }
}
