// By hand: the window walks over a small grid, and every number of max, average and hybrid pooling
// fills in as it goes. All values come from Python; only the blend of the dial is made here.

const POOLED = ["max", "average", "hybrid"];
const LONG = 16; // more terms than this are counted, not listed
const instances = new WeakMap();

export default function mount({ data, parentElement, setStateValue }) {
  let page = instances.get(parentElement);
  if (!page) {
    page = new ByHand(parentElement.querySelector(".by-hand"));
    instances.set(parentElement, page);
  }
  page.send = setStateValue;
  if (data && data !== page.source) page.load(data);
  return () => {
    page.dispose();
    instances.delete(parentElement);
  };
}

class ByHand {
  constructor(root) {
    this.root = root;
    this.still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.serial = 0;
    this.speed = 1000;
    this.build();
    this.listen();
  }

  $(selector) {
    return this.root.querySelector(selector);
  }

  // ---- page elements ----------------------------------------------------------------------

  build() {
    this.sheets = {};
    for (const figure of this.root.querySelectorAll(".sheet")) {
      this.sheets[figure.dataset.sheet] = new Sheet(figure);
    }
    const { figure } = this.sheets.grid;
    this.complaint = figure.appendChild(element("p", "complaint"));
    this.complaint.setAttribute("role", "alert");
    this.editor = new Editor(this.sheets.grid, {
      changed: (values) => this.edited(values),
      refuse: (reason, text, kept) => {
        this.complaint.textContent = this.header.words[reason].replace("{text}", text).replace("{kept}", kept)
          .replace("{low}", number(-this.header.limits.limit)).replace("{high}", this.header.limits.limit);
      },
      accept: () => (this.complaint.textContent = ""),
    });
    this.watcher = new ResizeObserver(() => this.arrange());
    this.watcher.observe(this.$(".desk"));
    this.attention = new AttentionSteps(this.root, (index, how) => this.takeOver(index, how));
  }

  listen() {
    const dial = this.$("#by-hand-dial");
    dial.addEventListener("input", () => this.turn(Number(dial.value)));
    dial.addEventListener("change", () => this.tell());
    this.root.addEventListener("click", (event) => this.clicked(event.target.closest("button")));
    this.root.addEventListener("keydown", (event) => {
      if (!event.target.closest(".pick")) return;
      const act = { " ": () => this.toggle(), ",": () => this.move(-1), ".": () => this.move(1) }[event.key];
      if (!act) return;
      event.preventDefault();
      act();
    });
    for (const name of POOLED) {
      this.sheets[name].pick((index, how) => this.takeOver(index, how));
      this.sheets[`${name}_gradient`].pick((index) => {
        this.spot = index;
        this.dirty("back");
      });
    }
    for (const radio of this.root.querySelectorAll("[name=speed]")) {
      radio.checked = Number(radio.value) === this.speed;
      radio.addEventListener("change", () => (this.speed = Number(radio.value)));
    }
    for (const radio of this.root.querySelectorAll("[name=back]")) {
      radio.addEventListener("change", () => {
        this.back = radio.value;
        this.dirty("back");
        this.tell();
      });
    }
  }

  clicked(button) {
    if (!button) return;
    if (button.classList.contains("play")) this.toggle();
    else if (button.classList.contains("restart-play")) this.goTo(0, 1);
    else if (button.dataset.step) this.move(Number(button.dataset.step));
    else if (button.dataset.weight) {
      this.turn(Number(button.dataset.weight));
      this.tell();
    }
  }

  // ---- data -------------------------------------------------------------------------------

  load(data) {
    this.source = data;
    const { header, arrays } = unpack(data);
    // An answer to numbers that have been changed again since: a newer one is on its way.
    if (header.serial < this.serial) return;
    const before = this.header;
    this.serial = header.serial;
    this.header = header;
    this.table = colourTable(arrays.palette);
    const floats = (raw) => new Float64Array(raw.buffer);
    this.gradients = {
      one: { max: floats(arrays.max_gradient), average: floats(arrays.average_gradient) },
      sum: { max: floats(arrays.max_gradient_sum), average: floats(arrays.average_gradient_sum) },
    };
    this.count = header.windows.length;
    const { max, average } = header.output;
    const whole = [...max, ...average].map((value) => number(Math.trunc(value)).length);
    this.digits = Math.max(...whole) + (max.some((value, i) => value % 1 || value !== average[i]) ? 3 : 0);
    this.root.hidden = false;
    this.label();
    if (before) this.keepPlace(before);
    else this.openPlace(header.look);
    this.layGrid();
    this.attention.show(header, this.table);
    paintLegend(this.$(".main-legend"), header, this.table);
    this.dirty("all");
  }

  openPlace({ weight, step, row, column, back }) {
    const { output } = this.header;
    this.weight = weight;
    this.back = back;
    this.touched = step !== null;
    this.index = 0;
    this.filled = this.still ? this.count : 1;
    if (this.touched) {
      this.filled = Math.min(Math.max(step, 1), this.count);
      this.index = Math.min(row, output.rows - 1) * output.columns + Math.min(column, output.columns - 1);
      this.index = Math.min(this.index, this.filled - 1);
    } else if (!this.still) this.play();
  }

  // After a change: what was full stays full, what was playing starts over on another output.
  keepPlace(before) {
    const { output } = this.header;
    const old = before.output;
    if (old.rows === output.rows && old.columns === output.columns) return;
    const full = this.filled === before.windows.length;
    const [row, column] = [Math.floor(this.index / old.columns), this.index % old.columns];
    this.index = Math.min(row, output.rows - 1) * output.columns + Math.min(column, output.columns - 1);
    this.filled = full ? this.count : Math.min(Math.max(this.filled, this.index + 1), this.count);
    if (this.playing) {
      this.index = 0;
      this.filled = 1;
    }
  }

  edited(values) {
    this.complaint.textContent = "";
    this.serial += 1;
    const { columns } = this.header.grid;
    const cells = Array.from({ length: values.length / columns }, (_v, i) => values.slice(i * columns, (i + 1) * columns));
    this.send("edit", { serial: this.serial, cells });
  }

  // ---- words and sizes --------------------------------------------------------------------

  label() {
    const { words, colours, grid, output, sizes, look } = this.header;
    for (const item of this.root.querySelectorAll("[data-word]")) item.textContent = words[item.dataset.word];
    for (const item of this.root.querySelectorAll("[data-label]")) item.setAttribute("aria-label", words[item.dataset.label]);
    for (const item of this.root.querySelectorAll("[data-title]")) item.title = words[item.dataset.title];
    for (const [name, colour] of Object.entries(colours)) this.root.style.setProperty(`--${name}`, colour);
    this.sheets.grid.label(words.grid, null, `${grid.rows} \u00d7 ${grid.columns}`);
    for (const name of POOLED) {
      this.sheets[name].label(words[name], colours[name], `${output.rows} \u00d7 ${output.columns}`);
      this.sheets[`${name}_gradient`].label(words[name], colours[name]);
    }
    this.$(".honest").textContent = words.honest;
    this.$(".size-rule").textContent = sizes.rule;
    this.$(".sizes .formulas").replaceChildren(...sizes.lines.map(([name, formula, result]) =>
      this.line(name, null, [`${formula} = `, element("strong", "", String(result))])));
    this.$(".sizes .notes").replaceChildren(...sizes.notes.map((text) => element("li", "", text)));
    this.back ??= look.back;
    for (const radio of this.root.querySelectorAll("[name=back]")) radio.checked = radio.value === this.back;
  }

  // One named formula.
  line(name, colour, parts) {
    const row = element("div");
    const dt = row.appendChild(element("dt"));
    if (colour) dt.appendChild(element("span", "dot")).style.background = colour;
    dt.append(element("span", "", name));
    row.appendChild(element("dd")).append(...parts);
    return row;
  }

  layGrid() {
    const { area, grid, limits, words, low, high } = this.header;
    const sheet = this.sheets.grid;
    const shape = JSON.stringify([area.rows, area.columns, grid.rows, grid.columns, area.kinds]);
    const inside = area.kinds.flatMap((kind, i) => (kind ? [] : [i]));
    if (shape !== this.shape) {
      sheet.rows = 0; // padding and grid trade places, so the cells are built anew
      sheet.resize(area.rows, area.columns);
      this.editor.build(inside, grid.columns);
      this.shape = shape;
    }
    sheet.fit(Math.max(...grid.values.map((value) => number(value, limits.decimals).length)));
    area.kinds.forEach((kind, i) => {
      const [name, label] = kind === 1 ? ["padding", words.padding_cell] : ["beyond", words.beyond_cell];
      if (kind) sheet.set(i, { kind: area.idle[i] ? `${name} idle` : name, label });
    });
    inside.forEach((at, i) => {
      const editing = sheet.cells[at].classList.contains("editing") ? " editing" : "";
      const idle = area.idle[at] ? "idle" : "";
      sheet.set(at, { ...(idle ? {} : coloursOf(grid.values[i], low, high, this.table)), kind: idle + editing });
      const where = place(words.cell_place, Math.floor(i / grid.columns), i % grid.columns);
      this.editor.inputs[i].setAttribute("aria-label", idle ? `${where}. ${words.idle_cell}` : where);
    });
    for (const i of area.kinds.keys()) {
      if (area.kinds[i] === 1) this.fillPadding(sheet.cells[i].firstElementChild);
    }
    this.editor.show(grid.values, limits);
  }

  // A padding cell says what it is for each pooling: minus infinity for max, a zero for average.
  fillPadding(span) {
    const lines = [element("div", "", `${MINUS}\u221e`)];
    if (this.header.countPad) lines.push(element("div", "", "0"));
    span.replaceChildren(...lines);
  }

  // The outputs stand beside the grid where there is room for them.
  arrange() {
    const desk = this.$(".desk");
    const gap = parseFloat(getComputedStyle(desk).columnGap);
    const widths = ["grid", ...POOLED].map((name) => this.sheets[name].figure.offsetWidth + gap);
    desk.classList.toggle("flow", widths.reduce((sum, width) => sum + width) - gap <= desk.clientWidth);
    const card = this.$(".desk .card");
    card.classList.toggle("wide", card.clientWidth > 46 * parseFloat(getComputedStyle(document.documentElement).fontSize));
  }

  // ---- playback ---------------------------------------------------------------------------

  play() {
    if (this.index === this.count - 1) {
      this.index = 0;
      this.filled = 1;
    }
    this.playing = this.index < this.count - 1;
    this.wait();
    this.dirty("window");
  }

  wait() {
    clearTimeout(this.clock);
    if (this.playing) this.clock = setTimeout(() => this.advance(), this.speed);
  }

  advance() {
    this.index += 1;
    this.filled = Math.max(this.filled, this.index + 1);
    this.playing = this.index < this.count - 1;
    this.wait();
    this.dirty("window");
    if (!this.playing && this.touched) this.tell();
  }

  pause() {
    this.playing = false;
    clearTimeout(this.clock);
  }

  toggle() {
    this.touched = true;
    if (!this.playing) return this.play();
    this.pause();
    this.dirty("window");
    this.tell();
  }

  goTo(index, filled) {
    this.touched = true;
    this.pause();
    this.index = Math.min(Math.max(index, 0), this.count - 1);
    this.filled = filled;
    this.dirty("window");
    this.tellSoon();
  }

  // A step back at the front empties the last cell again; elsewhere it only looks back.
  move(step) {
    const front = step < 0 && this.index === this.filled - 1;
    const index = Math.min(Math.max(this.index + step, 0), this.count - 1);
    this.goTo(index, Math.max(front ? index + 1 : this.filled, index + 1));
  }

  takeOver(index, how) {
    this.aloud = how === "key";
    if (index === this.index && !this.playing && how !== "click") return this.dirty("window");
    this.goTo(index, Math.max(this.filled, index + 1));
  }

  turn(weight) {
    this.weight = weight;
    this.dirty("dial");
  }

  tell() {
    clearTimeout(this.timer);
    const { columns } = this.header.output;
    const look = { weight: this.weight, back: this.back, row: Math.floor(this.index / columns), column: this.index % columns };
    this.send("look", { ...look, step: this.touched ? this.filled : null });
  }

  tellSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.tell(), 400);
  }

  // ---- painting ---------------------------------------------------------------------------

  dirty(what) {
    this.pending = (this.pending ?? new Set()).add(what);
    this.drawing ||= requestAnimationFrame(() => {
      const { pending } = this;
      this.pending = null;
      this.drawing = 0;
      const walked = pending.has("all") || pending.has("window");
      this.paintPooled(walked ? POOLED : ["hybrid"]);
      if (walked) this.showWindow();
      if (pending.has("all")) this.arrange();
      this.showFormulas();
      this.showDial();
      this.paintBack();
      // Counts paints, so that what is on the screen can be awaited and measured.
      this.root.dataset.painted = Number(this.root.dataset.painted ?? 0) + 1;
    });
  }

  valueOf(name, index) {
    const { max, average } = this.header.output;
    if (name === "hybrid") return blend(average[index], max[index], this.weight);
    return name === "max" ? max[index] : average[index];
  }

  paintPooled(names) {
    const { output, words, low, high } = this.header;
    for (const name of names) {
      const sheet = this.sheets[name];
      sheet.resize(output.rows, output.columns);
      // Room for every position of the dial, so that nothing jumps while it is turned.
      sheet.fit(this.digits);
      for (let i = 0; i < this.count; i++) {
        const where = place(i < this.filled ? words.cell_value : words.cell_empty, Math.floor(i / output.columns), i % output.columns).replace("{name}", words[name]);
        const value = this.valueOf(name, i);
        if (i >= this.filled) sheet.set(i, { kind: "empty", label: where });
        else sheet.set(i, { text: number(value, 2), ...coloursOf(value, low, high, this.table), label: where.replace("{value}", number(value)) });
      }
    }
  }

  showWindow() {
    const { header, index } = this;
    const { area, output, words, kernel } = header;
    const window = header.windows[index];
    const span = { top: window.top, left: window.left, height: kernel[0], width: kernel[1] };
    const at = [Math.floor(index / output.columns), index % output.columns];
    this.spot = null;
    this.root.classList.toggle("playing", Boolean(this.playing));
    this.$(".play span").textContent = this.playing ? words.pause : words.play;
    this.$(".place").textContent = words.place.replace("{number}", index + 1).replace("{count}", this.count);
    this.$('[data-step="-1"]').disabled = index === 0;
    this.$('[data-step="1"]').disabled = index === this.count - 1;
    this.sheets.grid.surround(span);
    this.sheets.grid.cells.forEach((cell, i) => {
      cell.classList.toggle("winner", i === window.tied[0]);
      cell.classList.toggle("tied", window.tied.indexOf(i) > 0);
    });
    for (const name of POOLED) {
      this.sheets[name].surround({ top: at[0], left: at[1], height: 1, width: 1 });
      this.sheets[name].reach(index);
    }
    this.attention.window(index, span, { ...header.grid, lead: area.lead });
    this.$(".card-title").textContent = place(words.window, ...at);
    const notes = [...window.notes, ...header.grid.notes];
    this.$(".card .notes").replaceChildren(...notes.map((text) => element("li", "", text)));
  }

  // The cells of the window in reading order: kind, and for cells of the grid place and number.
  terms({ top, left }) {
    const { area, kernel, grid } = this.header;
    const found = [];
    for (let row = top; row < top + kernel[0]; row++) {
      for (let column = left; column < left + kernel[1]; column++) {
        const at = row * area.columns + column;
        const value = grid.values[(row - area.lead) * grid.columns + column - area.lead];
        found.push({ kind: area.kinds[at], at, value });
      }
    }
    return found;
  }

  showFormulas() {
    const { windows, words, colours, countPad } = this.header;
    const window = windows[this.index];
    const cells = this.terms(window);
    const inMax = cells.filter(({ kind }) => kind < 2);
    const inAverage = cells.filter(({ kind }) => kind === 0 || (kind === 1 && countPad));
    const written = (list, separator, show) => {
      if (list.length > LONG) return [words.window_values.replace("{count}", list.length)];
      return list.flatMap((cell, i) => {
        const part = element("span", cell.at === window.tied[0] ? "won" : "", show(cell));
        return i ? [separator, part] : [part];
      });
    };
    const result = (value) => element("strong", "", equals(value));
    const [top, mean, mixed] = POOLED.map((name) => this.valueOf(name, this.index));
    const maxTerms = written(inMax, ", ", ({ kind, value }) => (kind ? `${MINUS}\u221e` : number(value)));
    const sumTerms = written(inAverage, " + ", ({ kind, value }) => (kind ? "0" : term(value)));
    this.$(".pooled").replaceChildren(
      this.line(words.max, colours.max, ["max(", ...maxTerms, ") ", result(top)]),
      this.line(words.average, colours.average, ["(", ...sumTerms, `) / ${window.divisor} `, result(mean)]),
      this.line(words.hybrid, colours.hybrid, [`${mix(this.weight, top, mean)} `, result(mixed)]),
    );
    if (!this.aloud) return;
    this.aloud = false;
    const spoken = POOLED.map((name, i) => `${words[name]} ${number([top, mean, mixed][i])}`).join(", ");
    this.$(".spoken").textContent = [`${this.$(".card-title").textContent}: ${spoken}.`, ...window.notes].join(" ");
  }

  showDial() {
    const { words } = this.header;
    const dial = this.$("#by-hand-dial");
    dial.value = this.weight;
    dial.setAttribute("aria-valuetext", this.weight.toFixed(2));
    this.$(".dial-value").textContent = this.weight.toFixed(2);
    const note = { 0: words.same_as_average, 1: words.same_as_max }[this.weight] ?? words.dial_note;
    this.$(".dial-note").textContent = note
      .replace("{max}", Math.round(this.weight * 100)).replace("{average}", Math.round((1 - this.weight) * 100));
  }

  // ---- what flows back --------------------------------------------------------------------

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
          label: place(words.cell_value, Math.floor(i / grid.columns), i % grid.columns)
            .replace("{name}", words[name]).replace("{value}", number(value)),
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

  dispose() {
    this.watcher.disconnect();
    cancelAnimationFrame(this.drawing);
    clearTimeout(this.clock);
    clearTimeout(this.timer);
  }
}
