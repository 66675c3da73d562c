// Thumbnails to pick a picture from. Python sends them once; a click sends back the key.

export default function mount({ data, parentElement, setTriggerValue }) {
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
  for (const button of group.children) {
    button.setAttribute("aria-pressed", String(button.dataset.key === data.chosen));
  }
  group.onclick = (event) => {
    const button = event.target.closest("button");
    if (button) setTriggerValue("pick", button.dataset.key);
  };
}
