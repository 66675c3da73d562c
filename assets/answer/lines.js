// A row for each pooling: the classes of its clean answer as bars, clean and changed, and the verdict.

const LINES = 3;

const whole = (share) => `${Math.round(100 * share)} %`;
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

const Lined = (Base) => class extends Base {
  build() {
    const { rows, words } = this.header;
    const told = JSON.stringify([rows, words]);
    if (told === this.built) return;
    this.built = told;
    for (const row of this.all(".row:not(.head)")) row.remove();
    for (const row of rows) {
      const made = this.$(".rows").appendChild(element("div", "row"));
      made.dataset.row = row.key;
      made.style.setProperty("--own", row.colours);
      made.setAttribute("role", "group");
      made.setAttribute("aria-label", row.name);
      const name = made.appendChild(element("div", "name"));
      const dot = name.appendChild(element("span", "dot"));
      dot.style.background = row.colours;
      const title = name.appendChild(element("span", "", row.name));
      title.append(element("span", "own numbers"));
      const lines = made.appendChild(element("div", "lines"));
      for (let i = 0; i < LINES; i++) lines.append(this.line());
      const verdict = made.appendChild(element("div", "verdict"));
      verdict.append(element("span", "says"), element("span", "dots"));
      row.networks.forEach((key, place) => {
        const button = verdict.lastChild.appendChild(element("button"));
        button.type = "button";
        button.dataset.place = place;
      });
      verdict.lastChild.append(element("span", "quiet count"));
    }
  }

  line() {
    const made = element("div", "line");
    made.innerHTML = `<span class="class"></span>
      <span class="meter"><i></i></span><span class="share"></span>
      <span class="meter"><i></i></span><span class="share"></span><span class="step"></span>`;
    return made;
  }

  showRow(row, found) {
    const made = this.$(`.row[data-row="${row.key}"]`);
    made.classList.toggle("waiting", !found);
    if (!found) return;
    const { classes } = this.header;
    const [clean, changed] = [found.clean.probabilities, found.changed.probabilities];
    const order = [...clean.keys()].sort((a, b) => clean[b] - clean[a] || a - b).slice(0, LINES);
    const lines = made.querySelectorAll(".line");
    lines.forEach((line, place) => {
      const at = order[place];
      line.hidden = at === undefined;
      if (at === undefined) return;
      line.classList.toggle("first", place === 0);
      const name = line.querySelector(".class");
      name.textContent = name.title = (row.classes ?? classes)[at];
      name.classList.toggle("known", !row.classes && at === this.known);
      const [before, after] = line.querySelectorAll(".meter i");
      before.style.width = `${100 * clean[at]}%`;
      after.style.width = `${100 * changed[at]}%`;
      const [was, is] = line.querySelectorAll(".share");
      was.textContent = whole(clean[at]);
      is.textContent = whole(changed[at]);
      const step = Math.round(100 * changed[at]) - Math.round(100 * clean[at]);
      line.querySelector(".step").textContent = signed(step, 0);
    });
    if (!found.told) {
      made.querySelector(".own").textContent = found.clean.stages
        .map(({ weights }) => (weights ? mean(weights).toFixed(2) : "")).filter(Boolean).join(" · ");
    }
    this.showVerdict(row, found);
  }

  showVerdict(row, found) {
    const made = this.$(`.row[data-row="${row.key}"] .verdict`);
    const { known, header: { words } } = this;
    const classes = row.classes ?? this.header.classes;
    if (!found) return;
    const [said, says] = [largest(found.clean.probabilities), largest(found.changed.probabilities)];
    made.classList.toggle("other", said !== says);
    let text = (said === says ? words.still : words.now).replace("{class}", classes[says])
      .replace("{share}", whole(found.changed.probabilities[says]));
    if (known !== null && !row.classes) text += ` · ${says === known ? words.right : words.wrong}`;
    made.querySelector(".says").textContent = text;
    let [same, done] = [0, 0];
    this.networksOf(row).forEach(({ key }, place) => {
      const one = this.freshOf(key);
      const fresh = one !== null;
      const alike = fresh && largest(one.clean.probabilities) === largest(one.changed.probabilities);
      same += alike;
      done += fresh;
      const dot = made.querySelectorAll(".dots button")[place];
      dot.dataset.same = fresh ? (alike ? "yes" : "no") : "";
      dot.setAttribute("aria-pressed", String(place === Math.min(this.view.shown, row.networks.length - 1)));
      const label = words.dot.replace("{name}", row.name).replace("{place}", place + 1)
        .replace("{says}", fresh ? (alike ? words.dot_same : words.dot_other) : words.dot_waits);
      dot.setAttribute("aria-label", label);
      dot.title = label;
    });
    const total = row.networks.length;
    made.querySelector(".count").textContent = done === total
      ? words.count.replace("{same}", same).replace("{total}", total) : "";
  }
};
