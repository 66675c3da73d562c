// The inspector: one channel of one picture in every pooling, a dial that blends on the spot, and
// the window behind each cell.

const STRIP_GAP = 2;

class Inspector extends Pairing(Swiping(Filmed(Filming(Sweeping(Termed(Sizing(Windowing(Painting(Panels(Maps)))))))))) {
  constructor(root) {
    super(root);
    this.build();
    this.listen();
  }

  // ---- page elements ----------------------------------------------------------------------

  build() {
    this.buildPanels();
    this.buildTerms();
    this.buildSwipe();
    this.buildTwins();
    this.strips = {};
    for (const name of POOLED) {
      const canvas = this.$(".strip-rows").appendChild(element("canvas"));
      canvas.tabIndex = name === "max" ? 0 : -1;
      canvas.setAttribute("role", "img");
      canvas.dataset.strip = name;
      const label = this.$(".strip-names").appendChild(element("span"));
      label.innerHTML = `<span class="dot"></span><span class="title"></span>`;
      this.strips[name] = { canvas, context: canvas.getContext("2d"), label };
    }
  }

  listen() {
    this.listenToSizes();
    this.listenToCamera();
    this.listenToSweep();
    this.watch = new ResizeObserver(() => this.measure());
    this.watch.observe(this.root);
    for (const box of this.all("[data-view]")) {
      box.addEventListener("change", () => this.set({ [box.dataset.view]: box.checked }));
    }
    for (const button of this.all("[data-picture]")) {
      button.addEventListener("click", () => this.stepPicture(Number(button.dataset.picture)));
    }
    this.$(".save").addEventListener("click", () => saveView(this));
    this.listenToPanels();
    for (const { canvas } of Object.values(this.strips)) {
      canvas.addEventListener("click", (event) => {
        const box = canvas.getBoundingClientRect();
        this.pickChannel(Math.floor((event.clientX - box.left) / (this.pitch() * this.zoom)));
      });
      canvas.addEventListener("keydown", (event) => {
        const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        if (!step) return;
        event.preventDefault();
        this.pickChannel(this.view.channel + step);
      });
    }
  }

  // How much of the first screen stands above the maps, for the style sheet.
  measure() {
    const scrolled = document.querySelector("[data-testid=stMain]")?.scrollTop ?? scrollY;
    const above = this.$(".maps").getBoundingClientRect().top + scrolled;
    this.root.style.setProperty("--above", `${clip(Math.round(above), 0, 300)}px`);
  }

  dispose() {
    this.watch.disconnect();
    super.dispose();
  }

  // ---- what is shown ----------------------------------------------------------------------

  loaded() {
    this.endSweep();
    this.picture = this.header.key;
    this.size();
    this.dirty();
    // Asked before the maps are on the screen, the browser would lay all of it out twice.
    requestAnimationFrame(() => this.soon("reveal", () => this.reveal(), 0));
    this.greet();
  }

  // The next picture of the gallery, or the one before; quick steps go on from each other.
  stepPicture(step) {
    const { keys } = this.header;
    const at = keys.indexOf(this.picture);
    const next = at < 0 ? 0 : (at + step + keys.length) % keys.length;
    this.picture = keys[next];
    this.tell("picture", { key: this.picture });
  }

  label(header) {
    super.label(header);
    const { words, colours } = header;
    this.$(".about").textContent = header.about;
    this.labelPanels(header);
    for (const [name, { label, canvas }] of Object.entries(this.strips)) {
      label.querySelector(".title").textContent = words[name];
      label.querySelector(".dot").style.background = colours[name];
      canvas.setAttribute("aria-label", `${words.all_channels}: ${words[name]}`);
    }
  }

  size() {
    this.sizePanels();
    this.sizeSwipe();
    this.zoom = Math.max(1, Math.ceil(44 / Math.max(this.columns, this.rows)));
    for (const { canvas, label } of Object.values(this.strips)) {
      sized(canvas, this.rows, this.channels * this.pitch() - STRIP_GAP);
      canvas.style.width = `${canvas.width * this.zoom}px`;
      canvas.style.height = `${canvas.height * this.zoom}px`;
      label.style.height = `${this.rows * this.zoom}px`;
    }
  }

  pitch() {
    return this.columns + STRIP_GAP;
  }

  pickChannel(channel) {
    super.pickChannel(channel);
    this.reveal();
  }

  // Scrolls the strips so that the shown channel is in sight.
  reveal() {
    const left = this.view.channel * this.pitch() * this.zoom;
    const scroll = this.$(".strip-scroll");
    const room = scroll.clientWidth - this.columns * this.zoom;
    if (left < scroll.scrollLeft || left > scroll.scrollLeft + room) scroll.scrollLeft = left - room / 2;
  }

  paint(pending) {
    this.pool(this.view.channel);
    if (pending.has("picture")) paintRgb(this.panels.picture.easel, this.arrays.image);
    if (pending.has("all")) this.paintChannel();
    if (pending.has("all")) for (const name of POOLED) this.paintStrip(name);
    else if (pending.has("hybrid")) this.paintStrip("hybrid");
    if (pending.has("all") || pending.has("hybrid")) {
      for (const name of this.view.difference ? ["hybrid", "max", "average"] : ["hybrid"]) this.paintPanel(name);
    }
    this.paintSwipe(pending);
    this.paintTwins(pending);
    if (pending.has("all") || pending.has("rest")) this.poolRest();
    this.showControls();
    for (const box of this.all("[data-view]")) box.checked = this.view[box.dataset.view];
    this.showSizes();
    this.panels.hybrid.note.textContent = this.header.words.hybrid_value
      .replace("{value}", this.weightOf("hybrid").toFixed(2));
    this.showCell();
  }
}

export default mounting(Inspector);
