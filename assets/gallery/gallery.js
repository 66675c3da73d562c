// Thumbnails to pick a picture from. Python sends them once; a click sends back the key.

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
  reach(buttons, buttons.find((button) => button.dataset.key === data.chosen) ?? buttons[0]);
  group.onclick = (event) => {
    const button = event.target.closest("button");
    if (button) setStateValue("pick", { key: button.dataset.key, told: Date.now() });
  };
  group.onkeydown = (event) => {
    const next = buttons[neighbour(buttons, buttons.indexOf(event.target.closest("button")), event.key)];
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
