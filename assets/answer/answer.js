// The picture and the changed one through networks that differ in their pooling, while the hand moves.

const SIDE = 32;

class Answers extends Filmed(Filming(Lined(Occluding(Component)))) {
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
    this.arrived = () => this.header && this.dirty();
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

  // What one network says now, both times; nothing while it is still on its way and the hand moved.
  answerOf({ key, network }) {
    return this.freshOf(key) ?? (network ? this.compute({ key, network }) : null);
  }

  // What is known of a network for the change that is shown now.
  freshOf(key) {
    const known = this.results.get(key);
    return known?.version === this.version ? known : null;
  }

  compute({ key, network }) {
    const dial = blends(network) ? this.view.weight : null;
    let clean = this.clean.get(key);
    if (clean?.dial !== dial) {
      clean = { dial, ...ask(network, this.picture, dial) };
      this.clean.set(key, clean);
    }
    const changed = ask(network, this.changed, dial);
    const found = { version: this.version, told: false, clean, changed };
    this.results.set(key, found);
    return found;
  }

  // What PyTorch said of all of them, until the browser has computed the same.
  takeTold() {
    if (!this.asTold()) return;
    const { version } = this;
    for (const [key, told] of Object.entries(this.header.judged)) {
      if (this.freshOf(key)) continue;
      const [clean, changed] = told.map((probabilities) => ({ probabilities }));
      this.results.set(key, { version, told: true, clean, changed });
    }
  }

  // Whether picture and change are those of the message.
  asTold() {
    const place = (view, { top, left, height, width }) => JSON.stringify([
      view.action, view.level, view.rows, view.columns, view.weight, top, left, height, width]);
    const { view } = this.header;
    return !this.video && place(this.view, this.box) === place(view, view.box);
  }

  paint() {
    if (!this.header) return;
    this.takeTold();
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

  // The networks that have not yet answered here, one at a time, until the hand moves again.
  rest() {
    clearTimeout(this.later);
    const { version } = this;
    const lacks = ({ key, network }) => network && (this.freshOf(key)?.told ?? true);
    const waiting = this.header.rows.flatMap((row) =>
      this.networksOf(row).filter(lacks).map((each) => ({ row, each })));
    const next = () => {
      const one = waiting.shift();
      if (!one || version !== this.version) {
        if (!one) this.showChecked();
        return;
      }
      this.compute(one.each);
      this.showRow(one.row, this.answerOf(this.shownOf(one.row)));
      this.later = setTimeout(next, 0);
    };
    this.later = setTimeout(next, this.moving || this.grab || this.video ? 60 : 0);
  }

  // How far the browser lies from what PyTorch said of the same picture, once both are there.
  showChecked() {
    const { words, judged } = this.header;
    let [apart, told] = [0, false];
    for (const [key, [clean, changed]] of Object.entries(judged)) {
      const found = this.freshOf(key);
      told ||= Boolean(found?.told);
      if (!found || found.told) apart = NaN;
      else for (const [ours, theirs] of [[found.clean, clean], [found.changed, changed]]) {
        ours.probabilities.forEach((value, i) => { apart = Math.max(apart, Math.abs(value - theirs[i])); });
      }
    }
    const checked = this.asTold() && Number.isFinite(apart);
    this.root.dataset.apart = checked ? apart : "";
    this.$(".checked").textContent = checked ? words.checked.replace("{apart}", apart.toFixed(7))
      : this.video ? words.filmed : told ? words.told : words.computed;
  }
}

export default mounting(Answers);
