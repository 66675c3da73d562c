// A live camera in the rows: each frame is changed as the picture was, and both go through stem and
// poolings. A frame is cut to the picture's shape, so that the same numbers of the seed fall on it.

const Filmed = (Base) => class extends Base {
  film() {
    if (!this.rest.header.live.follows) return this.sayOfCamera(this.header.words.camera_waits);
    return super.film();
  }

  filmBegins() {
    this.filmOn();
  }

  // From now on, and after each answer of PyTorch, the next frame takes the picture's place.
  filmOn() {
    const { level, box } = this.rest.header;
    this.follow({ level, box });
  }

  frameShape(longer) {
    const { image_shape: shape } = this.rest.header;
    return shape.map((side) => Math.round((side * longer) / Math.max(...shape)));
  }

  // The one before is finished first.
  showFrame() {
    if (!this.work) this.dirty("live");
    this.nextFrame();
  }

  count() {
    if (this.video && this.work) return this.goOn();
    if (this.video) this.takeFrame();
    super.count();
  }

  takeFrame() {
    this.passage ??= this.through();
    const frame = numbersOf(this.drawFrame(Math.max(...this.rest.header.image_shape)));
    this.picture = frame.data;
    this.means = channelMeans(frame);
    this.clean = this.passage.begin(frame.data);
    this.found.known = [];
  }

  goOn() {
    super.goOn();
    if (!this.video || !this.moving || this.work) return;
    this.paintPicture("clean", bytesOf(this.picture));
    this.countFrame();
  }

  // Back to the picture from before, with the change that is chosen now.
  filmEnds() {
    Object.assign(this, { passage: null, live: null, work: null, countedFor: null });
    if (this.asked) this.dirty("live");
    else this.settle(this.rest);
  }

  // The frame stays until Python shows it, or has refused it.
  freeze() {
    super.freeze();
    this.soon("answer", () => this.filmEnds(), ANSWER);
  }

  // ---- what a still picture does otherwise ------------------------------------------------

  load(message) {
    if (this.video && !this.asked && !this.holding) this.moving = false; // no answer is waited for
    super.load(message);
  }

  settle(all) {
    if (this.video) this.countedFor = null; // what was counted is of a frame
    super.settle(all);
    if (!this.video) return;
    if (all.header.live.follows) return this.filmOn();
    this.endFilm();
    this.sayOfCamera(this.header.words.camera_waits);
  }

  label(header) {
    super.label(header);
    this.$(".film").hidden = !header.live;
  }

  showJudged() {
    super.showJudged();
    if (this.video) this.$(".judged").hidden = true;
  }
};
