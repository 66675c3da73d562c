// The occluder: drawn, moved and resized on the changed picture with the mouse or the arrow keys.

const GRIP = 12;

const Occluding = (Base) => class extends Base {
  // Whether pointing at this picture handles the occluder instead of a cell.
  draws({ row, side }) {
    return this.view.kind === "occlusion" && row === "picture" && side === "changed";
  }

  listenToPatch() {
    const { stage } = this.at("picture", "changed");
    stage.addEventListener("pointerdown", (event) => {
      // A second finger is not the hand that holds it.
      if (this.view.kind !== "occlusion" || event.button || this.grab) return;
      stage.setPointerCapture(event.pointerId);
      this.grab = { ...this.grabbed(event), pointer: event.pointerId };
      this.before = { ...this.box };
      this.holding = true;
      event.preventDefault();
      stage.focus({ preventScroll: true });
    });
    stage.addEventListener("pointermove", (event) => {
      if (event.pointerId === this.grab?.pointer) this.drag(event);
    });
    stage.addEventListener("keydown", (event) => {
      if (this.view.kind === "occlusion") this.patchKey(event);
    });
    for (const end of ["pointerup", "pointercancel"]) {
      stage.addEventListener(end, (event) => {
        if (event.pointerId !== this.grab?.pointer) return;
        this.grab = null;
        this.holding = false;
        const moved = Object.keys(this.box).some((side) => this.box[side] !== this.before[side]);
        if (moved || this.moving) this.tellPatch();
      });
    }
  }

  pixelAt(event) {
    const [y, x] = shareAt(this.at("picture", "changed").stage, event);
    const [height, width] = this.header.image_shape;
    return [y * height, x * width];
  }

  // A corner is pulled against the opposite one, the inside is moved, and elsewhere a new one begins.
  grabbed(event) {
    const { top, left, height, width } = this.box;
    const [y, x] = this.pixelAt(event);
    const stage = this.at("picture", "changed").stage.getBoundingClientRect();
    const near = (GRIP / stage.width) * this.header.image_shape[1];
    for (const [cornerY, otherY] of [[top, top + height], [top + height, top]]) {
      for (const [cornerX, otherX] of [[left, left + width], [left + width, left]]) {
        if (Math.hypot(y - cornerY, x - cornerX) <= near) return { anchor: [otherY, otherX] };
      }
    }
    if (y >= top && y < top + height && x >= left && x < left + width) return { offset: [y - top, x - left] };
    return { anchor: [Math.floor(y), Math.floor(x)] };
  }

  drag(event) {
    const [y, x] = this.pixelAt(event);
    const { anchor, offset } = this.grab;
    if (offset) {
      this.putPatch({ ...this.box, top: Math.round(y - offset[0]), left: Math.round(x - offset[1]) });
      return;
    }
    const [height, width] = this.header.image_shape;
    const [ys, xs] = [[anchor[0], clip(Math.round(y), 0, height)], [anchor[1], clip(Math.round(x), 0, width)]];
    const box = { top: Math.min(...ys), left: Math.min(...xs) };
    box.height = Math.max(Math.max(...ys) - box.top, 1);
    box.width = Math.max(Math.max(...xs) - box.left, 1);
    this.putPatch(box);
  }

  patchKey(event) {
    const step = ARROWS[event.key];
    if (!step) return;
    event.preventDefault();
    const box = { ...this.box };
    if (event.shiftKey) {
      box.height += step[0];
      box.width += step[1];
    } else {
      box.top += step[0];
      box.left += step[1];
    }
    this.putPatch(box);
    this.soon("patch", () => this.tellPatch(), 200);
  }

  // Where the occluder goes: the rows follow it before Python has answered.
  putPatch(box) {
    const [height, width] = this.header.image_shape;
    box.height = clip(box.height, 1, height);
    box.width = clip(box.width, 1, width);
    box.top = clip(box.top, 0, height - box.height);
    box.left = clip(box.left, 0, width - box.width);
    this.showPatch(box);
    this.follow({ box });
  }

  showPatch(box) {
    this.box = box;
    const patch = this.$(".patch");
    const { stage } = this.at("picture", "changed");
    const on = this.view.kind === "occlusion";
    patch.hidden = !on;
    patch.classList.toggle("disc", this.view.shape === "disc");
    stage.classList.toggle("drawing", on);
    stage.setAttribute("role", on ? "application" : "img");
    stage.style.overflow = on ? "visible" : "";
    if (!on) return;
    const [height, width] = this.header.image_shape;
    surround(patch, box.top / height, (box.top + box.height) / height, box.left / width, (box.left + box.width) / width);
    const label = place(this.header.words.occluder, box.top, box.left)
      .replace("{height}", box.height).replace("{width}", box.width);
    stage.setAttribute("aria-label", label);
    if (this.root.getRootNode().activeElement === stage) this.$(".spoken").textContent = label;
  }

  tellPatch() {
    const [rows, columns] = this.header.image_shape;
    this.letGo("patch", { ...this.box, rows, columns });
  }
};
