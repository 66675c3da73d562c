// The picture and the changed one through networks that differ in their pooling, while the hand moves.

const LINES = 3;
const SIDE = 32;
const ANSWER = 5000; // milliseconds

class Answers extends Filming(Occluding(Component)) {
  constructor(root) {
    super(root);
    this.results = new Map();
    this.clean = new Map();
    this.version = 0;
    this.dial = new Dial(this.$(".dial"), (weight, released) => this.turn(weight, released));
    this.slider = this.$(".level input");
    this.slider.addEventListener("input", () => this.level(false));
    this.slider.addEventListener("change", () => this.level(true));
    this.$(".arrows").addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) this.shiftBy(...button.dataset.step.split(",").map(Number));
    });
    this.at("picture", "changed").stage.addEventListener("keydown", (event) => {
      if (this.view?.action !== "shift" || !ARROWS[event.key]) return;
      event.preventDefault();
      this.shiftBy(...ARROWS[event.key]);
    });
    this.$(".rows").addEventListener("click", (event) => {
      const dot = event.target.closest(".dots button");
      if (dot) this.look(Number(dot.dataset.place));
    });
    this.easels = Object.fromEntries(["clean", "changed"].map((side) =>
      [side, easel(this.$(`[data-side=${side}] canvas`), SIDE, SIDE)]));
    this.$(".save").addEventListener("click", () => saveAnswers(this));
    this.arrived = () => this.header && this.stale();
    window.addEventListener("hybridpool-networks", this.arrived);
    this.listenToPatch();
    this.listenToCamera();
  }

  dispose() {
    super.dispose();
    clearTimeout(this.later);
    window.removeEventListener("hybridpool-networks", this.arrived);
  }

  // Where the occluder is drawn, for what handles it.
  at(row, side) {
    return { stage: this.$(`[data-side=${side}] .stage`), row, side };
  }

  // ---- what is shown ----------------------------------------------------------------------

  load({ header, arrays }) {
    const another = this.header?.key !== header.key;
    // What the hand has moved since then counts, and Python hears of it.
    const newer = (this.told ?? 0) > header.told || this.moving || this.grab;
    const { box, ...view } = header.view;
    this.view = newer && this.view && !another ? { ...view, ...this.held() } : view;
    this.box = newer && this.box && !another ? this.box : box;
    this.header = header;
    for (const row of header.rows) row.networks = row.chosen;
    const read = (name) => (arrays[name] ? new Float32Array(arrays[name].buffer) : null);
    const picture = { data: read("picture"), channels: 3, height: SIDE, width: SIDE };
    if (this.named !== header.named) {
      clearTimeout(this.waiting.answer);
      if (this.video) this.stopCamera(); // another picture was chosen
    }
    this.named = header.named;
    if (this.video) this.still = picture;
    else this.picture = picture;
    this.draw = read("draw");
    if (another) this.clean.clear();
    if (this.video && this.waits) {
      this.endFilm();
      this.sayOfCamera(header.words.camera_waits);
    }
    this.label(header);
    this.build();
    this.showHand();
    this.stale();
  }

  again() {
    if (this.header) this.dirty();
  }

  held() {
    const { level, rows, columns, weight, shown } = this.view;
    return { level, rows, columns, weight, shown };
  }

  build() {
    const { rows, words } = this.header;
    const told = JSON.stringify([rows, words]);
    if (told === this.built) return;
    this.built = told;
    for (const row of this.all(".row:not(.head)")) row.remove();
    for (const row of rows) {
      const made = this.$(".rows").appendChild(element("div", "row"));
      made.dataset.row = row.key;
      made.style.setProperty("--own", row.colours);
      made.setAttribute("role", "group");
      made.setAttribute("aria-label", row.name);
      const name = made.appendChild(element("div", "name"));
      const dot = name.appendChild(element("span", "dot"));
      dot.style.background = row.colours;
      const title = name.appendChild(element("span", "", row.name));
      title.append(element("span", "own numbers"));
      const lines = made.appendChild(element("div", "lines"));
      for (let i = 0; i < LINES; i++) lines.append(this.line());
      const verdict = made.appendChild(element("div", "verdict"));
      verdict.append(element("span", "says"), element("span", "dots"));
      row.networks.forEach((key, place) => {
        const button = verdict.lastChild.appendChild(element("button"));
        button.type = "button";
        button.dataset.place = place;
      });
      verdict.lastChild.append(element("span", "quiet count"));
    }
  }

  line() {
    const made = element("div", "line");
    made.innerHTML = `<span class="class"></span>
      <span class="meter"><i></i></span><span class="share"></span>
      <span class="meter"><i></i></span><span class="share"></span><span class="step"></span>`;
    return made;
  }

  // ---- the camera -------------------------------------------------------------------------

  // Photons are drawn by the server, which sees no frame before it is frozen.
  get waits() {
    return this.view.action === "noise" && this.view.noise === "poisson";
  }

  film() {
    if (this.waits) return this.sayOfCamera(this.header.words.camera_waits);
    return super.film();
  }

  filmBegins() {
    this.still = this.picture;
    this.showHand();
  }

  // The middle square of a frame, as the networks see every picture; painted, it asks for the next.
  showFrame() {
    const { videoHeight: height, videoWidth: width } = this.video;
    this.picture = numbersOf(drawn(this.video, [height, width], [SIDE, SIDE]));
    this.clean.clear();
    this.fresh = true;
    this.stale();
  }

  filmEnds() {
    this.picture = this.still;
    this.clean.clear();
    this.showHand();
    this.stale();
  }

  // The frame stays until Python shows it, or has refused it.
  freeze() {
    super.freeze();
    this.soon("answer", () => this.filmEnds(), ANSWER);
  }

  // What the picture shows, where that is known.
  get known() {
    return this.video ? null : this.header.known;
  }

  // ---- the hand ---------------------------------------------------------------------------

  // Something has changed: every answer to the changed picture is out of date.
  stale() {
    this.version += 1;
    clearTimeout(this.later);
    this.dirty();
  }

  turn(weight, released) {
    this.view.weight = weight;
    this.release(released);
  }

  level(released) {
    this.view.level = this.header.levels[Number(this.slider.value)];
    this.release(released);
  }

  shiftBy(down, right) {
    const far = this.header.reach;
    this.view.rows = clip(this.view.rows + down, -far, far);
    this.view.columns = clip(this.view.columns + right, -far, far);
    this.moving = true;
    this.showHand();
    this.stale();
    this.soon("settled", () => this.settle(), 250);
  }

  look(place) {
    this.view.shown = place;
    this.release(true);
  }

  release(released) {
    this.moving = !released;
    this.showHand();
    this.stale();
    if (released) this.settle();
  }

  settle() {
    this.moving = false;
    this.tell("settled", { ...this.held(), ...this.box });
  }

  // Where the occluder goes, and what it does to every answer.
  putPatch(box) {
    box.height = clip(box.height, 1, SIDE);
    box.width = clip(box.width, 1, SIDE);
    box.top = clip(box.top, 0, SIDE - box.height);
    box.left = clip(box.left, 0, SIDE - box.width);
    this.showPatch(box);
    this.stale();
  }

  tellPatch() {
    this.settle();
  }

  showHand() {
    const { view, header } = this;
    const { words } = header;
    this.$(".level").hidden = view.action !== "noise";
    this.$(".shift").hidden = view.action !== "shift";
    this.$(".occluder-keys").hidden = view.action !== "occlusion";
    this.$(".level-name").textContent = words.level;
    this.$(".star").hidden = this.known === null;
    const at = header.levels.indexOf(view.level);
    this.slider.max = header.levels.length - 1;
    this.slider.value = Math.max(at, 0);
    this.slider.setAttribute("aria-label", words.level);
    this.slider.setAttribute("aria-valuetext", String(view.level));
    this.$(".level output").textContent = String(view.level);
    const sign = (by) => (by > 0 ? "+" : "") + fixed(by, 0);
    this.$(".shift output").textContent = words.shifted
      .replace("{rows}", sign(view.rows)).replace("{columns}", sign(view.columns));
    this.showPatch(this.box);
    this.showDial();
    if (view.action !== "occlusion") {
      this.at("picture", "changed").stage.setAttribute("aria-label", words.changed_picture);
    }
    this.at("picture", "clean").stage.setAttribute("aria-label", words.clean_picture);
  }

  // What is shown, in one line for the saved picture.
  saved() {
    const { view, box, header: { words, saved, start, title } } = this;
    const sign = (by) => signed(by, 0);
    const filled = Object.entries({ ...box, row: box.top + 1, column: box.left + 1, level: view.level })
      .reduce((text, [name, value]) => text.replace(`{${name}}`, value), saved)
      .replace("{title}", this.video ? words.camera : title)
      .replace("{down}", sign(view.rows)).replace("{right}", sign(view.columns));
    const turned = words.saved_weight.replace("{weight}", (view.weight ?? 0).toFixed(2));
    return view.weight === null || start === null ? filled : `${filled} · ${turned}`;
  }

  showDial() {
    const { weight } = this.view;
    const { words, start } = this.header;
    this.$(".dial").hidden = start === null;
    if (start === null) return;
    this.dial.show(weight ?? start, start, words);
    this.$(".restart").disabled = weight === null;
    const note = weight === null ? words.learned_note : words.turned_note;
    this.$(".dial-note").textContent = note;
  }

  // ---- the answers ------------------------------------------------------------------------

  networksOf(row) {
    const kept = globalThis.hybridpoolNetworks ?? new Map();
    return row.networks.map((key) => ({ key, network: kept.get(key) }));
  }

  shownOf(row) {
    return this.networksOf(row)[Math.min(this.view.shown, row.networks.length - 1)];
  }

  // What one network says now, both times; nothing while it is still on its way.
  answerOf({ key, network }) {
    if (!network) return null;
    const known = this.results.get(key);
    if (known?.version === this.version) return known;
    const dial = blends(network) ? this.view.weight : null;
    let clean = this.clean.get(key);
    if (clean?.dial !== dial) {
      clean = { dial, ...ask(network, this.picture, dial) };
      this.clean.set(key, clean);
    }
    const changed = ask(network, this.changed, dial);
    const found = { version: this.version, clean, changed };
    this.results.set(key, found);
    return found;
  }

  paint() {
    if (!this.header) return;
    this.changed = changedPicture(this.picture, this.view, this.box, this.draw);
    this.paintPicture("clean", this.picture);
    this.paintPicture("changed", this.changed);
    for (const row of this.header.rows) this.showRow(row, this.answerOf(this.shownOf(row)));
    this.showChecked();
    this.rest();
    if (!this.fresh) return;
    this.fresh = false;
    this.countFrame();
    this.nextFrame();
  }

  paintPicture(side, picture) {
    const { pixels, show } = this.easels[side];
    const plane = SIDE * SIDE;
    for (let i = 0; i < plane; i++) {
      const [red, green, blue] = [0, 1, 2].map((channel) => Math.round(255 * picture.data[channel * plane + i]));
      pixels[i] = 0xff000000 | (blue << 16) | (green << 8) | red;
    }
    show();
  }

  // The other networks of each row, one at a time, until the hand moves again.
  rest() {
    clearTimeout(this.later);
    const { version } = this;
    const waiting = this.header.rows.flatMap((row) => this.networksOf(row)
      .filter(({ key, network }) => network && this.results.get(key)?.version !== version)
      .map((each) => ({ row, each })));
    const next = () => {
      const one = waiting.shift();
      if (!one || version !== this.version) {
        if (!one) this.showChecked();
        return;
      }
      this.answerOf(one.each);
      this.showVerdict(one.row, this.answerOf(this.shownOf(one.row)));
      this.later = setTimeout(next, 0);
    };
    this.later = setTimeout(next, this.moving || this.grab || this.video ? 60 : 0);
  }

  showRow(row, found) {
    const made = this.$(`.row[data-row="${row.key}"]`);
    made.classList.toggle("waiting", !found);
    if (!found) return;
    const { classes } = this.header;
    const [clean, changed] = [found.clean.probabilities, found.changed.probabilities];
    const order = [...clean.keys()].sort((a, b) => clean[b] - clean[a] || a - b).slice(0, LINES);
    const lines = made.querySelectorAll(".line");
    lines.forEach((line, place) => {
      const at = order[place];
      line.hidden = at === undefined;
      if (at === undefined) return;
      line.classList.toggle("first", place === 0);
      const name = line.querySelector(".class");
      name.textContent = name.title = (row.classes ?? classes)[at];
      name.classList.toggle("known", !row.classes && at === this.known);
      const [before, after] = line.querySelectorAll(".meter i");
      before.style.width = `${100 * clean[at]}%`;
      after.style.width = `${100 * changed[at]}%`;
      const [was, is] = line.querySelectorAll(".share");
      was.textContent = whole(clean[at]);
      is.textContent = whole(changed[at]);
      const step = Math.round(100 * changed[at]) - Math.round(100 * clean[at]);
      line.querySelector(".step").textContent = signed(step, 0);
    });
    made.querySelector(".own").textContent = found.clean.stages
      .map(({ weights }) => (weights ? mean(weights).toFixed(2) : "")).filter(Boolean).join(" · ");
    this.showVerdict(row, found);
  }

  showVerdict(row, found) {
    const made = this.$(`.row[data-row="${row.key}"] .verdict`);
    const { known, header: { words } } = this;
    const classes = row.classes ?? this.header.classes;
    if (!found) return;
    const [said, says] = [largest(found.clean.probabilities), largest(found.changed.probabilities)];
    made.classList.toggle("other", said !== says);
    let text = (said === says ? words.still : words.now).replace("{class}", classes[says])
      .replace("{share}", whole(found.changed.probabilities[says]));
    if (known !== null && !row.classes) text += ` · ${says === known ? words.right : words.wrong}`;
    made.querySelector(".says").textContent = text;
    let [same, done] = [0, 0];
    this.networksOf(row).forEach(({ key }, place) => {
      const one = this.results.get(key);
      const fresh = one?.version === this.version;
      const alike = fresh && largest(one.clean.probabilities) === largest(one.changed.probabilities);
      same += alike;
      done += fresh;
      const dot = made.querySelectorAll(".dots button")[place];
      dot.dataset.same = fresh ? (alike ? "yes" : "no") : "";
      dot.setAttribute("aria-pressed", String(place === Math.min(this.view.shown, row.networks.length - 1)));
      const label = words.dot.replace("{name}", row.name).replace("{place}", place + 1)
        .replace("{says}", fresh ? (alike ? words.dot_same : words.dot_other) : words.dot_waits);
      dot.setAttribute("aria-label", label);
      dot.title = label;
    });
    const total = row.networks.length;
    made.querySelector(".count").textContent = done === total
      ? words.count.replace("{same}", same).replace("{total}", total) : "";
  }

  // How far the browser lies from what PyTorch said of the same picture, once both are there.
  showChecked() {
    const { words, judged } = this.header;
    const place = (view, { top, left, height, width }) => JSON.stringify([
      view.action, view.level, view.rows, view.columns, view.weight, top, left, height, width]);
    let apart = 0;
    for (const [key, [clean, changed]] of Object.entries(judged)) {
      const found = this.results.get(key);
      if (found?.version !== this.version) apart = NaN;
      else for (const [ours, theirs] of [[found.clean, clean], [found.changed, changed]]) {
        ours.probabilities.forEach((value, i) => { apart = Math.max(apart, Math.abs(value - theirs[i])); });
      }
    }
    const then = this.header.view;
    const same = !this.video && place(this.view, this.box) === place(then, then.box);
    const checked = same && Number.isFinite(apart);
    this.root.dataset.apart = checked ? apart : "";
    this.$(".checked").textContent = checked ? words.checked.replace("{apart}", apart.toFixed(7))
      : this.video ? words.filmed : words.computed;
  }
}

const whole = (share) => `${Math.round(100 * share)} %`;
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

export default mounting(Answers);
