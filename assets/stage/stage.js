// One pooling of a trained network: its feature map, the window behind each cell, and what max,
// average and their blend make of it beside what the network's own pooling hands on.

class StageView extends Windowing(Panels(Maps)) {
  constructor(root) {
    super(root);
    this.buildPanels();
    this.listenToPanels();
    this.$(".close").addEventListener("click", () => this.tell("closed", {}));
  }

  load({ header, arrays }) {
    const [channels, height, width] = header.input_shape;
    const [, rows, columns] = header.pooled_shape;
    const steps = (values, ...size) => stepsOf(map(values, channels, ...size), header);
    this.feature = arrays.feature_map;
    const maps = { input: steps(arrays.feature_map, height, width) };
    for (const name of ["max", "average", "own"]) maps[name] = steps(arrays[name], rows, columns);
    super.load({ header, arrays: { ...arrays, ...maps } });
    this.sizePanels();
    this.dirty();
    // Somebody has just opened it.
    if (header.told > (this.shown ?? 0)) this.root.scrollIntoView({ block: "nearest" });
    this.shown = header.told;
  }

  again() {
    if (this.header) this.dirty();
  }

  label(header) {
    super.label(header);
    this.labelPanels(header);
    this.$(".stage-name").textContent = header.title;
  }

  paint(pending) {
    const { words } = this.header;
    if (pending.has("all")) {
      this.paintFeature();
      for (const name of ["max", "average"]) this.paintBlended(name, this.weightOf(name));
      const { own } = this.arrays;
      this.paintBlended("own", 0, { max: own, average: own });
      const { from, to } = this.range(this.view.channel);
      paintLegend(this.$(".legend"), this.table, fixed(from), fixed(to));
    }
    if (pending.has("all") || pending.has("hybrid")) this.paintBlended("hybrid", this.weightOf("hybrid"));
    this.panels.hybrid.note.textContent = words.hybrid_value
      .replace("{value}", this.weightOf("hybrid").toFixed(2));
    this.panels.own.note.textContent = this.header.blended
      ? words.hybrid_value.replace("{value}", this.header.start[this.view.channel].toFixed(2)) : words.no_blend;
    this.showControls();
    this.showCell();
  }
}

export default mounting(StageView);
