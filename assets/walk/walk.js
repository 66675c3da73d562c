// Every network layer by layer: the maps that its poolings hand on, each a button that opens it.

class Walk extends Component {
  constructor(root) {
    super(root);
    this.$("table").addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      const { row, pooling, channel } = button.dataset;
      this.opened = { row, pooling: Number(pooling), channel: Number(channel) };
      this.mark();
      this.tell("opened", this.opened);
    });
  }

  load({ header }) {
    this.header = header;
    // What was clicked since then counts, and Python hears of it.
    if (!((this.told ?? 0) > header.told)) this.opened = header.look;
    this.label(header);
    const head = element("tr");
    head.append(...header.titles.map((title) => scoped("col", title)));
    this.$("table").replaceChildren(head, ...header.rows.map((row) => this.line(row)));
    this.mark();
    this.dirty();
  }

  line({ key, name, poolings }) {
    const line = element("tr");
    line.append(scoped("row", name));
    poolings.forEach(({ maps, said }, pooling) => {
      const cell = line.appendChild(element("td"));
      cell.dataset.title = this.header.titles[pooling + 1];
      const pooled = cell.appendChild(element("div", "pooled"));
      for (const { channel, thumbnail, lines } of maps) {
        const button = pooled.appendChild(element("button"));
        Object.assign(button, { type: "button", title: this.header.words.open });
        Object.assign(button.dataset, { row: key, pooling, channel });
        button.setAttribute("aria-label", `${name}, ${this.header.titles[pooling + 1]}, ${lines.join(", ")}`);
        button.appendChild(element("img")).src = thumbnail;
        button.querySelector("img").alt = "";
        button.append(...lines.map((text) => element("span", "", text)));
      }
      cell.append(said);
    });
    return line;
  }

  // Which of them is open below.
  mark() {
    for (const button of this.all("button")) {
      const open = this.opened && ["row", "pooling", "channel"]
        .every((name) => button.dataset[name] === String(this.opened[name]));
      button.setAttribute("aria-pressed", Boolean(open));
    }
  }

  paint() {}
}

function scoped(scope, text) {
  const made = element("th", "", text);
  made.scope = scope;
  return made;
}

export default mounting(Walk);
