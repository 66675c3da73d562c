// Two poolings of one map, one laid over the other, with a divider that is dragged between them.

const SIDES = ["left", "right"];
const USUAL = { left: "average", right: "max" };

const Swiping = (Base) => class extends Base {
  buildSwipe() {
    this.swiped = { stage: this.$(".swipe .stage"), frame: this.$(".swipe .frame"), divider: this.$(".divider") };
    this.listenTo(this.swiped.stage, (event) => this.pooledAt(this.swiped.stage, event));
    for (const side of SIDES) {
      this.$(`select.${side}`).addEventListener("change", (event) => this.set({ [side]: event.target.value }));
    }
    this.$(".swipe-on").addEventListener("change", (event) => this.swipe(event.target.checked));
    this.$(".swipe .close").addEventListener("click", () => this.swipe(false));
    const { divider } = this.swiped;
    divider.addEventListener("pointerdown", (event) => {
      this.dragging = true;
      divider.setPointerCapture(event.pointerId);
      divider.focus();
      event.preventDefault();
    });
    divider.addEventListener("pointermove", (event) => {
      if (this.dragging) this.divide(100 * shareAt(this.swiped.stage, event)[1]);
    });
    for (const ended of ["pointerup", "pointercancel"]) {
      divider.addEventListener(ended, () => {
        this.dragging = false;
        this.tellView();
      });
    }
    divider.addEventListener("keydown", (event) => this.divideByKey(event));
  }

  get swiping() {
    return Boolean(this.view.left && this.view.right);
  }

  swipe(on) {
    this.set(on ? USUAL : { left: "", right: "" });
    this.focusNext = on ? this.swiped.divider : null; // what gets the focus once it can be seen
  }

  divide(place) {
    this.view.divider = Math.round(clip(place, 0, 100));
    this.showDivider();
  }

  divideByKey(event) {
    const { divider } = this.view;
    const step = event.shiftKey ? 10 : 2;
    const places = {
      ArrowLeft: divider - step, ArrowDown: divider - step, ArrowRight: divider + step, ArrowUp: divider + step,
      Home: 0, End: 100,
    };
    if (!(event.key in places)) return;
    event.preventDefault();
    this.divide(places[event.key]);
    this.soon("view", () => this.tellView());
  }

  label(header) {
    super.label(header);
    const { words } = header;
    for (const side of SIDES) {
      this.$(`select.${side}`).replaceChildren(...POOLED.map((name) => new Option(words[name], name)));
    }
  }

  sizeSwipe() {
    const { image_shape: image } = this.header;
    this.swiped.easels = SIDES.map((side) => {
      const canvas = this.$(`canvas.${side}`);
      canvas.style.aspectRatio = `${image[1]} / ${image[0]}`;
      return easel(canvas, this.rows, this.columns);
    });
  }

  showDivider() {
    const { left, right, divider: place } = this.view;
    const { words } = this.header;
    const { divider } = this.swiped;
    divider.style.left = `${place}%`;
    this.$("canvas.right").style.clipPath = `inset(0 0 0 ${place}%)`;
    divider.setAttribute("aria-valuenow", place);
    divider.setAttribute("aria-valuetext", words.divided.replace("{place}", place)
      .replace("{left}", words[left]).replace("{right}", words[right]));
  }

  // Both maps whole, each in the colours of all panels: the divider only hides a part of one.
  paintSwipe(pending) {
    this.$(".maps").classList.toggle("swiping", this.swiping);
    this.$(".swipe-on").checked = this.swiping;
    if (!this.swiping) return;
    const { view: { channel }, arrays: { max, average } } = this;
    const { gain, lift } = this.range(channel);
    const count = this.rows * this.columns;
    SIDES.forEach((side, i) => {
      const name = this.view[side];
      this.$(`select.${side}`).value = name;
      this.$(`.${side} .dot`).style.background = this.header.colours[name];
      if (!pending.has("all") && !(pending.has("hybrid") && name === "hybrid")) return;
      const { pixels, show } = this.swiped.easels[i];
      paintBlend(pixels, 0, average, max, channel * count, count, this.weightOf(name), gain, lift, this.table);
      show();
    });
    this.showDivider();
    this.focusNext?.focus();
    this.focusNext = null;
  }

  showCell() {
    super.showCell();
    if (!this.swiping) return;
    const { row, column, left, right } = this.view;
    surround(this.swiped.frame,
      row / this.rows, (row + 1) / this.rows, column / this.columns, (column + 1) / this.columns);
    const { words } = this.header;
    this.swiped.stage.setAttribute("aria-label", `${words[left]}, ${words[right]}. ${place(words.window, row, column)}.`);
  }
};
