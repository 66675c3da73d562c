// A live camera: its frames go through stem, poolings and blend in the browser and nowhere else,
// until one of them is frozen and becomes one's own picture.

const REASONS = {
  NotAllowedError: "camera_denied", SecurityError: "camera_denied",
  NotFoundError: "camera_none", OverconstrainedError: "camera_none",
};

const Filming = (Base) => class extends Base {
  listenToCamera() {
    this.$(".film").addEventListener("click", () => (this.video ? this.endFilm() : this.film()));
    this.$(".freeze").addEventListener("click", () => this.freeze());
  }

  async film() {
    this.sayOfCamera("");
    if (!navigator.mediaDevices) return this.sayOfCamera(this.header.words.camera_http);
    this.$(".film").disabled = true;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 640 }, height: { ideal: 480 } } });
      const video = Object.assign(document.createElement("video"), { muted: true, playsInline: true, srcObject: stream });
      await video.play();
      this.beginFilm(video);
    } catch (problem) {
      this.sayOfCamera(this.header.words[REASONS[problem.name] ?? "camera_fails"]);
    }
    this.$(".film").disabled = false;
  }

  beginFilm(video) {
    const { header, arrays, feature, shape, moved, live } = this;
    this.still = { header, arrays, feature, shape, moved, live };
    this.side = Math.max(...header.image_shape);
    this.video = video;
    this.frames = [];
    clearTimeout(this.waiting.judge);
    this.showCamera();
    this.$(".about").textContent = "";
    this.nextFrame();
  }

  nextFrame() {
    const { video } = this;
    const act = () => video === this.video && this.showFrame();
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(act);
    else requestAnimationFrame(act);
  }

  showFrame() {
    const { videoWidth: width, videoHeight: height } = this.video;
    const picture = fitted(this.video, width, height, this.side);
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
    this.count();
    this.nextFrame();
  }

  // How many frames the last second had.
  count() {
    const now = performance.now();
    this.frames = [...this.frames.filter((at) => at > now - 1000), now];
    if (now - (this.counted ?? 0) < 500) return;
    this.counted = now;
    const rate = now - this.frames[0] > 400 ? ((this.frames.length - 1) * 1000) / (now - this.frames[0]) : 0;
    this.root.dataset.rate = rate.toFixed(1);
    this.sayOfCamera(this.header.words.filming.replace("{rate}", Math.round(rate)));
  }

  // Back to the picture from before, in the window that is chosen now.
  endFilm() {
    if (!this.video) return;
    const { shape, still } = this;
    this.stopCamera();
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

  stopCamera() {
    this.video?.srcObject.getTracks().forEach((track) => track.stop());
    this.video = null;
    this.sayOfCamera("");
    this.showCamera();
  }

  // The frame that is shown becomes one's own picture, in all the detail that the camera gave.
  freeze() {
    const { video } = this;
    const { videoWidth: width, videoHeight: height } = video;
    const canvas = drawn(video, width, height, Math.min(Math.max(width, height), 1280));
    const data = canvas.toDataURL("image/png").split(",")[1];
    this.stopCamera();
    // Once, and not with everything that is told later.
    this.trigger("photo", { data, told: Date.now() });
  }

  showCamera() {
    const { words } = this.header;
    this.$(".film").textContent = this.video ? words.camera_stop : words.camera;
    this.$(".film").setAttribute("aria-pressed", Boolean(this.video));
    this.$(".freeze").hidden = !this.video;
  }

  sayOfCamera(text) {
    this.$(".filmed").textContent = text;
    this.$(".filmed").hidden = !text;
  }

  // ---- what a still picture does otherwise ------------------------------------------------

  load(message) {
    if (this.video) this.stopCamera();
    super.load(message);
    this.showCamera();
  }

  tellWindow(...told) {
    if (!this.video) super.tellWindow(...told);
  }

  showSizes() {
    super.showSizes();
    if (this.video) this.$(".judged").textContent = this.header.words.filmed;
  }

  dispose() {
    if (this.video) this.stopCamera();
    super.dispose();
  }
};
