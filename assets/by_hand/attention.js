// The attention layer, step by step: four channels, their means, two small matrices, four blends.

class AttentionSteps {
  // `chosen(index, how)` hears which output cell a person points at.
  constructor(root, chosen) {
    this.root = root;
    this.chosen = chosen;
    this.row = { first: 0, second: 0 };
    this.channels = [];
    this.attended = [];
  }

  $(selector) {
    return this.root.querySelector(selector);
  }

  build(count) {
    if (this.channels.length === count) return;
    this.channels = Array.from({ length: count }, () => {
      const sheet = new Sheet(this.$(".channels").appendChild(element("figure", "sheet")));
      sheet.sum = sheet.figure.appendChild(element("p", "sheet-note"));
      return sheet;
    });
    this.attended = Array.from({ length: count }, () => {
      const pair = this.$(".attended").appendChild(element("div", "pair"));
      const sheet = new Sheet(pair.appendChild(element("figure", "sheet")));
      sheet.formula = pair.appendChild(element("p", "formula"));
      sheet.pick(this.chosen);
      return sheet;
    });
  }

  show(header, table) {
    this.header = header;
    this.steps = header.attention;
    this.table = table;
    const { names, means, totals, channels, values, pooled, low, high } = this.steps;
    this.build(names.length);
    const { grid, output, words } = header;
    const paint = (sheet, rows, columns, numbers) => {
      sheet.resize(rows, columns);
      const texts = numbers.map((value) => number(value, 2));
      sheet.fit(Math.max(...texts.map((text) => text.length)));
      numbers.forEach((value, i) => sheet.set(i, {
        text: texts[i],
        ...coloursOf(value, low, high, table),
        label: called(words.cell_value, i, columns, sheet.title.textContent, number(value)),
      }));
    };
    const longest = Math.max(...pooled.flat().map((value) => number(value, 2).length));
    names.forEach((name, i) => {
      this.channels[i].label(name, null);
      paint(this.channels[i], grid.rows, grid.columns, channels[i]);
      this.channels[i].sum.textContent = words.mean_formula
        .replace("{sum}", number(totals[i])).replace("{count}", grid.rows * grid.columns)
        .replace("{result}", equals(means[i]));
      this.attended[i].label(name, header.colours.attention, words.attention_value.replace("{value}", number(values[i])));
      paint(this.attended[i], output.rows, output.columns, pooled[i]);
      this.attended[i].fit(longest);
    });
    paintLegend(this.$(".attention .legend"), table, number(low), number(high));
    this.matrices();
  }

  matrices() {
    const { words } = this.header;
    const s = this.steps;
    const numbered = (template, count) =>
      Array.from({ length: count }, (_v, i) => template.replace("{number}", i + 1));
    const channels = numbered(words.channel_number, s.names.length);
    const hidden = numbered(words.hidden_number, s.sums.length);
    this.matrix("first", channels, s.means, hidden, s.first_weight, s.first_bias, s.sums, s.hidden, words.relu,
      (sum, result) => [`max(0, ${number(sum)}) ${equals(result)}`]);
    this.matrix("second", hidden, s.hidden, channels, s.second_weight, s.second_bias, s.logits, s.values, words.sigmoid,
      (sum, result) => ["1 / (1 + e", element("sup", "", number(-sum)), `) ${equals(result)}`]);
  }

  // One matrix as a spreadsheet: what it multiplies stands above it, its results at the right.
  matrix(name, inputs, values, outputs, weights, bias, sums, results, activation, finish) {
    const { words } = this.header;
    const table = element("table");
    const head = table.createTHead().insertRow();
    head.append(element("th", "", words.multiply));
    inputs.forEach((label, i) => {
      const th = element("th", "", label);
      th.append(element("span", "value", number(values[i])));
      head.append(th);
    });
    for (const label of [words.bias, words.sum, activation]) head.append(element("th", "", label));
    for (const th of head.children) th.scope = "col";
    const body = table.createTBody();
    outputs.forEach((label, i) => {
      const line = body.insertRow();
      const th = element("th", "", label);
      th.scope = "row";
      line.append(th);
      for (const value of [...weights[i], bias[i], sums[i]]) line.insertCell().textContent = number(value);
      const result = line.insertCell();
      result.className = "result";
      result.textContent = number(results[i]);
      line.tabIndex = 0;
      const write = () => {
        this.row[name] = i;
        for (const other of body.rows) other.classList.toggle("shown", other === line);
        const products = weights[i].map((weight, j) => `${term(weight, 2)} \u00d7 ${term(values[j])}`);
        const sum = `${label}: ${products.join(" + ")} + ${term(bias[i], 2)} ${equals(sums[i])}; `;
        this.$(`.${name}-written`).replaceChildren(sum, ...finish(sums[i], results[i]));
      };
      line.addEventListener("pointerenter", write);
      line.addEventListener("focus", write);
      line.addEventListener("click", write);
      if (i === Math.min(this.row[name], outputs.length - 1)) this.write = write;
    });
    this.$(`.matrix.${name}`).replaceChildren(table);
    this.write();
  }

  // The window that is looked at, in each channel and in each result.
  window(index, area, span) {
    const { output } = this.header;
    const { max, average, values, pooled } = this.steps;
    for (const sheet of this.channels) sheet.surround(clipped(area, span));
    this.attended.forEach((sheet, i) => {
      const [row, column] = [Math.floor(index / output.columns), index % output.columns];
      sheet.surround({ top: row, left: column, height: 1, width: 1 });
      sheet.reach(index);
      sheet.formula.textContent = `${mix(values[i], max[i][index], average[i][index], 3)} ${equals(pooled[i][index])}`;
    });
  }
}

// w × max + (1 − w) × average, as it is written.
function mix(weight, maximum, average, decimals = 2, write = term) {
  return `${weight.toFixed(decimals)} \u00d7 ${write(maximum)} + ${(1 - weight).toFixed(decimals)} \u00d7 ${write(average)}`;
}

// The part of a window that lies on the grid, in cells of the grid.
function clipped({ top, left, height, width }, { rows, columns, lead }) {
  const from = [Math.max(top - lead, 0), Math.max(left - lead, 0)];
  const to = [Math.min(top - lead + height, rows), Math.min(left - lead + width, columns)];
  return { top: from[0], left: from[1], height: to[0] - from[0], width: to[1] - from[1] };
}
