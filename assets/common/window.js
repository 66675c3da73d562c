// The window behind a cell: its frame in every panel, its numbers, and the formulas filled in.

const Windowing = (Base) => class extends Base {
  showCell() {
    const { row, column } = this.view;
    const rows = windowSpan(row, this.height, this.shape);
    const columns = windowSpan(column, this.width, this.shape);
    for (const name of Object.keys(this.panels)) {
      if (this.sizes()[name]) continue;
      surround(this.panels[name].frame,
        row / this.rows, (row + 1) / this.rows, column / this.columns, (column + 1) / this.columns);
    }
    surround(this.panels.feature_map.frame,
      rows.from / this.height, rows.to / this.height, columns.from / this.width, columns.to / this.width);
    surround(this.panels.picture.frame, ...this.seen(row, column));
    this.showWindow(rows, columns);
  }

  showWindow(rows, columns) {
    const { channel, row, column, pinned } = this.view;
    const { words } = this.header;
    const offset = channel * this.height * this.width;
    const { from, to } = this.range(channel);
    const lines = [];
    const values = [];
    const inside = [];
    for (let y = rows.start; y < rows.start + this.shape.kernel; y++) {
      const cells = [];
      for (let x = columns.start; x < columns.start + this.shape.kernel; x++) {
        const td = document.createElement("td");
        if (y < 0 || x < 0 || y >= this.height || x >= this.width) {
          td.className = "outside";
          td.title = words.outside;
        } else {
          const at = offset + y * this.width + x;
          const value = this.feature[at];
          values.push(value);
          inside.push({ td, step: this.arrays.input[at] });
          const { fill, ink } = coloursOf(value, from, to, this.table);
          td.style.background = fill;
          td.style.color = ink;
          td.textContent = fixed(value);
        }
        cells.push(td);
      }
      const tr = document.createElement("tr");
      tr.append(...cells);
      lines.push(tr);
    }
    const top = Math.max(...inside.map(({ step }) => step));
    const winners = inside.filter(({ step }) => step === top);
    for (const { td } of winners) td.className = "winner";
    const table = this.$(".window");
    table.className = `window k${this.shape.kernel}`;
    table.replaceChildren(...lines);
    this.$(".card-title").textContent = place(pinned ? words.window_pinned : words.window, row, column);
    this.showFormulas(values, channel, row, column);
    const notes = [];
    if (winners.length > 1) notes.push(words.tie.replace("{count}", winners.length));
    if (values.length < this.shape.kernel ** 2) {
      notes.push(this.shape.countPad ? words.padding_counted : words.padding_ignored);
    }
    this.$(".card-note").textContent = notes.join(" ");
  }

  showFormulas(values, channel, row, column) {
    const { words, colours } = this.header;
    const count = divisor(row, column, this.height, this.width, this.shape);
    const total = values.reduce((sum, value) => sum + value, 0);
    const top = Math.max(...values);
    const mean = total / count;
    const n = (value) => bracketed(fixed(value));
    // Two ways to write what a pooling does with its values: each of them, or their sum. Up to four
    // are always written out, more than nine never, and between them the style sheet decides.
    const sums = values.length > 4 ? [[words.window_values.replace("{count}", values.length), n(total), rounded(total)]] : [];
    if (values.length <= 9) {
      const printed = values.reduce((all, value) => all + rounded(value), 0);
      sums.unshift([values.map((value) => fixed(value)).join(", "), `(${values.map(n).join(" + ")})`, printed]);
    }
    // What a person gets who works out the numbers as they are printed.
    const mix = (weight) => [blend(mean, top, weight), [
      `${share(weight)} × ${n(top)} + ${share(1 - weight)} × ${n(mean)}`,
      Number(share(weight)) * rounded(top) + Number(share(1 - weight)) * rounded(mean),
    ]];
    const known = {
      max: () => [top, ...sums.map(([list]) => [`max(${list})`, rounded(top)])],
      average: () => [mean, ...sums.map(([, sum, printed]) => [`${sum} / ${count}`, printed / count])],
      hybrid: () => mix(this.weightOf("hybrid", channel)),
      attention: () => mix(this.weightOf("attention", channel)),
    };
    const shown = POOLED.filter((name) => this.panels[name]);
    const formulas = Object.fromEntries(shown.map((name) => [name, known[name]()]));
    const entries = Object.entries(formulas).map(([name, [result, ...ways]]) => {
      const line = document.createElement("div");
      line.innerHTML = `<dt><span class="dot"></span><span></span></dt><dd><strong></strong></dd>`;
      line.dataset.formula = name;
      line.querySelector(".dot").style.background = colours[name];
      line.querySelector("dt span:last-child").textContent = words[name];
      line.querySelector("dd").prepend(...ways.map(([formula, workedOut], way) => {
        const span = document.createElement("span");
        if (ways.length > 1) span.className = way ? "short" : "long";
        span.textContent = `${formula} ${agree(workedOut, rounded(result))} `;
        return span;
      }));
      line.querySelector("strong").textContent = fixed(result);
      return line;
    });
    this.$(".formulas").replaceChildren(...entries);
    const spoken = Object.entries(formulas).map(([name, [result]]) => `${words[name]} ${fixed(result)}`);
    const where = place(words.window, row, column);
    for (const [name, { stage }] of Object.entries(this.panels)) {
      stage.setAttribute("aria-label", `${words[name]}. ${where}. ${spoken.join(", ")}`);
    }
    this.say(`${where}. ${spoken.join(", ")}`);
  }
};
