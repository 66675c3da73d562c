// The race as it runs: curves, and a table that is legend and read-out in one.

const FAINT = 0.14;
const DASHES = { solid: [], dashed: [7, 4], dotted: [2, 3] };

class Learning extends Component {
  constructor(root) {
    super(root);
    this.history = null;
    this.cursor = null; // null follows the newest step
    this.hidden = new Set();
    this.emphasised = null;
    this.plots = {};
    this.sizes = new ResizeObserver(() => this.again());
    this.sizes.observe(root);
  }

  // ---- what comes ---------------------------------------------------------------------------

  load({ header, arrays }) {
    if (header.from === 0 && this.history?.run !== header.run) {
      this.history = new History(header);
      this.cursor = null;
    }
    if (!this.history?.fits(header)) return this.trigger("missing", true);
    this.history.add(header, arrays);
    const texts = JSON.stringify([header.words, header.arms, header.charts]);
    this.header = header;
    if (texts !== this.texts) this.build();
    this.texts = texts;
    this.root.hidden = false;
    this.dirty();
  }

  build() {
    const { words, charts } = this.header;
    const holders = [this.$(".charts"), this.$(".charts.more")];
    for (const holder of holders) holder.replaceChildren();
    this.plots = {};
    for (const [i, chart] of charts.entries()) {
      const figure = document.createElement("figure");
      figure.className = "chart";
      figure.dataset.chart = chart.key;
      figure.innerHTML = `<figcaption><span class="title"></span> <span class="quiet"></span></figcaption>
        <canvas tabindex="0" role="img"></canvas>`;
      figure.querySelector(".title").textContent = chart.title;
      figure.querySelector(".quiet").textContent = chart.note;
      const canvas = figure.querySelector("canvas");
      canvas.setAttribute("aria-label", `${chart.title}. ${chart.note} ${words.keys}`);
      holders[i < 2 ? 0 : 1].append(figure);
      const plot = new Plot(canvas);
      this.plots[chart.key] = plot;
      this.listen(canvas, plot);
    }
    this.$(".keys").textContent = words.keys;
    this.buildTable();
    this.$(".channels .title").textContent = words.channels;
  }

  buildTable() {
    const { arms, columns } = this.header;
    const heads = columns.map(({ title }) => element("th", "", title));
    for (const head of heads) head.scope = "col";
    this.$("thead tr").replaceChildren(element("td"), ...heads);
    this.rows = arms.map((arm, i) => {
      const row = document.createElement("tr");
      row.dataset.arm = arm.key;
      row.innerHTML = `<th scope="row"><button type="button"><svg viewBox="0 0 32 12" aria-hidden="true">
        <line x1="1" y1="6" x2="31" y2="6" stroke-width="4"/></svg><span></span></button></th>${"<td></td>".repeat(columns.length)}`;
      const line = row.querySelector("line");
      line.setAttribute("stroke", this.header.colours.arms[i]);
      line.setAttribute("stroke-dasharray", DASHES[arm.dash].join(" "));
      row.querySelector("button span").textContent = arm.name;
      const button = row.querySelector("button");
      button.addEventListener("click", () => this.toggle(i));
      row.addEventListener("pointerenter", () => this.emphasise(i));
      row.addEventListener("pointerleave", () => this.emphasise(null));
      button.addEventListener("focus", () => button.matches(":focus-visible") && this.emphasise(i));
      button.addEventListener("blur", () => this.emphasise(null));
      return row;
    });
    this.$("tbody").replaceChildren(...this.rows);
  }

  // ---- the hand -----------------------------------------------------------------------------

  listen(canvas, plot) {
    canvas.addEventListener("pointermove", (event) => this.point(plot.stepAt(event.offsetX)));
    canvas.addEventListener("pointerdown", (event) => this.point(plot.stepAt(event.offsetX)));
    canvas.addEventListener("pointerleave", () => this.point(null));
    canvas.addEventListener("keydown", (event) => {
      const last = this.history.length - 1;
      const now = this.cursor ?? last;
      const far = event.shiftKey ? 10 : 1;
      const next = { ArrowLeft: now - far, ArrowRight: now + far, Home: 0, End: last, Escape: null }[event.key];
      if (next === undefined) return;
      event.preventDefault();
      this.point(next);
      this.soon("speak", () => this.speak());
    });
    canvas.addEventListener("blur", () => this.point(null));
  }

  point(step) {
    const last = this.history.length - 1;
    this.cursor = step === null ? null : clip(step, 0, last);
    this.dirty();
  }

  toggle(arm) {
    if (!this.hidden.delete(arm)) this.hidden.add(arm);
    this.dirty();
  }

  emphasise(arm) {
    this.emphasised = arm;
    this.dirty();
  }

  speak() {
    const { arms, words } = this.header;
    const step = this.cursor ?? this.history.length - 1;
    const shown = arms.map((arm, i) => [arm.name, this.history.weight[i][step]]).filter((_, i) => arms[i].learns);
    this.$(".spoken").textContent = `${words.step.replace("{step}", step).replace("{steps}", this.header.steps)}: ${shown
      .map(([name, value]) => `${name} ${value.toFixed(2)}`)
      .join(", ")}`;
  }

  // ---- what is drawn ------------------------------------------------------------------------

  again() {
    if (this.header) this.dirty();
  }

  paint() {
    const { header, history } = this;
    const last = history.length - 1;
    const step = this.cursor ?? last;
    const fill = (text) => text.replace("{step}", step).replace("{steps}", header.steps);
    this.$(".count").textContent = fill(header.words.step);
    this.$(".state").textContent = this.cursor === null ? header.words.state : fill(header.words.looking);
    this.$(".progress span").style.width = `${(100 * last) / header.steps}%`;
    const theme = this.theme();
    for (const chart of header.charts) {
      this.plots[chart.key].draw({
        lines: this.lines(chart.key),
        axis: this.axis(chart),
        steps: header.steps,
        cursor: this.cursor,
        theme,
        label: header.words.axis,
      });
    }
    this.paintTable(step);
    this.paintChannels(step);
    this.root.dataset.step = last;
  }

  theme() {
    const style = getComputedStyle(this.root);
    const size = Math.max(12, parseFloat(style.fontSize) * 0.875);
    const colour = (name) => style.getPropertyValue(name).trim();
    return { ink: style.color, paper: colour("--paper"), line: colour("--line"), size, font: `${size}px ${style.fontFamily}` };
  }

  lines(key) {
    const { header, history } = this;
    if (key === "channel") {
      return history.channel.map((values, i) => ({ values, colour: header.colours.channels[i], width: 2 }));
    }
    const found = [];
    const order = header.arms.map((_, i) => i).sort((a, b) => (a === this.emphasised) - (b === this.emphasised));
    for (const i of order) {
      const arm = header.arms[i];
      if (this.hidden.has(i) || ((key === "gradient" || key === "slope") && !arm.logit)) continue;
      const faded = this.emphasised !== null && this.emphasised !== i;
      const look = { colour: header.colours.arms[i], dash: DASHES[arm.dash], alpha: faded ? FAINT : 1, width: this.emphasised === i ? 4 : arm.learns ? 2.5 : 1.5 };
      if (key === "accuracy") {
        found.push({ ...look, steps: history.measured, values: history.test[i] });
      } else if (key === "gradient" || key === "loss") {
        found.push({ ...look, values: runningMean(key === "loss" ? history.loss[i] : history.gradient[i]) });
      } else if (key === "slope") {
        found.push({ ...look, values: history.weight[i].map((s) => s * (1 - s)) });
      } else {
        found.push({ ...look, values: history.weight[i] });
      }
    }
    return found;
  }

  axis({ key }) {
    if (key === "gradient") return { ...this.span(this.lines(key)), logarithmic: true };
    if (key === "slope") return { low: 0, high: 0.25 };
    if (key === "loss") return { low: 0, high: Math.max(0.1, this.highest(this.lines(key))) * 1.05 };
    if (key === "accuracy") return { low: this.header.lowest_accuracy, high: 1, percent: true };
    return { low: 0, high: 1 };
  }

  highest(lines) {
    return lines.reduce((most, { values }) => values.reduce((a, b) => (b > a ? b : a), most), 0);
  }

  // Whole powers of ten around everything drawn.
  span(lines) {
    let [low, high] = [Infinity, 0];
    for (const { values } of lines) {
      for (const value of values) {
        if (value > 0 && value < low) low = value;
        if (value > high) high = value;
      }
    }
    if (!(high > 0)) return { low: 1e-3, high: 1 };
    const ends = [Math.max(low, high / 1e6), high].map(Math.log10);
    return { low: 10 ** Math.floor(ends[0]), high: 10 ** Math.max(Math.ceil(ends[1]), Math.floor(ends[0]) + 1) };
  }

  paintTable(step) {
    const { header, history } = this;
    const at = history.measurementAt(step);
    const measured = history.measured[at];
    const caption = measured === step ? header.words.table : header.words.table_between;
    this.$("caption").textContent = caption.replace("{step}", step).replace("{measured}", measured);
    const short = (value) => (Number.isFinite(value) ? (Math.abs(value) < 0.001 && value ? value.toExponential(0) : fixed(value)) : "–");
    for (const [i, row] of this.rows.entries()) {
      const weight = history.weight[i][step];
      const { logit, learns } = header.arms[i];
      const texts = {
        weight: weight.toFixed(2),
        moved: learns ? signed(weight - history.weight[i][0], 2) : "–",
        gradient: logit ? short(history.gradient[i][step]) : "–",
        slope: logit ? (weight * (1 - weight)).toFixed(3) : "–",
        loss: short(history.loss[i][step]),
        train: percent(history.train[i][at]),
        test: percent(history.test[i][at]),
      };
      for (const [j, { key }] of header.columns.entries()) row.cells[j + 1].textContent = texts[key];
      row.classList.toggle("dimmed", this.hidden.has(i));
      row.querySelector("button").setAttribute("aria-pressed", String(!this.hidden.has(i)));
    }
  }

  paintChannels(step) {
    const { header, history } = this;
    const { words, classes } = header;
    const rows = [];
    if (header.channels) rows.push([words.per_channel, history.channel.map((values) => values[step])]);
    const values = history.attention[history.measurementAt(step)];
    const count = header.attention_channels;
    if (count) classes.forEach((name, i) => rows.push([words.attention.replace("{class}", name), [...values.slice(i * count, (i + 1) * count)]]));
    const figure = this.$(".channels");
    figure.hidden = !rows.length;
    this.$(".channels .note").textContent = words.channels_note;
    if (!rows.length) return;
    const columns = rows[0][1].length;
    const box = this.$(".cells");
    box.style.gridTemplateColumns = `max-content repeat(${columns}, minmax(2.6rem, 1fr))`;
    const cells = [element("span", "name", words.channel), ...Array.from({ length: columns }, (_, i) => element("span", "number", i + 1))];
    for (const [name, line] of rows) {
      cells.push(element("span", "name", name));
      for (const value of line) {
        const cell = element("span", "cell", value.toFixed(2));
        const [red, green, blue] = header.palette[Math.round(clip(value, 0, 1) * (header.palette.length - 1))];
        cell.style.setProperty("--fill", `rgb(${red} ${green} ${blue})`);
        cell.style.setProperty("--on-fill", inkOn(red, green, blue));
        cells.push(cell);
      }
    }
    box.replaceChildren(...cells);
    reach(figure);
  }

  dispose() {
    super.dispose();
    this.sizes.disconnect();
  }
}

export default mounting(Learning);
