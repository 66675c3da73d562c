// The rows: maps and differences painted, legends, outlines, and the numbers at the end of a row.

const TIE = 255;

const Rows = (Base) => class extends Base {
  // The range of the colours, and how far the differences reach.
  range(channel) {
    const { reach, low, high } = this.header;
    const all = this.view.scope === "all";
    const [from, to] = all ? [Math.min(...low), Math.max(...high)] : [low[channel], high[channel]];
    const gain = 255 / (to - from || 1);
    return { from, to, gain, lift: -from * gain, far: all ? Math.max(...reach) : reach[channel] };
  }

  weightOf(name, side = "clean", channel = this.view.channel) {
    // An untouched dial leaves the layer its own blend weight, which may differ by channel.
    if (name === "hybrid") return this.view.weight ?? this.header.start[channel];
    if (name === "attention") return this.header.attention[side][channel];
    return name === "max" ? 1 : 0;
  }

  value(name, side, index) {
    const { [`${side}_max`]: max, [`${side}_average`]: average } = this.arrays;
    return blend(average[index], max[index], this.weightOf(name, side));
  }

  // ---- painting ---------------------------------------------------------------------------

  paintAll() {
    const { words } = this.header;
    const { channel } = this.view;
    for (const name of POOLED) this.paintRow(name);
    this.paintNearest();
    this.paintBars();
    this.paintWinners();
    this.paintLegends();
    this.$("[data-row=attention] .note").textContent = words.attention_value
      .replace("{clean}", this.header.attention.clean[channel].toFixed(3))
      .replace("{changed}", this.header.attention.changed[channel].toFixed(3));
  }

  paintRow(name) {
    const { channel } = this.view;
    const { gain, lift, far } = this.range(channel);
    const count = this.rows * this.columns;
    const offset = channel * count;
    const { clean_max: m0, clean_average: a0, changed_max: m1, changed_average: a1 } = this.arrays;
    const [before, after] = [this.weightOf(name, "clean"), this.weightOf(name, "changed")];
    const [clean, changed, difference] = SIDES.map((side) => this.at(name, side));
    paintBlend(clean.easel.pixels, 0, a0, m0, offset, count, before, gain, lift, this.table);
    paintBlend(changed.easel.pixels, 0, a1, m1, offset, count, after, gain, lift, this.table);
    const scale = far ? 127.5 / far : 0;
    const against = this.against && name !== "max";
    let largest = 0;
    for (let i = 0, at = offset; i < count; i++, at++) {
      let step = a1[at] + after * (m1[at] - a1[at]) - a0[at] - before * (m0[at] - a0[at]);
      if (Math.abs(step) > largest) largest = Math.abs(step);
      if (against) step = Math.abs(step) - Math.abs(m1[at] - m0[at]);
      difference.easel.pixels[i] = this.diverging[clip(Math.round(127.5 + step * scale), 0, 255)];
    }
    for (const entry of [clean, changed, difference]) entry.easel.show();
    this.largest ??= {};
    this.largest[name] = this.header.largest[name]?.[channel] ?? largest;
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
      before.easel.pixels[i] = colour(was);
      after.easel.pixels[i] = colour(is);
      turned.easel.pixels[i] = was !== is && was !== TIE ? colour(is) : 0;
    }
    for (const entry of [before, after, turned]) entry.easel.show();
    const { windows, changed: moved } = this.header.winners;
    const total = (list) => list.reduce((sum, value) => sum + value, 0);
    const { channel } = this.view;
    const { words } = this.header;
    this.list("winners", [
      ["main", words.winner_changed, percent(moved[channel] / windows[channel]),
        this.counted(moved[channel], windows[channel])],
      ["all", words.all, percent(total(moved) / total(windows))],
    ], words.winner_note);
  }

  paintLegends() {
    const { from, to, far } = this.range(this.view.channel);
    const ends = { values: [this.table, from, to], differences: [this.diverging, -far, far] };
    for (const [name, [table, low, high]] of Object.entries(ends)) {
      paintLegend(this.$(`[data-legend=${name}]`), table, fixed(low), fixed(high));
    }
  }

  showWinnerLegend() {
    const legend = this.$(".winner-legend");
    const { kernel } = this.shape;
    legend.classList.toggle("small", kernel > 4);
    legend.style.gridTemplateColumns = `repeat(${kernel}, auto)`;
    legend.title = this.header.words.winner_places;
    legend.replaceChildren(...[...this.winnerTable].map((colour) => {
      const cell = element("i");
      cell.style.background = css(colour);
      return cell;
    }));
    this.$("[data-row=winners] .note").textContent = this.header.words.winner_places;
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
      ["main", words.relative, percent(this.relative(name, channel, channel + 1))],
      ...this.againstMax(name, channel, channel + 1),
      ["largest", words.largest, fixed(this.largest[name])],
      ["cells", words.cells, this.counted(cells, count)],
    ];
    const { reached } = this.arrays;
    if (reached) lines.push(["reach", words.reach, String(reached.reduce((sum, value) => sum + value, 0))]);
    lines.push(["all", words.all, percent(this.relative(name, 0, this.channels))]);
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

  list(name, lines, note = "") {
    const effect = this.$(`[data-row=${name}] .effect`);
    effect.querySelector("dl").replaceChildren(...lines.map(([kind, term, ...texts]) => {
      const line = element("div", kind);
      line.append(element("dt", "", term), ...texts.map((text) => element("dd", "", text)));
      return line;
    }));
    effect.querySelector(".under").textContent = note;
  }

  showCell() {
    const { row, column, pinned } = this.view;
    const { words } = this.header;
    const cell = [row / this.rows, (row + 1) / this.rows, column / this.columns, (column + 1) / this.columns];
    for (const entry of this.stages) {
      surround(entry.frame, ...(entry.row === "picture" ? this.seen(row, column) : cell));
    }
    const index = (this.view.channel * this.rows + row) * this.columns + column;
    const title = place(pinned ? words.cell_pinned : words.cell, row, column);
    const spoken = [title];
    for (const name of POOLED) {
      const [before, after] = ["clean", "changed"].map((side) => this.value(name, side, index));
      const text = `${fixed(before)} → ${fixed(after)} (${signed(after - before)})`;
      this.$(`[data-row=${name}] .here`).textContent = text;
      spoken.push(`${words[name]} ${text}`);
    }
    const winner = (side) => {
      const at = this.arrays[`winners_${side}`][index];
      if (at === TIE) return words.tie;
      return place(words.winner_cell, Math.floor(at / this.shape.kernel), at % this.shape.kernel);
    };
    this.$("[data-row=winners] .here").textContent = `${winner("clean")} → ${winner("changed")}`;
    this.$(".where").textContent = title;
    for (const entry of this.stages) {
      if (!this.draws(entry)) entry.stage.setAttribute("aria-label", `${words[entry.row]}, ${words[entry.side]}. ${spoken.join(". ")}`);
    }
    this.say(spoken.join(". "));
  }

  counted(count, total) {
    return this.header.words.cells_of.replace("{count}", count).replace("{total}", total);
  }
};
