// What flows back: the gradient of one output cell, or of the sum of all, at every cell of the grid.

const Backward = (Base) => class extends Base {
  gradientAt(name, cell) {
    const { rows, columns } = this.header.grid;
    const one = this.back === "one";
    const { max, average } = this.gradients[this.back];
    const at = (one ? this.index * rows * columns : 0) + cell;
    if (name === "hybrid") return blend(average[at], max[at], this.weight);
    return name === "max" ? max[at] : average[at];
  }

  total(name) {
    const totals = this.header.totals[this.back];
    const at = this.back === "one" ? this.index : 0;
    if (name === "hybrid") return blend(totals.average[at], totals.max[at], this.weight);
    return totals[name][at];
  }

  paintBack() {
    const { grid, words, area, windows, kernel } = this.header;
    const one = this.back === "one";
    const window = windows[this.index];
    const size = grid.rows * grid.columns;
    const cells = Array.from({ length: size }, (_v, i) => i);
    const strongest = Math.max(...cells.map((i) => Math.max(this.gradientAt("max", i), this.gradientAt("average", i))));
    const winner = this.cellOfArea(window.tied[0]);
    const spot = this.spot ?? winner;
    const longest = Math.max(3, ...["max", "average"].flatMap((name) => cells.map((i) => number(this.gradientAt(name, i)).length)));
    for (const name of POOLED) {
      const sheet = this.sheets[`${name}_gradient`];
      sheet.resize(grid.rows, grid.columns);
      sheet.fit(Math.max(longest, 5));
      for (const i of cells) {
        const value = this.gradientAt(name, i);
        const share = strongest ? (value / strongest) * 75 : 0;
        sheet.set(i, {
          text: number(value),
          fill: value ? `color-mix(in srgb, var(--${name}) ${share}%, var(--paper))` : "",
          label: called(words.cell_value, i, grid.columns, words[name], number(value)),
          kind: i === spot ? "spot" : "",
        });
      }
      sheet.note.textContent = words.adds_up.replace("{sum}", number(this.total(name)));
      sheet.surround(one ? clipped({ ...window, height: kernel[0], width: kernel[1] }, { ...grid, lead: area.lead }) : null);
      sheet.reach(spot);
    }
    this.explainGradient(spot, one);
  }

  cellOfArea(at) {
    const { area, grid } = this.header;
    return (Math.floor(at / area.columns) - area.lead) * grid.columns + (at % area.columns) - area.lead;
  }

  explainGradient(spot, one) {
    const { grid, words, colours, windows } = this.header;
    const [top, part, mixed] = POOLED.map((name) => this.gradientAt(name, spot));
    const share = one && part ? [`1 / ${windows[this.index].divisor} `] : [];
    const result = (value) => element("strong", "", equals(value));
    const [high, mean] = [this.valueOf("max", this.index), this.valueOf("average", this.index)];
    const weight = one
      ? [`${term(high)} ${MINUS} ${term(mean)} `, result(this.header.weightGradient[this.index])]
      : [`${words.sum_over_cells} `, result(this.header.weightGradientSum)];
    this.$(".gradient-title").textContent = place(words.gradient_cell, Math.floor(spot / grid.columns), spot % grid.columns);
    this.$(".shares").replaceChildren(
      this.line(words.max, colours.max, [element("strong", "", number(top))]),
      this.line(words.average, colours.average, share.length ? [...share, result(part)] : [element("strong", "", number(part))]),
      this.line(words.hybrid, colours.hybrid, [`${mix(this.weight, top, part)} `, result(mixed)]),
    );
    this.$(".to-weight").replaceChildren(...weight);
  }
};
