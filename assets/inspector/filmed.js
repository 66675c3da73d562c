// A live camera in the inspector: each frame goes through stem, poolings and blend.

const Filmed = (Base) => class extends Base {
  filmBegins() {
    const { header, arrays, feature, shape, moved, live } = this;
    this.still = { header, arrays, feature, shape, moved, live };
    this.side = Math.max(...header.image_shape);
    clearTimeout(this.waiting.judge);
    this.$(".about").textContent = "";
    this.header = { ...header, caption: `${header.words.camera} · ${header.stem_title}` };
  }

  showFrame() {
    const picture = numbersOf(this.drawFrame(this.side));
    const { stem } = this.header;
    const feature = throughStem(picture, stem, this.arrays);
    const ranges = rangesOf(feature);
    this.feature = feature.data;
    this.ends = new Map();
    this.header = {
      ...this.header, ...ranges, image_shape: [picture.height, picture.width],
      attention: [...attentionOf(feature, this.arrays)],
    };
    this.arrays = { ...this.arrays, input: stepsOf(feature, ranges), image: bytesOf(picture.data) };
    if (feature.height !== this.height || feature.width !== this.width || !this.live) {
      [this.height, this.width] = [feature.height, feature.width];
      this.resize(this.shape);
    } else {
      this.live = { done: new Set(), next: 0 };
      this.dirty("picture");
      this.dirty();
    }
    this.countFrame();
    this.nextFrame();
  }

  // Back to the picture from before, in the window that is chosen now.
  filmEnds() {
    const { shape, still } = this;
    Object.assign(this, still);
    this.$(".about").textContent = this.header.about;
    this.ends = new Map();
    [this.channels, this.height, this.width] = this.header.input_shape;
    [, this.rows, this.columns] = this.header.pooled_shape;
    this.view.row = Math.min(this.view.row, this.rows - 1);
    this.view.column = Math.min(this.view.column, this.columns - 1);
    if (same(shape, still.shape) && !still.moved) {
      this.size();
      this.dirty();
    } else {
      this.resize(shape);
      this.tellWindow();
    }
  }

  // ---- what a still picture does otherwise ------------------------------------------------

  load(message) {
    if (this.video) this.stopCamera();
    super.load(message);
  }

  tellWindow(...told) {
    if (!this.video) super.tellWindow(...told);
  }

  showSizes() {
    super.showSizes();
    if (this.video) this.$(".judged").textContent = this.header.words.filmed;
  }
};
