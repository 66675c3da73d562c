// The view as a PNG.

function saveView(inspector) {
  const { header, panels, root } = inspector;
  const side = 320, gap = 24, margin = 32, caption = 64;
  const ratio = header.image_shape[0] / header.image_shape[1];
  const tall = Math.round(side * ratio);
  const names = ["picture", "feature_map", "attention", "average", "hybrid", "max"];
  const columns = 3;
  const lines = Math.ceil(names.length / columns);
  const width = 2 * margin + columns * side + (columns - 1) * gap;
  const sheet = new Sheet(root, width, 2 * margin + 56 + lines * (tall + caption) + 4 * 28 + 90, margin);
  const { pen } = sheet;
  const write = (...what) => sheet.write(...what);
  write(root.querySelector("select.channel").selectedOptions[0].textContent, margin, margin + 24, 24, 600);
  names.forEach((name, i) => {
    const x = margin + (i % columns) * (side + gap);
    const y = margin + 56 + Math.floor(i / columns) * (tall + caption);
    const panel = panels[name];
    if (header.colours[name]) sheet.dot(header.colours[name], x + 7, y + 9);
    write(panel.figure.querySelector(".title").textContent, x + (header.colours[name] ? 22 : 0), y + 15, 18, 600);
    pen.drawImage(panel.canvas, x, y + 24, side, tall);
    const box = (edge) => parseFloat(panel.frame.style[edge]) / 100;
    pen.strokeStyle = "#ff2d20";
    pen.lineWidth = 3;
    pen.strokeRect(x + box("left") * side, y + 24 + box("top") * tall, box("width") * side, box("height") * tall);
    write([panel.range.textContent, panel.note.textContent].filter(Boolean).join(" · "), x, y + tall + 42, 13);
  });
  let y = margin + 56 + lines * (tall + caption) + 18;
  for (const line of root.querySelectorAll(".formulas > div")) {
    write(line.querySelector("dt").textContent.trim(), margin, y, 16, 600);
    write(line.querySelector("dd").innerText, margin + 110, y, 16);
    y += 28;
  }
  const bar = root.querySelector(".legend canvas");
  const low = root.querySelector(".legend .low").textContent;
  write(low, margin, y + 20, 16);
  pen.drawImage(bar, margin + 70, y + 5, 256, 18);
  write(root.querySelector(".legend .high").textContent, margin + 70 + 266, y + 20, 16);
  write(header.caption, margin, y + 56, 14);
  sheet.save("hybrid-pooling.png");
}
