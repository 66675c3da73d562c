// Words with one line behind them, and the keys with their overlay.

// Each term and the word that is its line.
const TERMS = {
  filter: "term_filter",
  feature_map: "term_feature_map",
  channel: "term_channel",
  the_window: "term_the_window",
  blend_weight: "term_blend_weight",
  attention: "term_attention",
};

// A button that shows one line; the browser closes it with Escape or a touch elsewhere.
function termButton(button, id) {
  const line = element("p", "term-line");
  Object.assign(line, { id, popover: "auto" });
  button.setAttribute("popovertarget", id);
  button.after(line);
  line.addEventListener("toggle", () => {
    const box = button.getBoundingClientRect();
    line.style.top = `${box.bottom + 6}px`;
    line.style.left = `${clip(box.left - 20, 8, Math.max(innerWidth - line.offsetWidth - 8, 8))}px`;
  });
  return { button, line };
}

// Whether a key is meant for what has the focus: somebody writes or chooses there.
function takesKeys(part) {
  if (part.tagName === "INPUT") return !["range", "checkbox", "radio"].includes(part.type);
  return part.tagName === "TEXTAREA" || part.tagName === "SELECT" || part.isContentEditable === true;
}

const Termed = (Base) => class extends Base {
  buildTerms() {
    const asking = (name) => {
      const button = element("button", "term", "?");
      button.type = "button";
      button.dataset.term = name;
      return button;
    };
    for (const name of ["feature_map", "attention"]) this.$(`[data-panel=${name}] .name`).append(asking(name));
    this.$(".dial-head").firstElementChild.after(asking("blend_weight"));
    this.terms = new Map(this.all("[data-term]").map((button) =>
      [button.dataset.term, termButton(button, `term-${button.dataset.term}`)]));
    const list = this.$(".key-list");
    this.$(".help").addEventListener("click", () => list.showModal());
    list.querySelector(".close").addEventListener("click", () => list.close());
    list.addEventListener("click", (event) => event.target === list && list.close());
    this.listening = (event) => this.hearKey(event);
    document.addEventListener("keydown", this.listening);
  }

  dispose() {
    document.removeEventListener("keydown", this.listening);
    super.dispose();
  }

  label(header) {
    super.label(header);
    const { words } = header;
    for (const [name, said] of Object.entries(TERMS)) {
      const { button, line } = this.terms.get(name);
      button.setAttribute("aria-label", words.what_is.replace("{term}", words[name]));
      line.textContent = words[said];
    }
    const entries = Object.entries(this.keys).flatMap(([name, { keys }]) => {
      const term = element("dt");
      term.append(...keys.map((key) => element("kbd", "", key)));
      return [term, element("dd", "", words[name])];
    });
    this.$(".key-list dl").replaceChildren(...entries);
  }

  // What each key does, by the word that says it.
  get keys() {
    const step = (change) => {
      this.turn(clip(this.weightOf("hybrid") + change, 0, 1), false);
      this.soon("view", () => this.tellView());
    };
    return {
      key_channel: { keys: [",", "."], act: (key) => this.pickChannel(this.view.channel + (key === "." ? 1 : -1)) },
      key_picture: { keys: ["p", "n"], act: (key) => this.stepPicture(key === "n" ? 1 : -1) },
      key_dial: { keys: ["-", "+"], act: (key) => step(key === "+" ? 0.05 : -0.05) },
      key_ends: { keys: ["0", "1"], act: (key) => this.turn(Number(key), true) },
      key_reset: { keys: ["b"], act: () => this.turn(null, true) },
      key_sweep: { keys: ["s"], act: () => this.sweep() },
      key_difference: { keys: ["d"], act: () => this.set({ difference: !this.view.difference }) },
      key_swipe: { keys: ["w"], act: () => this.swipe(!this.swiping) },
      key_help: { keys: ["?"], act: () => this.$(".key-list").showModal() },
    };
  }

  hearKey(event) {
    const plain = !(event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented);
    if (!plain || !this.header || this.$(".key-list").open || takesKeys(event.composedPath()[0])) return;
    const found = Object.values(this.keys).find(({ keys }) => keys.includes(event.key));
    if (!found) return;
    event.preventDefault();
    found.act(event.key);
  }
};
