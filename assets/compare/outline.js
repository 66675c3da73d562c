// The lines around the cells that changed, and around those that could.

const Outlining = (Base) => class extends Base {
  // Surrounds the cells that changed, thinly those out of reach, and with dashes those in reach.
  showOutlines(name) {
    const { reached } = this.arrays;
    const { rows, columns } = this;
    const around = (marked) => (reached ? outline(marked, rows, columns) : "");
    const inReach = (row, column) => reached[row * columns + column];
    const outer = around(inReach);
    const inner = around((row, column) => inReach(row, column) && this.changedAt(name, row, column));
    const traces = around((row, column) => !inReach(row, column) && this.changedAt(name, row, column));
    for (const side of ["changed", "difference"]) {
      this.at(name, side).svg.innerHTML = reached ? `<path class="trace" d="${traces}"/>
        <path class="ground" d="${outer}"/><path class="reached" d="${outer}"/>
        <path class="ground" d="${inner}"/><path class="outline" d="${inner}"/>` : "";
    }
  }

  changedAt(name, row, column) {
    const cell = this.arrays.cells[(this.view.channel * this.rows + row) * this.columns + column];
    return cell & this.bits(name);
  }

  // Which bits of a cell say that this row changed there. A blend of both changes with either.
  bits(name) {
    if (name === "attention") return 4;
    const weight = this.weightOf(name);
    return (weight > 0 ? 1 : 0) | (weight < 1 ? 2 : 0);
  }
};

// The border between marked cells and the others as an SVG path, one line for each side of a cell.
function outline(marked, rows, columns) {
  const inside = (row, column) => row >= 0 && column >= 0 && row < rows && column < columns && marked(row, column);
  const lines = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      if (!inside(row, column)) continue;
      if (!inside(row - 1, column)) lines.push(`M${column} ${row}h1`);
      if (!inside(row + 1, column)) lines.push(`M${column} ${row + 1}h1`);
      if (!inside(row, column - 1)) lines.push(`M${column} ${row}v1`);
      if (!inside(row, column + 1)) lines.push(`M${column + 1} ${row}v1`);
    }
  }
  return lines.join("");
}
