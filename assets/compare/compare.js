// Clean, changed and their difference, one row for each pooling. Python sends the maps once for
// each change of the picture and hears only what the hand lets go of.

const POOLED = ["max", "average", "hybrid", "attention"];
const GRIDS = [...POOLED, "winners"];
const SIDES = ["clean", "changed", "difference"];
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const instances = new WeakMap();

export default function mount({ data, parentElement, setStateValue }) {
  let compare = instances.get(parentElement);
  if (!compare) {
    compare = new Compare(parentElement.querySelector(".compare"));
    instances.set(parentElement, compare);
  }
  compare.send = setStateValue;
  if (data && data !== compare.source) compare.load(data);
  return () => {
    compare.dispose();
    instances.delete(parentElement);
  };
}

class Compare extends Occluding(Rows(Object)) {
  constructor(root) {
    super();
    this.root = root;
    this.send = () => {};
    this.frame = 0;
    this.build();
    this.listen();
    this.listenToPatch();
  }

  $(selector) {
    return this.root.querySelector(selector);
  }

  // ---- page elements ----------------------------------------------------------------------

  build() {
    for (const name of GRIDS) {
      const row = document.createElement("div");
      row.className = "row";
      row.dataset.row = name;
      row.innerHTML = `
        <div class="name"><span class="title"><span class="dot"></span><span class="word"></span></span>
          <span class="numbers note"></span></div>
        ${SIDES.map((side) => `<div class="stage" data-side="${side}" tabindex="0" role="img">
          <canvas></canvas><svg preserveAspectRatio="none" aria-hidden="true"></svg><span class="frame"></span></div>`).join("")}
        <dl class="effect"></dl>`;
      this.$(".rows").append(row);
    }
    const legend = document.createElement("div");
    legend.className = "winner-legend";
    this.$("[data-row=winners] .name").append(legend);
    this.stages = [...this.root.querySelectorAll(".stage")].map((stage) => {
      const canvas = stage.querySelector("canvas");
      return {
        stage,
        canvas,
        context: canvas.getContext("2d"),
        frame: stage.querySelector(".frame"),
        svg: stage.querySelector("svg"),
        row: stage.closest(".row").dataset.row,
        side: stage.dataset.side,
      };
    });
  }

  at(row, side) {
    return this.stages.find((entry) => entry.row === row && entry.side === side);
  }

  listen() {
    const dial = this.$("#dial");
    dial.addEventListener("input", () => this.turn(Number(dial.value)));
    dial.addEventListener("change", () => this.tell());
    this.$("select.channel").addEventListener("change", (event) => this.pickChannel(Number(event.target.value)));
    for (const radio of this.root.querySelectorAll("[name=scope]")) {
      radio.addEventListener("change", () => this.set({ scope: radio.value }, true));
    }
    this.root.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button?.dataset.step) this.pickChannel(this.view.channel + Number(button.dataset.step));
      else if (button?.dataset.weight !== undefined) this.turn(Number(button.dataset.weight), true);
      else if (button?.classList.contains("restart")) this.turn(null, true);
    });
    for (const entry of this.stages) {
      entry.stage.addEventListener("pointermove", (event) => {
        if (!this.view.pinned && !this.draws(entry)) this.moveTo(...this.cellAt(entry, event));
      });
      entry.stage.addEventListener("click", (event) => {
        if (this.draws(entry)) return;
        const [row, column] = this.cellAt(entry, event);
        const same = row === this.view.row && column === this.view.column;
        this.set({ row, column, pinned: !(this.view.pinned && same) }, true);
      });
      entry.stage.addEventListener("keydown", (event) => {
        if (this.draws(entry) ? this.patchKey(event) : this.cellKey(event)) event.preventDefault();
      });
    }
  }

  cellKey(event) {
    const move = STEPS[event.key];
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
      return false;
    }
    return true;
  }

  // ---- what is shown ----------------------------------------------------------------------

  load(data) {
    this.source = data;
    const { header, arrays } = unpack(data);
    // The same maps changed otherwise: what the person looks at meanwhile stays.
    const kept = this.header?.key === header.key ? this.view : {};
    this.header = header;
    this.arrays = arrays;
    this.shape = header.window;
    this.table = colourTable(arrays.palette);
    this.diverging = colourTable(arrays.diverging);
    this.winnerTable = colourTable(arrays.winner_palette);
    [this.channels, this.rows, this.columns] = header.pooled_shape;
    [, this.height, this.width] = header.input_shape;
    const { kind, fill, shape } = header.view;
    this.view = { ...header.view, ...kept, kind, fill, shape };
    this.label();
    this.size();
    this.showPatch({ ...header.box });
    this.root.hidden = false;
    this.set({}, false);
  }

  label() {
    const { words, names, colours } = this.header;
    for (const element of this.root.querySelectorAll("[data-word]")) element.textContent = words[element.dataset.word];
    for (const element of this.root.querySelectorAll("[data-label]")) element.setAttribute("aria-label", words[element.dataset.label]);
    this.$("[data-row=picture] .title").textContent = words.picture;
    for (const name of GRIDS) {
      const row = this.$(`[data-row=${name}]`);
      row.querySelector(".word").textContent = words[name];
      const dot = row.querySelector(".dot");
      dot.hidden = !colours[name];
      dot.style.display = colours[name] ? "" : "none";
      dot.style.background = colours[name] ?? "";
      if (colours[name]) this.root.style.setProperty(`--${name}`, colours[name]);
    }
    this.$("select.channel").replaceChildren(
      ...names.map((name, i) => new Option(`${i + 1} / ${names.length} · ${name}`, i)),
    );
    this.$(".occluder-keys").hidden = this.view.kind !== "occlusion";
    this.showWinnerLegend();
  }

  size() {
    const [height, width] = this.header.image_shape;
    this.root.style.setProperty("--aspect", width / height);
    this.$("[data-row=picture] .size").textContent = `${height} × ${width}`;
    for (const entry of this.stages) {
      const picture = entry.row === "picture";
      entry.canvas.width = picture ? width : this.columns;
      entry.canvas.height = picture ? height : this.rows;
      entry.pixels = entry.context.createImageData(entry.canvas.width, entry.canvas.height);
      entry.colours = new Uint32Array(entry.pixels.data.buffer);
      entry.svg?.setAttribute("viewBox", `0 0 ${this.columns} ${this.rows}`);
    }
    this.paintPicture("clean", this.arrays.image_clean);
    this.paintPicture("changed", this.arrays.image_changed);
  }

  pickChannel(channel) {
    const next = Math.min(Math.max(channel, 0), this.channels - 1);
    const [row, column] = this.header.telling[next];
    this.set({ channel: next, ...(this.view.pinned ? {} : { row, column }) }, true);
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
    this.send("view", { ...this.view });
  }

  tellSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.tell(), 400);
  }

  cellAt({ stage, row }, event) {
    const box = stage.getBoundingClientRect();
    const y = (event.clientY - box.top) / box.height;
    const x = (event.clientX - box.left) / box.width;
    if (row !== "picture") return [Math.floor(y * this.rows), Math.floor(x * this.columns)];
    return [
      nearestWindow(Math.floor(y * this.height), this.rows, this.shape),
      nearestWindow(Math.floor(x * this.width), this.columns, this.shape),
    ];
  }

  dirty(what) {
    this.pending = (this.pending ?? new Set()).add(what);
    this.frame ||= requestAnimationFrame(() => {
      const { pending } = this;
      this.pending = null;
      this.frame = 0;
      if (pending.has("all")) this.paintAll();
      else if (pending.has("hybrid")) this.paintRow("hybrid");
      this.showDial();
      this.showCell();
      // Counts paints, so that what is on the screen can be awaited and measured.
      this.root.dataset.painted = Number(this.root.dataset.painted ?? 0) + 1;
    });
  }

  showDial() {
    const weight = this.weightOf("hybrid");
    const start = this.header.start[this.view.channel];
    const dial = this.$("#dial");
    dial.value = weight;
    dial.setAttribute("aria-valuetext", weight.toFixed(2));
    this.$(".dial-value").textContent = weight.toFixed(2);
    this.$(".restart").textContent = this.header.words.restart.replace("{weight}", start.toFixed(2));
    this.$(".start-mark").style.left = `calc(0.75rem + ${start} * (100% - 1.5rem))`;
  }

  dispose() {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.timer);
    clearTimeout(this.patchTimer);
  }
}
