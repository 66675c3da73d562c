// How far each pooled map moves with a patch at each place of the picture. Python sends the values
// once; pointing at a place shows its patch and its values, a click hands the place to Python.

const POOLED = ["max", "average", "hybrid", "attention"];
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const instances = new WeakMap();

export default function mount({ data, parentElement, setStateValue }) {
  let sliding = instances.get(parentElement);
  if (!sliding) {
    sliding = new Sliding(parentElement.querySelector(".sliding"));
    instances.set(parentElement, sliding);
  }
  sliding.send = (place) => setStateValue("place", place);
  if (data && data !== sliding.source) sliding.load(data);
  return () => {
    cancelAnimationFrame(sliding.frame);
    instances.delete(parentElement);
  };
}

class Sliding {
  constructor(root) {
    this.root = root;
    this.send = () => {};
    this.place = [0, 0];
    this.frame = 0;
    this.$(".through input").addEventListener("input", (event) => {
      root.style.setProperty("--through", event.target.value);
    });
  }

  $(selector) {
    return this.root.querySelector(selector);
  }

  load(data) {
    this.source = data;
    const { header, arrays } = unpack(data);
    this.header = header;
    this.image = arrays.image;
    this.table = colourTable(arrays.palette);
    this.values = Object.fromEntries(
      POOLED.map((name) => [name, new Float32Array(arrays[name].buffer)]),
    );
    [this.rows, this.columns] = [header.tops.length, header.lefts.length];
    this.place = header.place;
    for (const element of this.root.querySelectorAll("[data-word]")) {
      element.textContent = header.words[element.dataset.word];
    }
    const [height, width] = header.image_shape;
    this.root.style.setProperty("--aspect", width / height);
    this.build();
    this.paintLegend();
    this.root.hidden = false;
    this.dirty();
  }

  build() {
    const { colours, words } = this.header;
    const focused = this.root.getRootNode().activeElement?.closest?.("figure")?.dataset.map;
    this.maps = POOLED.map((name) => {
      const figure = document.createElement("figure");
      figure.dataset.map = name;
      figure.innerHTML = `<figcaption><span class="dot"></span><span class="title"></span></figcaption>
        <div class="stage" tabindex="0" role="img"><canvas class="below"></canvas><canvas class="heat"></canvas><span class="patch"></span></div>
        <span class="value"></span><span class="note"></span>`;
      figure.querySelector(".dot").style.background = colours[name];
      figure.querySelector(".title").textContent = words[name];
      const values = this.values[name];
      const largest = values.indexOf(Math.max(...values));
      figure.querySelector(".note").textContent = words.largest
        .replace("{share}", percent(values[largest]))
        .replace("{row}", this.header.tops[Math.floor(largest / this.columns)] + 1)
        .replace("{column}", this.header.lefts[largest % this.columns] + 1);
      this.paintMap(figure, values);
      this.listen(figure.querySelector(".stage"));
      return figure;
    });
    this.$(".maps").replaceChildren(...this.maps);
    if (focused) this.$(`[data-map=${focused}] .stage`)?.focus({ preventScroll: true });
  }

  listen(stage) {
    for (const pointed of ["pointermove", "pointerdown"]) {
      stage.addEventListener(pointed, (event) => this.moveTo(...this.placeAt(stage, event)));
    }
    // A click's own coordinates are rounded, so it takes the place that was pointed at.
    stage.addEventListener("click", () => this.choose());
    stage.addEventListener("keydown", (event) => {
      const step = STEPS[event.key];
      if (step) this.moveTo(this.place[0] + step[0], this.place[1] + step[1]);
      else if (event.key === "Enter" || event.key === " ") this.choose();
      else return;
      event.preventDefault();
    });
  }

  // The place whose patch has its middle nearest to the mouse.
  placeAt(stage, event) {
    const box = stage.getBoundingClientRect();
    const [height, width] = this.header.image_shape;
    const { patch, stride } = this.header;
    const nearest = (share, pixels) => Math.round((share * pixels - patch / 2) / stride);
    return [
      nearest((event.clientY - box.top) / box.height, height),
      nearest((event.clientX - box.left) / box.width, width),
    ];
  }

  moveTo(row, column) {
    this.place = [
      Math.min(Math.max(row, 0), this.rows - 1),
      Math.min(Math.max(column, 0), this.columns - 1),
    ];
    this.dirty();
  }

  choose() {
    this.send([...this.place]);
  }

  paintMap(figure, values) {
    const below = figure.querySelector(".below");
    const heat = figure.querySelector(".heat");
    const { image_shape: [height, width], patch, stride, tops, lefts, far } = this.header;
    [below.height, below.width] = [height, width];
    const context = below.getContext("2d");
    const pixels = context.createImageData(width, height);
    for (let i = 0; i < width * height; i++) {
      pixels.data.set([this.image[3 * i], this.image[3 * i + 1], this.image[3 * i + 2], 255], 4 * i);
    }
    context.putImageData(pixels, 0, 0);
    [heat.height, heat.width] = [this.rows, this.columns];
    const paint = heat.getContext("2d");
    const cells = paint.createImageData(this.columns, this.rows);
    const colours = new Uint32Array(cells.data.buffer);
    for (let i = 0; i < colours.length; i++) colours[i] = this.table[Math.round((values[i] / (far || 1)) * 255)];
    paint.putImageData(cells, 0, 0);
    // Each cell of the heat map lies around the middle of its patch.
    const start = (patch - stride) / 2;
    Object.assign(heat.style, {
      top: `${((tops[0] + start) / height) * 100}%`,
      left: `${((lefts[0] + start) / width) * 100}%`,
      height: `${((this.rows * stride) / height) * 100}%`,
      width: `${((this.columns * stride) / width) * 100}%`,
    });
  }

  paintLegend() {
    const context = this.$(".legend canvas").getContext("2d");
    const line = context.createImageData(256, 1);
    new Uint32Array(line.data.buffer).set(this.table);
    context.putImageData(line, 0, 0);
    this.$(".low").textContent = percent(0);
    this.$(".high").textContent = percent(this.header.far);
  }

  dirty() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.showPlace();
      // Counts paints, so that what is on the screen can be awaited and measured.
      this.root.dataset.painted = Number(this.root.dataset.painted ?? 0) + 1;
    });
  }

  showPlace() {
    const { image_shape: [height, width], patch, tops, lefts, words, view } = this.header;
    const [row, column] = this.place;
    const at = row * this.columns + column;
    const title = words.place.replace("{row}", tops[row] + 1).replace("{column}", lefts[column] + 1).replace("{size}", patch).replace("{size}", patch);
    const spoken = [title];
    for (const figure of this.maps) {
      const frame = figure.querySelector(".patch");
      frame.classList.toggle("disc", view.shape === "disc");
      Object.assign(frame.style, {
        top: `${(tops[row] / height) * 100}%`,
        left: `${(lefts[column] / width) * 100}%`,
        height: `${(patch / height) * 100}%`,
        width: `${(patch / width) * 100}%`,
      });
      const text = percent(this.values[figure.dataset.map][at]);
      figure.querySelector(".value").textContent = text;
      spoken.push(`${words[figure.dataset.map]} ${text}`);
    }
    for (const figure of this.maps) {
      figure.querySelector(".stage").setAttribute("aria-label", `${words[figure.dataset.map]}. ${spoken.join(", ")}`);
    }
    this.$(".where").textContent = title;
    if (this.root.getRootNode().activeElement?.classList.contains("stage")) this.$(".spoken").textContent = spoken.join(", ");
  }
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;
