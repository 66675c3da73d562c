// The rows: maps and differences painted, legends, outlines, and the numbers at the end of a row.

const TIE = 255;

const Rows = (Base) => class extends Base {
  // How a channel's 16-bit values reach the 256 colours of the chosen range.
  range(channel) {
    const { low, high, reach } = this.header;
    const all = this.view.scope === "all";
    const from = all ? Math.min(...low) : low[channel];
    const to = all ? Math.max(...high) : high[channel];
    const unit = (high[channel] - low[channel]) / FULL;
    return {
      from,
      to,
      far: all ? Math.max(...reach) : reach[channel],
      unit,
      gain: (unit / (to - from || 1)) * 255,
      lift: ((low[channel] - from) / (to - from || 1)) * 255,
    };
  }

  weightOf(name, side, channel = this.view.channel) {
    // An untouched dial leaves the layer its own blend weight, which may differ by channel.
    if (name === "hybrid") return this.view.weight ?? this.header.start[channel];
    if (name === "attention") return this.header.attention[side][channel];
    return name === "max" ? 1 : 0;
  }

  value(name, side, index) {
    const low = this.header.low[this.view.channel];
    const { unit } = this.range(this.view.channel);
    const { [`${side}_max`]: max, [`${side}_average`]: average } = this.arrays;
    return low + blend(average[index], max[index], this.weightOf(name, side)) * unit;
  }

  // ---- painting ---------------------------------------------------------------------------

  paintPicture(side, rgb) {
    const { context, pixels, colours } = this.at("picture", side);
    for (let i = 0; i < colours.length; i++) {
      colours[i] = 0xff000000 | (rgb[3 * i + 2] << 16) | (rgb[3 * i + 1] << 8) | rgb[3 * i];
    }
    context.putImageData(pixels, 0, 0);
  }

  paintAll() {
    const { words } = this.header;
    const { channel } = this.view;
    for (const name of POOLED) this.paintRow(name);
    this.paintWinners();
    this.paintLegends();
    this.$("select.channel").value = channel;
    for (const radio of this.root.querySelectorAll("[name=scope]")) radio.checked = radio.value === this.view.scope;
    this.$("[data-row=attention] .note").textContent = words.attention_value
      .replace("{clean}", this.header.attention.clean[channel].toFixed(3))
      .replace("{changed}", this.header.attention.changed[channel].toFixed(3));
  }

  paintRow(name) {
    const { channel } = this.view;
    const { gain, lift, unit, far } = this.range(channel);
    const count = this.rows * this.columns;
    const offset = channel * count;
    const { clean_max: m0, clean_average: a0, changed_max: m1, changed_average: a1 } = this.arrays;
    const [before, after] = [this.weightOf(name, "clean"), this.weightOf(name, "changed")];
    const [clean, changed, difference] = SIDES.map((side) => this.at(name, side));
    paintBlend(clean.colours, 0, a0, m0, offset, count, before, gain, lift, this.table);
    paintBlend(changed.colours, 0, a1, m1, offset, count, after, gain, lift, this.table);
    const scale = far ? (unit / far) * 127.5 : 0;
    let largest = 0;
    for (let i = 0, at = offset; i < count; i++, at++) {
      const step = a1[at] + after * (m1[at] - a1[at]) - a0[at] - before * (m0[at] - a0[at]);
      if (Math.abs(step) > largest) largest = Math.abs(step);
      difference.colours[i] = this.diverging[Math.min(Math.max(Math.round(127.5 + step * scale), 0), 255)];
    }
    for (const entry of [clean, changed, difference]) entry.context.putImageData(entry.pixels, 0, 0);
    this.largest ??= {};
    this.largest[name] = this.header.largest[name]?.[channel] ?? largest * unit;
    if (name === "hybrid") {
      this.$("[data-row=hybrid] .note").textContent =
        this.header.words.hybrid_value.replace("{value}", this.weightOf("hybrid").toFixed(2));
    }
    this.showEffect(name);
    this.showOutlines(name);
  }

  paintWinners() {
    const count = this.rows * this.columns;
    const offset = this.view.channel * count;
    const { winners_clean: clean, winners_changed: changed } = this.arrays;
    const [before, after, turned] = SIDES.map((side) => this.at("winners", side));
    const colour = (winner) => (winner === TIE ? 0 : this.winnerTable[winner]);
    for (let i = 0; i < count; i++) {
      const [was, is] = [clean[offset + i], changed[offset + i]];
      before.colours[i] = colour(was);
      after.colours[i] = colour(is);
      turned.colours[i] = was !== is && was !== TIE ? colour(is) : 0;
    }
    for (const entry of [before, after, turned]) entry.context.putImageData(entry.pixels, 0, 0);
    const { windows, changed: moved } = this.header.winners;
    const total = (list) => list.reduce((sum, value) => sum + value, 0);
    const { channel } = this.view;
    const { words } = this.header;
    this.list("winners", [
      ["main", words.winner_changed, this.percent(moved[channel] / windows[channel])],
      ["count", "", this.counted(moved[channel], windows[channel])],
      ["all", words.all, this.percent(total(moved) / total(windows))],
      ["note", words.winner_note, ""],
    ]);
  }

  paintLegends() {
    const { from, to, far } = this.range(this.view.channel);
    const parts = { values: [this.table, from, to], differences: [this.diverging, -far, far] };
    for (const [name, [table, low, high]] of Object.entries(parts)) {
      const legend = this.$(`[data-legend=${name}]`);
      const context = legend.querySelector("canvas").getContext("2d");
      const line = context.createImageData(256, 1);
      new Uint32Array(line.data.buffer).set(table);
      context.putImageData(line, 0, 0);
      legend.querySelector(".low").textContent = this.number(low);
      legend.querySelector(".high").textContent = this.number(high);
    }
  }

  showWinnerLegend() {
    const legend = this.$(".winner-legend");
    const { kernel } = this.shape;
    legend.classList.toggle("small", kernel > 4);
    legend.style.gridTemplateColumns = `repeat(${kernel}, auto)`;
    legend.title = this.header.words.winner_places;
    legend.replaceChildren(...[...this.winnerTable].map((colour) => {
      const cell = document.createElement("i");
      cell.style.background = css(colour);
      return cell;
    }));
    this.$("[data-row=winners] .note").textContent = this.header.words.winner_places;
  }

  // ---- outlines ---------------------------------------------------------------------------

  // Surrounds the cells that changed, thinly those out of reach, and with dashes those in reach.
  showOutlines(name) {
    const { reached } = this.arrays;
    const { rows, columns } = this;
    const around = (marked) => (reached ? outline(marked, rows, columns) : "");
    const inReach = (row, column) => reached[row * columns + column];
    const outer = around(inReach);
    const inner = around((row, column) => inReach(row, column) && this.changedAt(name, row, column));
    const traces = around((row, column) => !inReach(row, column) && this.changedAt(name, row, column));
    for (const side of ["changed", "difference"]) {
      this.at(name, side).svg.innerHTML = reached ? `<path class="trace" d="${traces}"/>
        <path class="ground" d="${outer}"/><path class="reached" d="${outer}"/>
        <path class="ground" d="${inner}"/><path class="outline" d="${inner}"/>` : "";
    }
  }

  changedAt(name, row, column) {
    const cell = this.arrays.cells[(this.view.channel * this.rows + row) * this.columns + column];
    return cell & this.bits(name);
  }

  // Which bits of a cell say that this row changed there. A blend of both changes with either.
  bits(name) {
    if (name === "attention") return 4;
    const weight = this.weightOf(name);
    return (weight > 0 ? 1 : 0) | (weight < 1 ? 2 : 0);
  }

  // ---- numbers ----------------------------------------------------------------------------

  showEffect(name) {
    const { words } = this.header;
    const { channel } = this.view;
    const count = this.rows * this.columns;
    const bits = this.bits(name);
    let cells = 0;
    for (let i = channel * count; i < (channel + 1) * count; i++) if (this.arrays.cells[i] & bits) cells++;
    const lines = [
      ["main", words.relative, this.percent(this.relative(name, channel, channel + 1))],
      ["largest", words.largest, this.number(this.largest[name])],
      ["cells", words.cells, this.counted(cells, count)],
    ];
    const { reached } = this.arrays;
    if (reached) lines.push(["reach", words.reach, String(reached.reduce((sum, value) => sum + value, 0))]);
    lines.push(["all", words.all, this.percent(this.relative(name, 0, this.channels))]);
    this.list(name, lines);
  }

  // ‖changed − clean‖ / ‖clean‖ over channels [first, last), from exact sums.
  relative(name, first, last) {
    const norm = (products, own) => {
      let sum = 0;
      for (let c = first; c < last; c++) {
        const [mm, ma, aa] = products[c];
        const w = name === "attention" ? 0 : this.weightOf(name, "clean", c);
        sum += name === "attention" ? own[c] : w * w * mm + 2 * w * (1 - w) * ma + (1 - w) ** 2 * aa;
      }
      return Math.sqrt(Math.max(sum, 0));
    };
    const { size, moved, size_attention: ownSize, moved_attention: ownMoved } = this.header;
    const change = norm(moved, ownMoved);
    return change === 0 ? 0 : change / norm(size, ownSize);
  }

  list(name, lines) {
    const list = this.$(`[data-row=${name}] .effect`);
    const entries = lines.map(([kind, term, text]) => {
      const line = document.createElement("div");
      line.className = kind;
      line.append(document.createElement("dt"), document.createElement("dd"));
      line.firstChild.textContent = term;
      line.lastChild.textContent = text;
      return line;
    });
    const here = document.createElement("div");
    here.className = "here";
    list.replaceChildren(...entries, here);
  }

  showCell() {
    const { row, column, pinned } = this.view;
    const { words, stem, image_shape: image } = this.header;
    this.root.classList.toggle("pinned", pinned);
    const back = (index, size, end) => {
      const { from, to } = windowSpan(index, size, this.shape);
      return [
        Math.max(from * stem.stride - stem.padding, 0) / end,
        Math.min((to - 1) * stem.stride - stem.padding + stem.kernel, end) / end,
      ];
    };
    const seen = [...back(row, this.height, image[0]), ...back(column, this.width, image[1])];
    const cell = [row / this.rows, (row + 1) / this.rows, column / this.columns, (column + 1) / this.columns];
    for (const entry of this.stages) place(entry.frame, ...(entry.row === "picture" ? seen : cell));
    const index = (this.view.channel * this.rows + row) * this.columns + column;
    const filled = (text) => text.replace("{row}", row + 1).replace("{column}", column + 1);
    const title = filled(pinned ? words.cell_pinned : words.cell);
    const spoken = [title];
    for (const name of POOLED) {
      const [before, after] = ["clean", "changed"].map((side) => this.value(name, side, index));
      const step = this.number(after - before);
      const text = `${this.number(before)} → ${this.number(after)} (${after > before ? "+" : ""}${step})`;
      this.$(`[data-row=${name}] .here`).textContent = text;
      spoken.push(`${words[name]} ${text}`);
    }
    const winner = (side) => {
      const at = this.arrays[`winners_${side}`][index];
      if (at === TIE) return words.tie;
      return words.winner_cell.replace("{row}", Math.floor(at / this.shape.kernel) + 1)
        .replace("{column}", (at % this.shape.kernel) + 1);
    };
    this.$("[data-row=winners] .here").textContent = `${winner("clean")} → ${winner("changed")}`;
    this.$(".where").textContent = title;
    for (const entry of this.stages) {
      if (!this.draws(entry)) entry.stage.setAttribute("aria-label", `${words[entry.row]}, ${words[entry.side]}. ${spoken.join(". ")}`);
    }
    if (this.root.getRootNode().activeElement?.classList.contains("stage")) this.$(".spoken").textContent = spoken.join(". ");
  }

  counted(count, total) {
    return this.header.words.cells_of.replace("{count}", count).replace("{total}", total);
  }

  percent(share) {
    return Number.isFinite(share) ? `${(100 * share).toFixed(1)} %` : share > 0 ? "∞" : "–";
  }

  number(value) {
    return value.toFixed(3).replace("-", "\u2212").replace(/^\u2212(0\.0*)$/, "$1");
  }
};

const css = (colour) => `rgb(${colour & 255},${(colour >> 8) & 255},${(colour >> 16) & 255})`;

function place(element, top, bottom, left, right) {
  element.style.top = `${top * 100}%`;
  element.style.height = `${(bottom - top) * 100}%`;
  element.style.left = `${left * 100}%`;
  element.style.width = `${(right - left) * 100}%`;
}

// The border between marked cells and the others as an SVG path, one line for each side of a cell.
function outline(marked, rows, columns) {
  const inside = (row, column) => row >= 0 && column >= 0 && row < rows && column < columns && marked(row, column);
  const lines = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      if (!inside(row, column)) continue;
      if (!inside(row - 1, column)) lines.push(`M${column} ${row}h1`);
      if (!inside(row + 1, column)) lines.push(`M${column} ${row + 1}h1`);
      if (!inside(row, column - 1)) lines.push(`M${column} ${row}v1`);
      if (!inside(row, column + 1)) lines.push(`M${column + 1} ${row}v1`);
    }
  }
  return lines.join("");
}
