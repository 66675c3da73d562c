// The window behind a cell: its frame in every panel, its numbers, and the formulas filled in.

const Windowing = (Base) => class extends Base {
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
    const weight = this.weightOf("hybrid", channel);
    const attention = this.header.attention[channel];
    const formulas = {
      max: [`max(${list})`, top],
      average: [`(${sum}) / ${count}`, mean],
      hybrid: [mix(weight), blend(mean, top, weight)],
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
};
