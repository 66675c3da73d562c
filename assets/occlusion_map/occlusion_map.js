// How far each pooled map moves with a patch at each place of the picture. Python sends the values
// once; pointing at a place shows its patch and its values, a click hands the place to Python.

const POOLED = ["max", "average", "hybrid", "attention"];

class Sliding extends Component {
  constructor(root) {
    super(root);
    this.$(".through input").addEventListener("input", (event) => {
      root.style.setProperty("--through", event.target.value);
    });
  }

  load({ header, arrays }) {
    this.header = header;
    this.image = arrays.image;
    this.table = colourTable(arrays.palette);
    this.values = Object.fromEntries(
      POOLED.map((name) => [name, new Float32Array(arrays[name].buffer)]),
    );
    [this.rows, this.columns] = [header.tops.length, header.lefts.length];
    this.place = header.place;
    this.label(header);
    const [height, width] = header.image_shape;
    this.root.style.setProperty("--aspect", width / height);
    this.build();
    const { against, far, words } = header;
    paintLegend(this.$(".legend"), this.table, against ? this.print(-far) : percent(0), this.print(far));
    this.$(".legend .quiet").textContent = against ? words.legend_against : words.legend;
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
      figure.querySelector(".note").textContent = this.noteOf(values);
      this.paintMap(figure, values);
      this.listen(figure.querySelector(".stage"));
      return figure;
    });
    this.$(".maps").replaceChildren(...this.maps);
    if (focused) this.$(`[data-map=${focused}] .stage`)?.focus({ preventScroll: true });
  }

  // The place that lies farthest from zero, or how many tie: nothing where that is printed as zero,
  // as max against itself is, and none against max, where ties may have either sign.
  noteOf(values) {
    const { tops, lefts, against, words } = this.header;
    const far = values.map(Math.abs);
    const most = far.indexOf(Math.max(...far));
    const ties = far.filter((value) => alike(value, far[most])).length;
    if (!rounded(100 * far[most], 1)) return "";
    const share = this.print(values[most]);
    if (ties > 1) return against ? "" : words.largest_places.replace("{share}", share).replace("{count}", ties);
    return place(against ? words.farthest : words.largest, tops[Math.floor(most / this.columns)], lefts[most % this.columns])
      .replace("{share}", share);
  }

  // A share of the clean map, or by how many points it lies from that of max.
  print(value) {
    const { against, words } = this.header;
    return against ? words.points.replace("{points}", signed(100 * value, 1)) : percent(value);
  }

  listen(stage) {
    for (const pointed of ["pointermove", "pointerdown"]) {
      stage.addEventListener(pointed, (event) => this.moveTo(...this.placeAt(stage, event)));
    }
    // A click's own coordinates are rounded, so it takes the place that was pointed at.
    stage.addEventListener("click", () => this.choose());
    stage.addEventListener("keydown", (event) => {
      const step = ARROWS[event.key];
      if (step) this.moveTo(this.place[0] + step[0], this.place[1] + step[1]);
      else if (event.key === "Enter" || event.key === " ") this.choose();
      else return;
      event.preventDefault();
    });
  }

  // The place whose patch has its middle nearest to the mouse.
  placeAt(stage, event) {
    const [y, x] = shareAt(stage, event);
    const { patch, stride, image_shape: [height, width] } = this.header;
    const nearest = (share, pixels) => Math.round((share * pixels - patch / 2) / stride);
    return [nearest(y, height), nearest(x, width)];
  }

  moveTo(row, column) {
    this.place = [clip(row, 0, this.rows - 1), clip(column, 0, this.columns - 1)];
    this.dirty();
  }

  choose() {
    const [row, column] = this.place;
    this.tell("place", { row, column });
  }

  paintMap(figure, values) {
    const heat = figure.querySelector(".heat");
    const { image_shape: [height, width], patch, stride, tops, lefts, far, against } = this.header;
    const [zero, gain] = against ? [127.5, 127.5 / (far || 1)] : [0, 255 / (far || 1)];
    paintRgb(easel(figure.querySelector(".below"), height, width), this.image);
    const { pixels, show } = easel(heat, this.rows, this.columns);
    for (let i = 0; i < pixels.length; i++) pixels[i] = this.table[Math.round(zero + values[i] * gain)];
    show();
    // Each cell of the heat map lies around the middle of its patch.
    const [top, left] = [tops[0] + (patch - stride) / 2, lefts[0] + (patch - stride) / 2];
    surround(heat, top / height, (top + this.rows * stride) / height, left / width, (left + this.columns * stride) / width);
  }

  paint() {
    const { image_shape: [height, width], patch, tops, lefts, words, view } = this.header;
    const [row, column] = this.place;
    const at = row * this.columns + column;
    const title = place(words.place, tops[row], lefts[column]).replaceAll("{size}", patch);
    const spoken = [title];
    for (const figure of this.maps) {
      const frame = figure.querySelector(".patch");
      frame.classList.toggle("disc", view.shape === "disc");
      surround(frame, tops[row] / height, (tops[row] + patch) / height, lefts[column] / width, (lefts[column] + patch) / width);
      const text = this.print(this.values[figure.dataset.map][at]);
      figure.querySelector(".value").textContent = text;
      spoken.push(`${words[figure.dataset.map]} ${text}`);
    }
    for (const figure of this.maps) {
      figure.querySelector(".stage").setAttribute("aria-label", `${words[figure.dataset.map]}. ${spoken.join(", ")}`);
    }
    this.$(".where").textContent = title;
    this.say(spoken.join(", "));
  }
}

export default mounting(Sliding);
