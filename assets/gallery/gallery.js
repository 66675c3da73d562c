// Thumbnails to pick a picture from. Python sends them once; a click sends back the key.

// So many pictures stand in the one row that is shown at first.
const ROW = 4;

export default function mount({ data, parentElement, setStateValue }) {
  const group = parentElement.querySelector(".gallery");
  group.setAttribute("aria-label", data.label);
  if (group.dataset.language !== data.language) {
    group.dataset.language = data.language;
    group.replaceChildren(
      ...data.pictures.map(({ key, title, thumbnail }) => {
        const button = document.createElement("button");
        button.type = "button";
        button.dataset.key = key;
        button.title = title;
        const image = new Image();
        image.src = thumbnail;
        image.alt = title;
        button.append(image);
        return button;
      }),
    );
  }
  const buttons = [...group.children];
  for (const button of buttons) {
    button.setAttribute("aria-pressed", String(button.dataset.key === data.chosen));
  }
  const chosen = buttons.find((button) => button.dataset.key === data.chosen) ?? buttons[0];
  const more = parentElement.querySelector(".more");
  const unfold = (all) => {
    more.setAttribute("aria-expanded", String(all));
    more.textContent = all ? data.fewer : data.more;
    const first = buttons.filter((button) => button !== chosen).slice(0, ROW - 1);
    for (const button of buttons) button.hidden = !(all || button === chosen || first.includes(button));
    reach(buttons, chosen);
  };
  unfold(more.getAttribute("aria-expanded") === "true");
  more.onclick = () => unfold(more.getAttribute("aria-expanded") !== "true");
  group.onclick = (event) => {
    const button = event.target.closest("button");
    if (button) setStateValue("pick", { key: button.dataset.key, told: Date.now() });
  };
  group.onkeydown = (event) => {
    const shown = buttons.filter((button) => !button.hidden);
    const next = shown[neighbour(shown, shown.indexOf(event.target.closest("button")), event.key)];
    if (!next) return;
    event.preventDefault();
    reach(buttons, next);
    next.focus();
  };
}

// The one thumbnail that the Tab key reaches; arrows lead to the others.
function reach(buttons, chosen) {
  for (const button of buttons) button.tabIndex = button === chosen ? 0 : -1;
}

function neighbour(buttons, at, key) {
  const across = buttons.findIndex((button) => button.offsetTop > buttons[0].offsetTop);
  const line = across < 0 ? buttons.length : across;
  const ends = { Home: 0, End: buttons.length - 1 };
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -line, ArrowDown: line };
  return key in ends ? ends[key] : at + (steps[key] ?? NaN);
}
