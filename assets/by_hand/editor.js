// The numbers that a person types into the cells of the grid.

class Editor {
  // `changed(values)` hears the numbers in reading order, `refuse(reason, text, kept)` nonsense.
  constructor(sheet, { changed, refuse, accept }) {
    Object.assign(this, { sheet, changed, refuse, accept });
    this.inputs = [];
  }

  // Puts an input into each cell of the grid; `places` are the indices of those cells.
  build(places, columns) {
    this.columns = columns;
    this.inputs = places.map((place) => {
      const input = element("input");
      input.type = "text";
      input.autocomplete = "off";
      input.spellcheck = false;
      input.enterKeyHint = "next";
      this.sheet.cells[place].append(input);
      return input;
    });
    this.inputs.forEach((input, index) => this.listen(input, index));
    this.reach(0);
  }

  listen(input, index) {
    input.addEventListener("focus", () => {
      this.reach(index);
      input.select();
      this.fresh = true;
    });
    // The click that brings the focus would put the caret between the digits.
    input.addEventListener("pointerup", (event) => {
      if (this.fresh) event.preventDefault();
      this.fresh = false;
    });
    input.addEventListener("input", () => {
      this.fresh = false;
      input.parentElement.classList.add("editing");
      input.parentElement.classList.remove("refused");
      this.accept();
    });
    input.addEventListener("blur", () => this.take(index));
    input.addEventListener("keydown", (event) => this.key(event, index));
  }

  key(event, index) {
    const input = this.inputs[index];
    if (event.key === "Escape") {
      this.write(index);
      this.accept();
      input.select();
      return;
    }
    const enter = event.key === "Enter" ? [event.shiftKey ? -1 : 1, 0] : undefined;
    const step = enter ?? ARROWS[event.key];
    if (!step || event.isComposing) return;
    // While a number is being changed, left and right move within it.
    const inside = input.parentElement.classList.contains("editing") ||
      input.selectionEnd - input.selectionStart < input.value.length;
    if (step[1] && inside) return;
    event.preventDefault();
    if (!this.take(index)) return input.select();
    const row = Math.floor(index / this.columns) + step[0];
    const column = (index % this.columns) + step[1];
    const rows = this.inputs.length / this.columns;
    if (row < 0 || column < 0 || row >= rows || column >= this.columns) return input.select();
    this.inputs[row * this.columns + column].focus();
  }

  reach(index) {
    this.inputs.forEach((input, i) => (input.tabIndex = i === index ? 0 : -1));
  }

  // Shows numbers; one that is being typed stays as it is.
  show(values, limits) {
    this.values = [...values];
    this.limits = limits;
    this.values.forEach((_value, index) => {
      if (!this.inputs[index].parentElement.classList.contains("editing")) this.write(index);
    });
  }

  write(index) {
    const input = this.inputs[index];
    const text = number(this.values[index], this.limits.decimals);
    if (input.value !== text) input.value = text;
    input.parentElement.classList.remove("editing");
  }

  // Takes what was typed into a cell. False if it is no number that fits.
  take(index) {
    const text = this.inputs[index].value;
    if (!this.inputs[index].parentElement.classList.contains("editing")) return true;
    const kept = number(this.values[index], this.limits.decimals);
    const value = this.read(text);
    if (value === null || Math.abs(value) > this.limits.limit) {
      this.write(index);
      this.inputs[index].parentElement.classList.add("refused");
      this.refuse(value === null ? "no_number" : "too_large", text.trim(), kept);
      return false;
    }
    const rounded = Number(value.toFixed(this.limits.decimals)) + 0;
    const same = rounded === this.values[index];
    this.values[index] = rounded;
    this.write(index);
    if (!same) this.changed(this.values);
    return true;
  }

  // A number however it is written: full-width digits, any minus sign, a decimal comma.
  read(text) {
    const plain = text.normalize("NFKC").trim().replace(/[\u2212\u2013]/g, "-").replace(",", ".");
    return /^[+-]?(\d+\.?\d*|\.\d+)$/.test(plain) ? Number(plain) : null;
  }
}
