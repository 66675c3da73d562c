// Explore without a server: pictures and stems lie beside this file as scripts, for a page that is
// opened from a disk may load nothing else, and the engine computes every map.

const SITE = JSON.parse(document.querySelector("#site").textContent);
const find = (selector) => document.querySelector(selector);

// ---- what lies beside the page -------------------------------------------------------------------

const arriving = new Map();
const arrived = new Map();
window.hybridpool = (name, text) => arriving.get(name)(text);

function beside(name) {
  if (!arrived.has(name)) {
    const text = new Promise((resolve, reject) => {
      arriving.set(name, resolve);
      const script = element("script");
      script.src = `${name}.js`;
      script.onerror = () => {
        arrived.delete(name);
        reject(new Error(name));
      };
      document.head.append(script);
    });
    arrived.set(name, text.then(inflated).then(unpack));
  }
  return arrived.get(name);
}

// A frame of the camera, as it would be sent.
function photo(text) {
  return new File([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))], "camera.png", { type: "image/png" });
}

// ---- the page ------------------------------------------------------------------------------------

class Site {
  constructor() {
    const link = new URLSearchParams(location.hash.slice(1));
    const known = (name, all, otherwise) => (all.includes(link.get(name)) ? link.get(name) : otherwise);
    const whole = (name, low, high, otherwise) => {
      const value = Math.round(Number(link.get(name) ?? NaN));
      return Number.isFinite(value) ? clip(value, low, high) : otherwise;
    };
    const browser = navigator.language.split("-")[0];
    const languages = Object.keys(SITE.languages);
    this.language = known("lang", languages, languages.includes(browser) ? browser : languages[0]);
    this.picture = known("picture", SITE.pictures.map(({ key }) => key), SITE.start.picture);
    this.stem = known("stem", SITE.stems.map(({ key }) => key), SITE.start.stem);
    this.size = Number(known("size", Object.keys(SITE.sizes), SITE.start.size));
    const kernel = whole("kernel", 1, 8, 2);
    this.window = {
      kernel,
      stride: whole("stride", 1, 8, 2),
      padding: whole("padding", 0, Math.floor(kernel / 2), 0),
      ceilMode: link.get("ceil") === "1",
      countPad: false,
    };
    const weight = link.has("weight") ? Number(link.get("weight")) : NaN;
    this.view = {
      ...SITE.start.view,
      weight: Number.isFinite(weight) ? clip(weight, 0, 1) : null,
      channel: link.has("channel") ? whole("channel", 1, 1000, 1) - 1 : null,
    };
    this.own = null;
    this.inspector = inspectorIn(find("#inspector"), (name, value) => this.hear(name, value));
    this.build();
    this.show();
  }

  build() {
    for (const [code, name] of Object.entries(SITE.languages)) {
      const button = find(".languages").appendChild(element("button", "", name));
      button.lang = code;
      button.addEventListener("click", () => this.choose({ language: code }));
    }
    for (const { key, thumbnail } of SITE.pictures) {
      const button = find(".gallery").appendChild(element("button"));
      button.dataset.key = key;
      button.append(Object.assign(new Image(), { src: thumbnail, alt: "" }));
      button.addEventListener("click", () => this.pick(key));
    }
    find("#size").replaceChildren(...Object.entries(SITE.sizes).map(([side, text]) => new Option(text, side)));
    find("#size").addEventListener("change", (event) => this.choose({ size: Number(event.target.value) }));
    find("#stem").addEventListener("change", (event) => {
      this.view = { ...this.view, channel: null, row: null, column: null, pinned: false };
      this.choose({ stem: event.target.value });
    });
    find("#own").addEventListener("change", (event) => this.open(event.target.files[0]));
    document.addEventListener("dragover", (event) => event.preventDefault());
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      this.open(event.dataTransfer.files[0]);
    });
  }

  get words() {
    return SITE.words[this.language];
  }

  label() {
    document.documentElement.lang = this.language;
    for (const part of document.querySelectorAll("[data-site]")) part.textContent = this.words[part.dataset.site];
    document.title = `${this.words.explore} · ${this.words.product}`;
    for (const button of find(".languages").children) button.setAttribute("aria-pressed", button.lang === this.language);
    for (const button of find(".gallery").children) {
      const { titles } = SITE.pictures.find(({ key }) => key === button.dataset.key);
      button.title = titles[this.language];
      button.setAttribute("aria-label", titles[this.language]);
      button.setAttribute("aria-pressed", !this.own && button.dataset.key === this.picture);
    }
    const options = SITE.stems.map(({ key, titles }) => new Option(titles[this.language], key));
    find("#stem").replaceChildren(...options);
    find("#stem").value = this.stem;
    find("#size").value = this.size;
    find(".stem-words").textContent = this.chosenStem.words[this.language];
    find(".provenance").textContent = this.own ? this.words.own_stays : this.chosenPicture.provenance[this.language];
  }

  get chosenStem() {
    return SITE.stems.find(({ key }) => key === this.stem);
  }

  get chosenPicture() {
    return SITE.pictures.find(({ key }) => key === this.picture);
  }

  // What is chosen goes into the address, as on the page with a server.
  mirror() {
    const { weight, channel } = this.view;
    const { kernel, stride, padding, ceilMode } = this.window;
    const link = {
      picture: this.picture, size: this.size, stem: this.stem, kernel, stride, padding, ceil: Number(ceilMode),
      ...(weight === null ? {} : { weight }), ...(channel === null ? {} : { channel: channel + 1 }),
      lang: this.language,
    };
    history.replaceState(null, "", `#${new URLSearchParams(link)}`);
  }

  choose(change) {
    Object.assign(this, change);
    this.show();
  }

  pick(key) {
    if (!this.view.pinned) this.view = { ...this.view, channel: null, row: null, column: null };
    this.choose({ picture: key, own: null });
  }

  // What the inspector would tell a server.
  hear(name, value) {
    if (name === "picture") return this.pick(value.key);
    if (name === "photo") return this.open(photo(value.data));
    const { kernel, stride, padding, ceilMode, told, has, ...view } = value;
    if (name === "window") Object.assign(this.window, { kernel, stride, padding, ceilMode });
    Object.assign(this.view, view);
    return this.mirror();
  }

  async open(file) {
    if (!file) return;
    this.say("");
    try {
      const bitmap = await createImageBitmap(file);
      this.choose({ own: bitmap });
    } catch {
      this.say(this.words.no_picture.replace("{name}", file.name));
    }
    find("#own").value = "";
  }

  say(text) {
    find(".problem").textContent = text;
    find(".problem").hidden = !text;
  }

  // One's own picture in the chosen size.
  pictureOfOwn() {
    const shape = [this.own.height, this.own.width];
    return numbersOf(drawn(this.own, shape, shapeOf(shape, this.size)));
  }

  async show() {
    this.label();
    const asked = (this.asked = {});
    try {
      const stem = await beside(`stems/${this.stem}`);
      const picture = this.own
        ? this.pictureOfOwn()
        : await beside(`pictures/${this.picture}-${this.size}`)
          .then(({ header, arrays }) => pictureOf(arrays.picture, header.size));
      if (asked !== this.asked) return; // something else was chosen meanwhile
      this.inspector.load(messageOf(picture, this.header(stem.header), stem.arrays));
      this.view = { ...this.inspector.view };
      this.good = { picture: this.picture, own: this.own, stem: this.stem, size: this.size };
      this.mirror();
      this.say("");
    } catch (problem) {
      if (asked !== this.asked) return;
      Object.assign(this, this.good);
      this.label();
      this.say(this.words.no_file.replace("{name}", problem.message));
    }
  }

  header(stem) {
    const { titles, provenance, about } = this.chosenPicture;
    const restart = this.chosenStem.learned ? this.words.restart_learned : this.words.restart;
    const named = this.own ? this.words.own : titles[this.language];
    const stemTitle = this.chosenStem.titles[this.language];
    return {
      ...stem,
      names: stem.names[this.language],
      words: { ...this.words, restart },
      key: this.picture,
      keys: SITE.pictures.map(({ key }) => key),
      about: this.own ? "" : about[this.language],
      window: { ...this.window },
      view: { ...this.view },
      stem_title: stemTitle,
      caption: [named, stemTitle, this.own ? "" : provenance[this.language]]
        .filter(Boolean).join(" · "),
    };
  }
}

new Site();
