// The dial of the blend weight: average at its left end, max at its right end.

class Dial {
  // `turned(weight, released)` hears every move; the weight null goes back to the start.
  constructor(root, turned) {
    this.root = root;
    root.innerHTML = `
      <div class="dial-head">
        <label for="dial" data-word="blend_weight"></label>
        <output class="dial-value" for="dial"></output>
        <span class="dial-note quiet"></span>
        <button type="button" class="end restart"></button>
      </div>
      <div class="dial-track">
        <button type="button" class="end" data-weight="0" data-word="end_average"></button>
        <div class="dial-slot">
          <span class="start-mark" aria-hidden="true"></span>
          <input id="dial" type="range" min="0" max="1" step="0.01">
        </div>
        <button type="button" class="end" data-weight="1" data-word="end_max"></button>
      </div>`;
    this.input = root.querySelector("input");
    this.input.addEventListener("input", () => turned(Number(this.input.value), false));
    this.input.addEventListener("change", () => turned(Number(this.input.value), true));
    root.addEventListener("click", (event) => {
      const button = event.target.closest("button.end");
      if (button) turned(button.classList.contains("restart") ? null : Number(button.dataset.weight), true);
    });
  }

  // `start` is where the layer's own weight stands, and null where there is none.
  show(weight, start, words) {
    const find = (selector) => this.root.querySelector(selector);
    this.input.value = weight;
    this.input.setAttribute("aria-valuetext", weight.toFixed(2));
    find(".dial-value").textContent = weight.toFixed(2);
    const note = { 0: "same_as_average", 1: "same_as_max" }[weight] ?? "dial_note";
    find(".dial-note").textContent = (words[note] ?? "")
      .replace("{max}", Math.round(weight * 100)).replace("{average}", Math.round((1 - weight) * 100));
    for (const part of [find(".restart"), find(".start-mark")]) part.hidden = start === null;
    if (start === null) return;
    find(".restart").textContent = words["restart"].replace("{weight}", start.toFixed(2));
    find(".start-mark").style.left = `calc(0.75rem + ${start} * (100% - 1.5rem))`;
  }
}
