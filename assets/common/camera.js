// A live camera: its frames stay in the browser until one of them is frozen and becomes one's own
// picture. Who films has the buttons .film and .freeze and the line .filmed, and says what happens
// when a film begins (filmBegins), with each frame (showFrame), and once it is over (filmEnds).

const REASONS = {
  NotAllowedError: "camera_denied", SecurityError: "camera_denied",
  NotFoundError: "camera_none", OverconstrainedError: "camera_none",
};
const LONGEST = 1280; // pixels of a frozen frame's longer side

const Filming = (Base) => class extends Base {
  listenToCamera() {
    this.$(".film").addEventListener("click", () => (this.video ? this.endFilm() : this.film()));
    this.$(".freeze").addEventListener("click", () => this.freeze());
  }

  async film() {
    this.sayOfCamera("");
    if (!navigator.mediaDevices) return this.sayOfCamera(this.header.words.camera_http);
    this.$(".film").disabled = true;
    let stream = null;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 640 }, height: { ideal: 480 } } });
      const video = Object.assign(document.createElement("video"), { muted: true, playsInline: true, srcObject: stream });
      await video.play();
      if (this.gone) release(stream); // the page was left before somebody allowed it
      else this.beginFilm(video);
    } catch (problem) {
      release(stream);
      this.sayOfCamera(this.header.words[REASONS[problem.name] ?? "camera_fails"]);
    }
    this.$(".film").disabled = false;
  }

  beginFilm(video) {
    this.video = video;
    this.frames = [];
    const [track] = video.srcObject.getTracks();
    track.addEventListener("ended", () => {
      this.endFilm();
      this.sayOfCamera(this.header.words.camera_ended);
    });
    this.filmBegins();
    this.showCamera();
    this.nextFrame();
  }

  nextFrame() {
    const { video } = this;
    const act = () => video === this.video && this.showFrame();
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(act);
    else requestAnimationFrame(act);
  }

  // Rows and columns of a frame whose longer side has so many pixels.
  frameShape(longer) {
    return shapeOf([this.video.videoHeight, this.video.videoWidth], longer);
  }

  drawFrame(longer) {
    const { videoHeight: height, videoWidth: width } = this.video;
    return drawn(this.video, [height, width], this.frameShape(longer));
  }

  // How many frames the last second had.
  countFrame() {
    const now = performance.now();
    this.frames = [...this.frames.filter((at) => at > now - 1000), now];
    if (now - (this.rated ?? 0) < 500) return;
    this.rated = now;
    const rate = now - this.frames[0] > 400 ? ((this.frames.length - 1) * 1000) / (now - this.frames[0]) : 0;
    this.root.dataset.rate = rate.toFixed(1);
    this.sayOfCamera(this.header.words.filming.replace("{rate}", Math.round(rate)));
  }

  endFilm() {
    if (!this.video) return;
    this.stopCamera();
    this.filmEnds();
  }

  stopCamera() {
    release(this.video?.srcObject);
    this.video = null;
    this.sayOfCamera("");
    this.showCamera();
  }

  // The frame that is shown becomes one's own picture, in all the detail that the camera gave.
  freeze() {
    const { videoWidth: width, videoHeight: height } = this.video;
    const [rows, columns] = this.frameShape(LONGEST);
    const canvas = this.drawFrame(LONGEST * Math.min(height / rows, width / columns, 1));
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

  label(header) {
    super.label(header);
    this.showCamera();
  }

  dispose() {
    this.gone = true;
    if (this.video) this.stopCamera();
    super.dispose();
  }
};

function release(stream) {
  stream?.getTracks().forEach((track) => track.stop());
}

// ---- a picture as numbers --------------------------------------------------------------------

// Rows and columns of a picture whose longer side gets so many pixels. It is cut to be at most twice
// as long as wide.
function shapeOf([height, width], longer) {
  const [high, wide] = [Math.min(height, 2 * width), Math.min(width, 2 * height)];
  const scale = longer / Math.max(high, wide);
  return [high, wide].map((side) => Math.max(8, Math.round(side * scale)));
}

// The largest middle part of a picture that fills so many rows and columns.
function drawn(source, [height, width], [rows, columns]) {
  const scale = Math.min(height / rows, width / columns);
  const [high, wide] = [rows * scale, columns * scale];
  const canvas = Object.assign(document.createElement("canvas"), { width: columns, height: rows });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.imageSmoothingQuality = "high";
  pen.fillStyle = "#fff"; // what is transparent lies on white
  pen.fillRect(0, 0, columns, rows);
  pen.drawImage(source, (width - wide) / 2, (height - high) / 2, wide, high, 0, 0, columns, rows);
  return canvas;
}

// What is painted on a canvas, as a map of three channels from 0 to 1.
function numbersOf(canvas) {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const plane = canvas.width * canvas.height;
  const values = new Float32Array(3 * plane);
  for (let i = 0; i < plane; i++) {
    for (let colour = 0; colour < 3; colour++) values[colour * plane + i] = data[4 * i + colour] / 255;
  }
  return map(values, 3, canvas.height, canvas.width);
}
