// By hand: the window walks over a small grid, and every number of max, average and hybrid pooling
// fills in as it goes. All values come from Python; only the blend of the dial is made here.

const POOLED = ["max", "average", "hybrid"];
// Attention blends the first channel, which is the grid itself, with a value of its own.
const OUTPUTS = [...POOLED, "attention"];
const LONG = 16; // more terms than this are counted, not listed

class ByHand extends Backward(Playing(Component)) {
  constructor(root) {
    super(root);
    this.still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.speed = 1000;
    this.seen = new Set(); // of the results that are hidden, those that were asked for
    this.build();
    this.listen();
  }

  // ---- page elements ----------------------------------------------------------------------

  build() {
    this.sheets = {};
    for (const figure of this.all(".sheet")) {
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
    this.dial = new Dial(this.$(".dial"), (weight, released) => {
      this.weight = weight;
      this.dirty("dial");
      if (released) this.tellLook();
    });
    this.root.addEventListener("click", (event) => this.clicked(event.target.closest("button")));
    this.root.addEventListener("keydown", (event) => {
      if (!event.target.closest(".pick")) return;
      const { sheet } = event.target.closest(".sheet").dataset;
      const show = () => this.seen.add(`${sheet} ${this.index}`) && this.dirty("window");
      const keys = { " ": () => this.toggle(), ",": () => this.move(-1), ".": () => this.move(1), Enter: show };
      const act = keys[event.key];
      if (!act) return;
      event.preventDefault();
      act();
    });
    for (const name of OUTPUTS) {
      this.sheets[name].pick((index, how) => {
        if (how === "click") this.seen.add(`${name} ${index}`);
        this.takeOver(index, how);
      });
    }
    for (const name of POOLED) {
      this.sheets[`${name}_gradient`].pick((index) => {
        this.spot = index;
        this.dirty("back");
      });
    }
    this.hide = this.$(".hide input");
    this.hide.addEventListener("change", () => {
      this.seen.clear();
      this.dirty("all");
      this.tellLook();
    });
    for (const radio of this.all("[name=speed]")) {
      radio.checked = Number(radio.value) === this.speed;
      radio.addEventListener("change", () => (this.speed = Number(radio.value)));
    }
    for (const radio of this.all("[name=back]")) {
      radio.addEventListener("change", () => {
        this.back = radio.value;
        this.dirty("back");
        this.tellLook();
      });
    }
  }

  clicked(button) {
    if (!button) return;
    if (button.classList.contains("play")) this.toggle();
    else if (button.classList.contains("restart-play")) this.goTo(0, 1);
    else if (button.dataset.step) this.move(Number(button.dataset.step));
    else if (button.classList.contains("whence")) this.showWhence();
  }

  // Goes to where the attention value is computed.
  showWhence() {
    const section = this.$(".attention");
    section.scrollIntoView({ block: "start", behavior: this.still ? "auto" : "smooth" });
    section.querySelector("h2").focus({ preventScroll: true });
  }

  // ---- data -------------------------------------------------------------------------------

  load({ header, arrays }) {
    if (!this.answers(header)) return;
    const before = this.header;
    this.last.edit = 0;
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
    this.label(header);
    if (before) this.keepPlace(before);
    else this.openPlace(header.look);
    this.layGrid();
    this.attention.show(header, this.table);
    paintLegend(this.$(".main-legend"), this.table, number(header.low), number(header.high));
    this.dirty("all");
  }

  // Not an answer to numbers that have been changed again since: a newer one is on its way. What
  // holds the very numbers that stand in the cells is one, however it came about.
  answers({ serial, grid }) {
    if (serial >= (this.last.edit ?? 0)) return true;
    const { values } = this.editor;
    return values.length === grid.values.length && values.every((value, i) => value === grid.values[i]);
  }

  openPlace({ weight, step, row, column, back, hide }) {
    const { output } = this.header;
    this.hide.checked = hide;
    this.weight = weight;
    this.back = back;
    this.touched = step !== null;
    this.index = 0;
    this.filled = this.still ? this.count : 1;
    if (this.touched) {
      this.filled = clip(step, 1, this.count);
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
    const { columns } = this.header.grid;
    const cells = Array.from({ length: values.length / columns }, (_v, i) => values.slice(i * columns, (i + 1) * columns));
    this.tell("edit", { cells });
  }

  // Numbers that were typed need an answer, not only an ear.
  heard(name) {
    return name === "edit" ? !this.last.edit : super.heard(name);
  }

  // ---- words and sizes --------------------------------------------------------------------

  label(header) {
    super.label(header);
    const { words, colours, grid, output, sizes, look } = header;
    this.sheets.grid.label(words.grid, null, `${grid.rows} \u00d7 ${grid.columns}`);
    for (const name of OUTPUTS) {
      this.sheets[name].label(words[name], colours[name], `${output.rows} \u00d7 ${output.columns}`);
    }
    for (const name of POOLED) this.sheets[`${name}_gradient`].label(words[name], colours[name]);
    this.$(".honest").textContent = words.honest;
    this.$(".size-rule").textContent = sizes.rule;
    this.$(".sizes .formulas").replaceChildren(...sizes.lines.map(([name, formula, result]) =>
      this.line(name, null, [`${formula} = `, element("strong", "", String(result))])));
    this.$(".sizes .notes").replaceChildren(...sizes.notes.map((text) => element("li", "", text)));
    this.back ??= look.back;
    for (const radio of this.all("[name=back]")) radio.checked = radio.value === this.back;
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
      const where = called(words.cell_place, i, grid.columns);
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
    const widths = ["grid", ...OUTPUTS].map((name) => this.sheets[name].figure.offsetWidth + gap);
    const flow = widths.reduce((sum, width) => sum + width) - gap <= desk.clientWidth;
    const outputs = OUTPUTS.map((name) => this.sheets[name].figure.offsetHeight + gap);
    const stacked = outputs.reduce((sum, height) => sum + height) - gap <= this.sheets.grid.figure.offsetHeight;
    const beside = widths[0] + Math.max(...widths.slice(1)) - gap <= desk.clientWidth;
    desk.classList.toggle("flow", flow);
    const stack = !flow && stacked && beside;
    desk.classList.toggle("stack", stack);
    const card = this.$(".desk .card");
    // In the order in which they stand, so that the Tab key follows the eye.
    const first = flow || stack || matchMedia("(max-width: 40rem)").matches;
    if ((card.previousElementSibling === this.$(".outputs")) !== first) desk.insertBefore(this.$(".outputs"), first ? card : null);
    card.classList.toggle("wide", card.clientWidth > 46 * parseFloat(getComputedStyle(document.documentElement).fontSize));
  }

  tellLook() {
    const { columns } = this.header.output;
    const { weight, back } = this;
    const look = { weight, back, hide: this.hide.checked, row: Math.floor(this.index / columns), column: this.index % columns };
    this.tell("look", { ...look, step: this.touched ? this.filled : null });
  }

  // ---- painting ---------------------------------------------------------------------------

  paint(pending) {
    const walked = pending.has("all") || pending.has("window");
    this.paintPooled(walked ? OUTPUTS : ["hybrid"]);
    if (walked) this.showWindow();
    if (pending.has("all")) this.arrange();
    this.showFormulas();
    this.dial.show(this.weight, null, this.header.words);
    this.paintBack();
  }

  // Whether a class is to say a result first.
  isHidden(name, index) {
    return this.hide.checked && !this.seen.has(`${name} ${index}`);
  }

  valueOf(name, index) {
    const { max, average } = this.header.output;
    if (name === "attention") return this.header.attention.pooled[0][index];
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
        const value = this.valueOf(name, i);
        const full = i < this.filled;
        if (full && this.isHidden(name, i)) {
          const label = called(words.cell_value, i, output.columns, words[name], words.hidden);
          sheet.set(i, { text: "?", kind: "asked", label });
          continue;
        }
        const label = called(full ? words.cell_value : words.cell_empty, i, output.columns, words[name], number(value));
        sheet.set(i, full ? { text: number(value, 2), ...coloursOf(value, low, high, this.table), label } : { kind: "empty", label });
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
    const tied = this.isHidden("max", index) ? [] : window.tied;
    this.root.classList.toggle("playing", Boolean(this.playing));
    this.$(".play span").textContent = this.playing ? words.pause : words.play;
    this.$(".place").textContent = words.place.replace("{number}", index + 1).replace("{count}", this.count);
    this.$('[data-step="-1"]').disabled = index === 0;
    this.$('[data-step="1"]').disabled = index === this.count - 1;
    this.sheets.grid.surround(span);
    this.sheets.grid.cells.forEach((cell, i) => {
      cell.classList.toggle("winner", i === tied[0]);
      cell.classList.toggle("tied", tied.indexOf(i) > 0);
    });
    for (const name of OUTPUTS) {
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
    const { windows, words, colours, countPad, attention } = this.header;
    const window = windows[this.index];
    const cells = this.terms(window);
    const inMax = cells.filter(({ kind }) => kind < 2);
    const inAverage = cells.filter(({ kind }) => kind === 0 || (kind === 1 && countPad));
    const hidden = OUTPUTS.map((name) => this.isHidden(name, this.index));
    const written = (list, separator, show) => {
      if (list.length > LONG) return [words.window_values.replace("{count}", list.length)];
      return list.flatMap((cell, i) => {
        const part = element("span", cell.at === window.tied[0] && !hidden[0] ? "won" : "", show(cell));
        return i ? [separator, part] : [part];
      });
    };
    const values = OUTPUTS.map((name) => this.valueOf(name, this.index));
    const [top, mean, mixed, attended] = values;
    const result = (value, i) => element("strong", "", hidden[i] ? "= ?" : equals(value));
    const shy = hidden[0] || hidden[1] ? () => "?" : term;
    const mixture = mix(this.weight, top, mean, 2, shy);
    const [share] = attention.values;
    this.$(".whence").textContent = words.whence.replace("{value}", share.toFixed(3));
    const maxTerms = written(inMax, ", ", ({ kind, value }) => (kind ? `${MINUS}\u221e` : number(value)));
    const sumTerms = written(inAverage, " + ", ({ kind, value }) => (kind ? "0" : term(value)));
    this.$(".pooled").replaceChildren(
      this.line(words.max, colours.max, ["max(", ...maxTerms, ") ", result(top, 0)]),
      this.line(words.average, colours.average, ["(", ...sumTerms, `) / ${window.divisor} `, result(mean, 1)]),
      this.line(words.hybrid, colours.hybrid, [`${mixture} `, result(mixed, 2)]),
      this.line(words.attention, colours.attention, [`${mix(share, top, mean, 3, shy)} `, result(attended, 3)]),
    );
    if (!this.aloud) return;
    this.aloud = false;
    const spoken = OUTPUTS.map((name, i) => `${words[name]} ${hidden[i] ? words.hidden : number(values[i])}`).join(", ");
    this.$(".spoken").textContent = [`${this.$(".card-title").textContent}: ${spoken}.`, ...window.notes].join(" ");
  }

  dispose() {
    super.dispose();
    this.watcher.disconnect();
  }
}

export default mounting(ByHand);
