// One channel of pooled maps: its dial, its range of colours, and the cell that is looked at.
// Python sends the maps once and hears only what the hand lets go of.

const POOLED = ["max", "average", "hybrid", "attention"];

class Maps extends Component {
  constructor(root) {
    super(root);
    this.view = { weight: null, channel: 0, row: 0, column: 0, pinned: false, scope: "channel" };
    this.dial = new Dial(this.$(".dial"), (weight, released) => this.turn(weight, released));
    this.$("select.channel").addEventListener("change", (event) => this.pickChannel(Number(event.target.value)));
    for (const radio of this.all("[name=scope]")) {
      radio.addEventListener("change", () => this.set({ scope: radio.value }));
    }
    for (const button of this.all("[data-step]")) {
      button.addEventListener("click", () => this.pickChannel(this.view.channel + Number(button.dataset.step)));
    }
  }

  // A stage is a map that can be pointed at; `free(event)` says whether a cell is meant.
  listenTo(stage, cellAt, free = () => true) {
    stage.addEventListener("pointermove", (event) => {
      if (!this.view.pinned && free()) this.moveTo(...cellAt(event));
    });
    stage.addEventListener("click", (event) => {
      if (!free()) return;
      const [row, column] = cellAt(event);
      const same = row === this.view.row && column === this.view.column;
      this.set({ row, column, pinned: !(this.view.pinned && same) });
    });
    stage.addEventListener("keydown", (event) => {
      if (free() && this.key(event)) event.preventDefault();
    });
  }

  key({ key }) {
    const move = ARROWS[key];
    if (move) {
      this.moveTo(this.view.row + move[0], this.view.column + move[1]);
      if (this.view.pinned) this.soon("view", () => this.tellView());
    } else if (key === "Enter" || key === " ") {
      this.set({ pinned: !this.view.pinned });
    } else if (key === "Escape" && this.view.pinned) {
      this.set({ pinned: false });
    } else if (key === "," || key === ".") {
      this.pickChannel(this.view.channel + (key === "." ? 1 : -1));
    } else {
      return false;
    }
    return true;
  }

  load({ header, arrays }) {
    this.header = header;
    this.arrays = arrays;
    this.shape = header.window;
    this.table = colourTable(arrays.palette);
    [this.channels, this.height, this.width] = header.input_shape;
    [, this.rows, this.columns] = header.pooled_shape;
    this.view = { ...header.view, ...this.kept };
    this.label(header);
    const { names } = header;
    this.$("select.channel").replaceChildren(
      ...names.map((name, i) => new Option(`${i + 1} / ${names.length} · ${name}`, i)),
    );
  }

  pickChannel(channel) {
    const next = clip(channel, 0, this.channels - 1);
    const [row, column] = this.exampleCell(next);
    this.set({ channel: next, ...(this.view.pinned ? {} : { row, column }) });
  }

  // The cell of a channel that shows best how max and average differ.
  exampleCell(channel) {
    return this.header.example_cells[channel];
  }

  turn(weight, released) {
    this.view.weight = weight;
    this.dirty("hybrid");
    if (released) this.tellView();
  }

  moveTo(row, column) {
    this.view.row = clip(row, 0, this.rows - 1);
    this.view.column = clip(column, 0, this.columns - 1);
    this.dirty("cell");
  }

  set(change) {
    Object.assign(this.view, change);
    this.dirty("all");
    this.tellView();
  }

  tellView() {
    this.tell("view", this.view);
  }

  // The pooled cell at a place of a pooled map, or the one behind a place of a larger map.
  pooledAt(stage, event) {
    const [y, x] = shareAt(stage, event);
    return [clip(Math.floor(y * this.rows), 0, this.rows - 1), clip(Math.floor(x * this.columns), 0, this.columns - 1)];
  }

  behind(stage, event) {
    const [y, x] = shareAt(stage, event);
    return [
      nearestWindow(Math.floor(y * this.height), this.rows, this.shape),
      nearestWindow(Math.floor(x * this.width), this.columns, this.shape),
    ];
  }

  // How a channel's 16-bit values reach the 256 colours of the chosen range.
  range(channel) {
    const { low, high } = this.header;
    const all = this.view.scope === "all";
    const from = all ? Math.min(...low) : low[channel];
    const to = all ? Math.max(...high) : high[channel];
    const unit = (high[channel] - low[channel]) / FULL;
    const span = to - from || 1;
    return { from, to, unit, gain: (unit / span) * 255, lift: ((low[channel] - from) / span) * 255 };
  }

  // The part of the picture that the window of a pooled cell sees, in shares of the picture.
  seen(row, column) {
    const { stem, image_shape: image } = this.header;
    const back = (index, size, end) => {
      const { from, to } = windowSpan(index, size, this.shape);
      return [
        Math.max(from * stem.stride - stem.padding, 0) / end,
        Math.min((to - 1) * stem.stride - stem.padding + stem.kernel, end) / end,
      ];
    };
    return [...back(row, this.height, image[0]), ...back(column, this.width, image[1])];
  }

  showControls() {
    const { channel, scope } = this.view;
    this.dial.show(this.weightOf("hybrid"), this.header.start[channel], this.header.words);
    this.$("select.channel").value = channel;
    for (const radio of this.all("[name=scope]")) radio.checked = radio.value === scope;
    this.root.classList.toggle("pinned", this.view.pinned);
  }
}
