// A sheet: one grid of cells on the page. It draws, frames and picks cells; it knows no arithmetic.

// A number as a person writes it: no trailing zeros.
function number(value, decimals = 3) {
  return fixed(value, decimals).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
}

// "=" where the printed number is the number, and the sign for "about" where it is rounded.
function equals(value, decimals = 3) {
  return `${agree(rounded(value, decimals), value)} ${number(value, decimals)}`;
}

// A number inside a sum, in brackets if it is negative.
const term = (value, decimals = 3) => bracketed(number(value, decimals));

// What a cell is called: where it is and what it holds.
const called = (template, index, columns, name, value) =>
  place(template, Math.floor(index / columns), index % columns)
    .replace("{name}", name).replace("{value}", value);

class Sheet {
  constructor(figure) {
    this.figure = figure;
    this.caption = figure.appendChild(element("figcaption"));
    this.name = this.caption.appendChild(element("span", "name"));
    this.dot = this.name.appendChild(element("span", "dot"));
    this.title = this.name.appendChild(element("span"));
    this.note = this.caption.appendChild(element("span", "sheet-size"));
    this.box = figure.appendChild(element("div", "box"));
    this.box.setAttribute("role", "grid");
    this.cells = [];
  }

  label(title, colour, note = "") {
    this.title.textContent = title;
    this.dot.style.display = colour ? "" : "none";
    this.dot.style.background = colour ?? "";
    this.note.textContent = note;
    this.box.setAttribute("aria-label", title);
  }

  // Builds the cells anew only if there are more or fewer of them.
  resize(rows, columns) {
    if (rows === this.rows && columns === this.columns) return false;
    this.rows = rows;
    this.columns = columns;
    this.figure.style.setProperty("--rows", rows);
    this.figure.style.setProperty("--columns", columns);
    const lines = Array.from({ length: rows }, () => {
      const line = element("div", "line");
      line.setAttribute("role", "row");
      for (let i = 0; i < columns; i++) {
        const cell = element("div", "cell");
        cell.setAttribute("role", "gridcell");
        cell.append(element("span"));
        line.append(cell);
      }
      return line;
    });
    this.box.replaceChildren(...lines);
    this.cells = [...this.box.querySelectorAll(".cell")];
    this.frame = this.box.appendChild(element("span", "frame"));
    this.frame.hidden = true;
    return true;
  }

  fit(characters) {
    this.figure.style.setProperty("--chars", Math.max(characters, 2));
  }

  set(index, { text = "", fill = "", ink = "", label = "", kind = "" }) {
    const cell = this.cells[index];
    const span = cell.firstElementChild;
    if (span.textContent !== text) span.textContent = text;
    cell.style.setProperty("--fill", fill || null);
    cell.style.setProperty("--on-fill", ink || null);
    if (label) cell.setAttribute("aria-label", label);
    cell.className = `cell ${kind}`;
  }

  // Draws the frame around some cells, or takes it away.
  surround(area) {
    this.frame.hidden = !area;
    if (!area) return;
    const { top, left, height, width } = area;
    surround(this.frame, top / this.rows, (top + height) / this.rows, left / this.columns, (left + width) / this.columns);
  }

  // Lets a person point at cells: a mouse that moves, a tap, the keyboard. `how` says which.
  pick(chosen) {
    this.figure.classList.add("pick");
    const at = (event) => this.cells.indexOf(event.target.closest(".cell"));
    const choose = (event, how) => {
      const index = at(event);
      if (index >= 0) chosen(index, how);
    };
    this.box.addEventListener("pointermove", (event) => {
      // A finger that moves scrolls the page; it chooses by a tap.
      if (event.pointerType !== "touch") choose(event, "point");
    });
    this.box.addEventListener("click", (event) => choose(event, "click"));
    this.box.addEventListener("focusin", (event) => {
      if (event.target.matches(":focus-visible")) choose(event, "key");
    });
    this.box.addEventListener("keydown", (event) => {
      const step = ARROWS[event.key];
      const index = at(event);
      if (!step || index < 0) return;
      event.preventDefault();
      const row = clip(Math.floor(index / this.columns) + step[0], 0, this.rows - 1);
      const column = clip((index % this.columns) + step[1], 0, this.columns - 1);
      this.cells[row * this.columns + column].focus();
    });
  }

  // The one cell that the Tab key reaches.
  reach(index) {
    this.cells.forEach((cell, i) => cell.setAttribute("tabindex", i === index ? 0 : -1));
  }
}
