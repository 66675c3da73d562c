// The view as a PNG, drawn with the browser's own fonts so that every language comes out right.

function saveView(inspector) {
  const { header, panels, root } = inspector;
  const style = getComputedStyle(root);
  const ink = style.color;
  const paper = style.getPropertyValue("--paper").trim() || "#fff";
  const font = style.fontFamily;
  const side = 320, gap = 24, margin = 32, caption = 64;
  const ratio = header.image_shape[0] / header.image_shape[1];
  const tall = Math.round(side * ratio);
  const names = ["picture", "feature_map", "attention", "average", "hybrid", "max"];
  const columns = 3;
  const lines = Math.ceil(names.length / columns);
  const canvas = document.createElement("canvas");
  canvas.width = 2 * margin + columns * side + (columns - 1) * gap;
  canvas.height = 2 * margin + 56 + lines * (tall + caption) + 4 * 28 + 90;
  const pen = canvas.getContext("2d");
  pen.fillStyle = paper;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.imageSmoothingEnabled = false;

  const write = (text, x, y, size, weight = 400) => {
    pen.fillStyle = ink;
    pen.font = `${weight} ${size}px ${font}`;
    pen.fillText(text, x, y, canvas.width - x - margin);
  };
  write(root.querySelector("select.channel").selectedOptions[0].textContent, margin, margin + 24, 24, 600);
  names.forEach((name, i) => {
    const x = margin + (i % columns) * (side + gap);
    const y = margin + 56 + Math.floor(i / columns) * (tall + caption);
    const panel = panels[name];
    if (header.colours[name]) {
      pen.fillStyle = header.colours[name];
      pen.beginPath();
      pen.arc(x + 7, y + 9, 7, 0, 2 * Math.PI);
      pen.fill();
    }
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
    write(line.querySelector("dd").textContent, margin + 110, y, 16);
    y += 28;
  }
  const bar = root.querySelector(".legend canvas");
  const low = root.querySelector(".legend .low").textContent;
  write(low, margin, y + 20, 16);
  pen.drawImage(bar, margin + 70, y + 5, 256, 18);
  write(root.querySelector(".legend .high").textContent, margin + 70 + 266, y + 20, 16);
  write(header.caption, margin, y + 56, 14);

  canvas.toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = "hybrid-pooling.png";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  });
}
