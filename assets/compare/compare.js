// Clean, changed and their difference, one row for each pooling.

const GRIDS = [...POOLED, "nearest", "winners"];
const SIDES = ["clean", "changed", "difference"];

class Compare extends Filmed(Filming(Living(Occluding(Outlining(Measuring(Rows(Maps))))))) {
  constructor(root) {
    super(root);
    this.build();
    for (const entry of this.stages) {
      const { stage, row } = entry;
      const cellAt = (event) => (row === "picture" ? this.behind(stage, event) : this.pooledAt(stage, event));
      this.listenTo(stage, cellAt, () => !this.draws(entry));
    }
    this.listenToPatch();
    this.listenToLevel();
    this.listenToAgainst();
    this.listenToCamera();
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
    const nearest = this.$("[data-row=nearest]");
    nearest.querySelector("[data-side=clean]").replaceWith(element("dl", "shares"));
    nearest.querySelector("[data-side=changed]").remove();
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

  // The same maps changed otherwise: what the person looks at meanwhile stays.
  keep(header) {
    const { kind, fill, shape, against } = header.view;
    this.kept = this.header?.key === header.key ? { ...this.view, kind, fill, shape, against } : {};
    this.diverging = colourTable(this.rest.arrays.diverging);
    this.winnerTable = colourTable(this.rest.arrays.winner_palette);
  }

  shown() {
    this.size();
    this.showPatch({ ...this.header.box });
    this.showLevel();
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
    if (pending.has("live")) this.count();
    else if (pending.has("rest")) this.goOn();
    if (this.video && this.work) return; // the frame from before stays until this one is whole
    if (["all", "live", "rest"].some((part) => pending.has(part))) this.paintAll();
    else if (pending.has("hybrid")) this.paintHybrid();
    this.showControls();
    this.showCell();
  }

  // What the dial turns.
  paintHybrid() {
    this.paintRow("hybrid");
    this.paintNearest();
    this.paintBars();
  }
}

export default mounting(Compare);
