// A live camera: every network answers each frame, changed as the picture was.

const ANSWER = 5000; // milliseconds in which Python shows a frozen frame

const Filmed = (Base) => class extends Base {
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
};
