// Playback: the window walks over the outputs, by itself, by steps, or wherever a person points.

const Playing = (Base) => class extends Base {
  play() {
    if (this.index === this.count - 1) {
      this.index = 0;
      this.filled = 1;
    }
    this.playing = this.index < this.count - 1;
    this.wait();
    this.dirty("window");
  }

  wait() {
    clearTimeout(this.clock);
    if (this.playing) this.clock = setTimeout(() => this.advance(), this.speed);
  }

  advance() {
    this.index += 1;
    this.filled = Math.max(this.filled, this.index + 1);
    this.playing = this.index < this.count - 1;
    this.wait();
    this.dirty("window");
    if (!this.playing && this.touched) this.tellLook();
  }

  pause() {
    this.playing = false;
    clearTimeout(this.clock);
  }

  toggle() {
    this.touched = true;
    if (!this.playing) return this.play();
    this.pause();
    this.dirty("window");
    this.tellLook();
  }

  goTo(index, filled) {
    this.touched = true;
    this.pause();
    this.index = clip(index, 0, this.count - 1);
    this.filled = filled;
    this.dirty("window");
    this.soon("look", () => this.tellLook());
  }

  // A step back at the front empties the last cell again; elsewhere it only looks back.
  move(step) {
    const front = step < 0 && this.index === this.filled - 1;
    const index = clip(this.index + step, 0, this.count - 1);
    this.goTo(index, Math.max(front ? index + 1 : this.filled, index + 1));
  }

  takeOver(index, how) {
    this.aloud = how === "key";
    if (index === this.index && !this.playing && how !== "click") return this.dirty("window");
    this.goTo(index, Math.max(this.filled, index + 1));
  }

  dispose() {
    super.dispose();
    clearTimeout(this.clock);
  }
};
