// Clean, changed and their difference, one row for each pooling.

const GRIDS = [...POOLED, "winners"];
const SIDES = ["clean", "changed", "difference"];

class Compare extends Occluding(Outlining(Rows(Maps))) {
  constructor(root) {
    super(root);
    this.build();
    for (const entry of this.stages) {
      const { stage, row } = entry;
      const cellAt = (event) => (row === "picture" ? this.behind(stage, event) : this.pooledAt(stage, event));
      this.listenTo(stage, cellAt, () => !this.draws(entry));
    }
    this.listenToPatch();
  }

  build() {
    for (const name of GRIDS) {
      const row = this.$(".rows").appendChild(element("div", "row"));
      row.dataset.row = name;
      row.innerHTML = `
        <div class="name"><span class="title"><span class="dot"></span><span class="word"></span></span>
          <span class="numbers note"></span></div>
        ${SIDES.map((side) => `<div class="stage" data-side="${side}" tabindex="0" role="img">
          <canvas></canvas><svg preserveAspectRatio="none" aria-hidden="true"></svg><span class="frame"></span></div>`).join("")}
        <div class="effect"><dl></dl><p class="here"></p><p class="under"></p></div>`;
    }
    this.$("[data-row=winners] .name").append(element("div", "winner-legend"));
    this.stages = this.all(".stage").map((stage) => ({
      stage,
      canvas: stage.querySelector("canvas"),
      frame: stage.querySelector(".frame"),
      svg: stage.querySelector("svg"),
      row: stage.closest(".row").dataset.row,
      side: stage.dataset.side,
    }));
  }

  at(row, side) {
    return this.stages.find((entry) => entry.row === row && entry.side === side);
  }

  // ---- what is shown ----------------------------------------------------------------------

  load(message) {
    const { header, arrays } = message;
    // The same maps changed otherwise: what the person looks at meanwhile stays.
    const { kind, fill, shape } = header.view;
    this.kept = this.header?.key === header.key ? { ...this.view, kind, fill, shape } : {};
    this.diverging = colourTable(arrays.diverging);
    this.winnerTable = colourTable(arrays.winner_palette);
    super.load(message);
    this.size();
    this.showPatch({ ...header.box });
    this.dirty();
  }

  label(header) {
    super.label(header);
    const { words, colours } = header;
    this.$("[data-row=picture] .title").textContent = words.picture;
    for (const name of GRIDS) {
      const row = this.$(`[data-row=${name}]`);
      row.querySelector(".word").textContent = words[name];
      const dot = row.querySelector(".dot");
      dot.style.display = colours[name] ? "" : "none";
      dot.style.background = colours[name] ?? "";
    }
    this.$(".occluder-keys").hidden = this.view.kind !== "occlusion";
    this.showWinnerLegend();
  }

  size() {
    const [height, width] = this.header.image_shape;
    this.root.style.setProperty("--aspect", width / height);
    this.$("[data-row=picture] .size").textContent = `${height} × ${width}`;
    for (const entry of this.stages) {
      const picture = entry.row === "picture";
      entry.easel = easel(entry.canvas, picture ? height : this.rows, picture ? width : this.columns);
      entry.svg?.setAttribute("viewBox", `0 0 ${this.columns} ${this.rows}`);
    }
    for (const side of ["clean", "changed"]) this.paintPicture(side, this.arrays[`image_${side}`]);
  }

  paintPicture(side, rgb) {
    paintRgb(this.at("picture", side).easel, rgb);
  }

  paint(pending) {
    if (pending.has("all")) this.paintAll();
    else if (pending.has("hybrid")) this.paintRow("hybrid");
    this.showControls();
    this.showCell();
  }
}

export default mounting(Compare);
