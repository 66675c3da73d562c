// A sheet that is saved as a PNG, drawn with the browser's own fonts and colours so that every
// language and theme comes out right.

class Sheet {
  constructor(root, width, height, margin) {
    const style = getComputedStyle(root);
    this.ink = style.color;
    this.font = style.fontFamily;
    this.margin = margin;
    this.canvas = Object.assign(document.createElement("canvas"), { width, height });
    this.pen = this.canvas.getContext("2d");
    this.fill(style.getPropertyValue("--paper").trim() || "#fff", 0, 0, width, height);
    this.pen.imageSmoothingEnabled = false;
  }

  fill(colour, ...box) {
    this.pen.fillStyle = colour;
    this.pen.fillRect(...box);
  }

  // Never wider than `room`, by default up to the margin.
  write(text, x, y, size, weight = 400, room = this.canvas.width - x - this.margin) {
    this.pen.fillStyle = this.ink;
    this.pen.font = `${weight} ${size}px ${this.font}`;
    this.pen.fillText(text, x, y, room);
  }

  dot(colour, x, y) {
    this.pen.fillStyle = colour;
    this.pen.beginPath();
    this.pen.arc(x, y, 7, 0, 2 * Math.PI);
    this.pen.fill();
  }

  save(name) {
    this.canvas.toBlob((blob) => {
      const link = element("a");
      link.href = URL.createObjectURL(blob);
      link.download = name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    });
  }
}
