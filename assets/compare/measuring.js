// What is moved and what it measures: the level, a bar for each pooling, the view against max, and
// which pooling stays nearest to clean.

const NEAR = 3e-5; // a tie below this share of the maps' range: twice what 16 bits round away

const Measuring = (Base) => class extends Base {
  // ---- the level --------------------------------------------------------------------------

  listenToLevel() {
    const input = this.$("#level");
    const level = () => this.header.live.levels[Number(input.value)];
    input.addEventListener("input", () => {
      this.holding = true;
      this.printLevel(level());
      this.follow({ level: level() });
    });
    // No browser speaks of a change where the hand lets go at the place where it began.
    for (const end of ["change", "pointerup", "pointercancel"]) {
      input.addEventListener(end, () => {
        if (this.holding) this.letGo("level", { level: level() });
      });
    }
  }

  showLevel() {
    const { live, view, level } = this.header;
    const shown = Boolean(live) && view.kind === "noise";
    this.$(".level").hidden = !shown;
    if (!shown) return;
    const input = this.$("#level");
    input.max = live.levels.length - 1;
    input.value = live.levels.indexOf(level);
    this.$(".level label").textContent = live.label;
    this.printLevel(level);
  }

  printLevel(level) {
    const text = String(Number(level.toPrecision(6)));
    this.$(".level output").textContent = text;
    this.$("#level").setAttribute("aria-valuetext", text);
  }

  // ---- against max ------------------------------------------------------------------------

  listenToAgainst() {
    for (const radio of this.all("[name=against]")) {
      radio.addEventListener("change", () => {
        this.view.against = radio.value;
        this.dirty();
        this.tell("against", { against: radio.value });
      });
    }
  }

  get against() {
    return this.view.against === "max";
  }

  // How much more than max a pooling changed, as a line at the end of its row.
  againstMax(name, first, last) {
    if (!this.against || name === "max") return [];
    return [["against", this.header.words.against_max, this.points(name, first, last)]];
  }

  points(name, first, last) {
    // From the numbers as they are printed, so that they add up.
    const [own, most] = [name, "max"].map((each) => rounded(100 * this.relative(each, first, last), 1));
    if (!Number.isFinite(own - most)) return percent(NaN);
    return this.header.words.points.replace("{points}", signed(own - most, 1));
  }

  // ---- a bar for each pooling -------------------------------------------------------------

  paintBars() {
    const { words, colours, live } = this.header;
    const bars = this.$(".bars");
    this.$(".finding").hidden = !live;
    for (const radio of this.all("[name=against]")) radio.checked = radio.value === (this.view.against ?? "clean");
    if (!live) return;
    const changes = POOLED.map((name) => this.relative(name, 0, this.channels));
    const most = Math.max(...changes.filter(Number.isFinite), 0) || 1;
    bars.replaceChildren(...POOLED.map((name, i) => {
      const bar = element("div", "measure");
      bar.dataset.bar = name;
      const title = element("dt");
      const dot = element("span", "dot");
      dot.style.background = colours[name];
      title.append(dot, words[name]);
      const track = element("dd", "track");
      const length = element("i");
      length.style.width = `${100 * Math.min(changes[i] / most, 1) || 0}%`;
      length.style.background = colours[name];
      const mark = element("b");
      mark.hidden = !this.against;
      mark.style.left = `${100 * Math.min(changes[0] / most, 1) || 0}%`;
      track.append(length, mark);
      const value = element("dd", "value", percent(changes[i]));
      const more = element("dd", "more", this.against && name !== "max" ? this.points(name, 0, this.channels) : "");
      bar.append(title, track, value, more);
      return bar;
    }));
    this.$("[data-row=picture] .legend[data-legend=differences] [data-word]").textContent =
      this.against ? words.differences_against : words.differences;
    this.$(".head .column:nth-child(3)").textContent = this.against ? words.more_than_max : words.difference;
  }

  // ---- who stays nearest to clean ---------------------------------------------------------

  // Max, average or hybrid, whichever moved least in each cell; hybrid only where it is nearer than
  // both, and nobody where the nearest two tie.
  paintNearest() {
    const { colours, words, low, high } = this.header;
    const { clean_max: m0, clean_average: a0, changed_max: m1, changed_average: a1 } = this.arrays;
    const { easel } = this.at("nearest", "difference");
    const count = this.rows * this.columns;
    const offset = this.view.channel * count;
    const tie = NEAR * (Math.max(...high, 0) - Math.min(...low, 0));
    const weight = this.weightOf("hybrid");
    const names = ["max", "average", "hybrid"];
    const titles = [words.nearest_max, words.nearest_average, words.nearest_hybrid];
    const paints = names.map((name) => packed(colours[name]));
    const counts = [0, 0, 0];
    let moved = 0;
    for (let i = 0; i < count; i++) {
      const [dm, da] = [m1[offset + i] - m0[offset + i], a1[offset + i] - a0[offset + i]];
      const far = [Math.abs(dm), Math.abs(da), Math.abs(da + weight * (dm - da))];
      if (Math.max(...far) > tie) moved++;
      const least = far.indexOf(Math.min(...far));
      const clear = far.every((each, k) => k === least || each > far[least] + tie);
      easel.pixels[i] = clear ? paints[least] : 0;
      if (clear) counts[least]++;
    }
    easel.show();
    this.$("[data-row=nearest] .shares").replaceChildren(...names.map((name, k) => {
      const line = element("div");
      line.dataset.nearest = name;
      const dot = element("span", "dot");
      dot.style.background = colours[name];
      const title = element("dt");
      title.append(dot, titles[k]);
      line.append(title, element("dd", "", moved ? percent(counts[k] / moved) : percent(0)));
      return line;
    }));
    this.$("[data-row=nearest] .under").textContent = words.nearest_note.replace("{count}", moved);
  }
};

// A colour as the 32 bits of a canvas.
function packed(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0;
}
