// What every component of ours does: it is mounted once, gets its message, paints in frames, and
// tells Python what the hand let go of.

const instances = new WeakMap();
const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

// What Streamlit calls, at first and after every change: one object for each place on the page.
function mounting(Kind) {
  return ({ data, parentElement, setStateValue, setTriggerValue }) => {
    let shown = instances.get(parentElement);
    if (!shown) {
      shown = new Kind(parentElement.querySelector(".component"));
      instances.set(parentElement, shown);
    }
    shown.setState = setStateValue;
    shown.trigger = setTriggerValue;
    if (data && data !== shown.source) {
      shown.source = data;
      shown.load(unpack(data));
    } else {
      shown.again();
    }
    // Streamlit also cleans up after a call that a newer message has overtaken, while the place
    // stands and shows that message.
    return () => {
      if (parentElement.isConnected) return;
      shown.dispose();
      instances.delete(parentElement);
    };
  };
}

class Component {
  constructor(root) {
    this.root = root;
    this.pending = new Set();
    this.waiting = {};
    this.last = {}; // when each name was told last
  }

  $(selector) {
    return this.root.querySelector(selector);
  }

  all(selector) {
    return [...this.root.querySelectorAll(selector)];
  }

  // Nothing new came, but the looks of the page may have changed.
  again() {}

  // All of a message: what the browser holds stays where only a part is new. The array called `mark`
  // comes with everything; null where this builds on something that the browser lacks.
  joined({ header, arrays }, mark) {
    if (arrays[mark]) this.base = { header, arrays };
    else if (this.base?.header.base !== header.base) return null;
    return { header: { ...this.base.header, ...header }, arrays: { ...this.base.arrays, ...arrays } };
  }

  // Words and colours from the message, wherever the page has a place for them.
  label({ words, colours = {} }) {
    for (const part of this.all("[data-word]")) part.textContent = words[part.dataset.word];
    for (const part of this.all("[data-label]")) part.setAttribute("aria-label", words[part.dataset.label]);
    for (const part of this.all("[data-title]")) part.title = words[part.dataset.title];
    for (const [name, colour] of Object.entries(colours)) this.root.style.setProperty(`--${name}`, colour);
    this.root.hidden = false;
  }

  // ---- painting ---------------------------------------------------------------------------

  // Paints in the next frame whatever was asked for until then.
  dirty(what = "all") {
    this.pending.add(what);
    this.frame ||= requestAnimationFrame(() => {
      const { pending } = this;
      this.pending = new Set();
      this.frame = 0;
      this.paint(pending);
      // Counts paints, so that what is on the screen can be awaited and measured.
      this.root.dataset.painted = Number(this.root.dataset.painted ?? 0) + 1;
    });
  }

  // ---- telling ----------------------------------------------------------------------------

  // Streamlit keeps quiet about a state it has had before, so no two are alike; and of two that
  // overtake each other on the way Python takes the one that was told later.
  // What the page does not say it has heard, or has not answered, is told again.
  tell(name, value, patience = 3000) {
    clearTimeout(this.waiting[name]);
    this.told = Math.max(this.told ?? 0, Date.now()) + 1;
    this.last[name] = this.told;
    this.setState(name, { ...value, told: this.told });
    this.soon(name, () => this.heard(name) || this.tell(name, value, 2 * patience), patience);
  }

  // Whether what was told last has arrived. Where no server writes it down, nobody listens.
  heard(name) {
    const marks = [...document.querySelectorAll("[data-heard]")];
    const heard = (mark) => mark.dataset.heard.split(" ").includes(String(this.last[name]));
    return !marks.length || marks.some(heard);
  }

  // Waits until the hand rests.
  soon(name, act, delay = 400) {
    clearTimeout(this.waiting[name]);
    this.waiting[name] = setTimeout(act, delay);
  }

  // For those who hear the page: only while the focus is on what changed.
  say(text) {
    if (this.root.getRootNode().activeElement?.classList.contains("stage")) this.$(".spoken").textContent = text;
  }

  dispose() {
    cancelAnimationFrame(this.frame);
    Object.values(this.waiting).forEach(clearTimeout);
  }
}

function element(tag, className, text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

const clip = (value, low, high) => Math.min(Math.max(value, low), high);

// Where in an element, both ways from 0 to 1, the mouse points.
function shareAt(part, event) {
  const box = part.getBoundingClientRect();
  return [(event.clientY - box.top) / box.height, (event.clientX - box.left) / box.width];
}

// Puts an element somewhere in its parent; all sides in shares of it.
function surround(part, top, bottom, left, right) {
  Object.assign(part.style, {
    top: `${top * 100}%`,
    left: `${left * 100}%`,
    height: `${(bottom - top) * 100}%`,
    width: `${(right - left) * 100}%`,
  });
}

// Gives a canvas its size, which empties it: not where it has that size already.
function sized(canvas, height, width) {
  if (canvas.height !== height || canvas.width !== width) Object.assign(canvas, { height, width });
}

// A painter of a canvas: as many 32-bit pixels as the canvas has cells.
function easel(canvas, height, width) {
  sized(canvas, height, width);
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  return { pixels, show: () => context.putImageData(image, 0, 0) };
}

// Numbers of 0 to 1, channel by channel, as red, green and blue bytes.
function bytesOf(values) {
  const plane = values.length / 3;
  const rgb = new Uint8Array(values.length);
  for (let i = 0; i < plane; i++) {
    for (let colour = 0; colour < 3; colour++) rgb[3 * i + colour] = Math.round(values[colour * plane + i] * 255);
  }
  return rgb;
}

function paintRgb({ pixels, show }, rgb) {
  for (let i = 0; i < pixels.length; i++) {
    pixels[i] = 0xff000000 | (rgb[3 * i + 2] << 16) | (rgb[3 * i + 1] << 8) | rgb[3 * i];
  }
  show();
}

// The scale of colours, from the table that paints the maps, with the numbers at its ends.
function paintLegend(legend, table, low, high) {
  const { pixels, show } = easel(legend.querySelector("canvas"), 1, table.length);
  pixels.set(table);
  show();
  legend.querySelector(".low").textContent = low;
  legend.querySelector(".high").textContent = high;
}

const parts = (colour) => [colour & 255, (colour >> 8) & 255, (colour >> 16) & 255];
const css = (colour) => `rgb(${parts(colour)})`;

// Black or white, whichever can be read better on a colour (relative luminance as in WCAG 2).
function inkOn(red, green, blue) {
  const linear = (value) => (value <= 10.3 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  return luminance > 0.179 ? "#000" : "#fff";
}

// The colours of a value in a range, from the table that the legend is painted with.
function coloursOf(value, low, high, table) {
  const colour = table[clip(Math.round(((value - low) / (high - low || 1)) * 255), 0, 255)];
  return { fill: css(colour), ink: inkOn(...parts(colour)) };
}
