// The comparison as a PNG: both pictures, and every row as it stands on the page.

const SAVED = { margin: 32, side: 224, row: 100, name: 190, classes: 120, bar: 170, number: 56 };

function saveAnswers(answers) {
  const { root, header } = answers;
  const { margin, side, row, name, classes, bar, number } = SAVED;
  const rows = answers.all(".row:not(.head)");
  const left = margin + side + 40;
  const starts = { class: left + name, clean: left + name + classes };
  starts.changed = starts.clean + bar + number;
  starts.verdict = starts.changed + bar + number + 16;
  const top = margin + 70;
  const height = Math.max(rows.length * row, 2 * (side + 40)) + top + 70;
  const sheet = new Sheet(root, starts.verdict + 230, height, margin);
  sheet.write(answers.saved(), margin, margin + 20, 20, 600);

  ["clean", "changed"].forEach((which, place) => {
    const y = top + place * (side + 44);
    sheet.write(header.words[which], margin, y - 8, 16, 600);
    sheet.pen.drawImage(answers.$(`[data-side=${which}] canvas`), margin, y, side, side);
    sheet.write(header.words[which], starts[which], top - 8, 16, 600);
  });
  sheet.write(header.words.same_answer, starts.verdict, top - 8, 16, 600);
  rows.forEach((part, place) => {
    const y = top + place * row + 18;
    const colour = part.style.getPropertyValue("--own");
    sheet.dot(colour, left + 7, y + 4);
    sheet.write(part.getAttribute("aria-label"), left + 22, y + 10, 16, 600, name - 30);
    sheet.write(part.querySelector(".own").textContent, left + 22, y + 32, 13, 400, name - 30);
    part.querySelectorAll(".line:not([hidden])").forEach((line, at) => {
      const level = y + at * 24 + 10;
      const weight = at ? 400 : 700;
      const known = line.querySelector(".class").classList.contains("known") ? " ★" : "";
      sheet.write(line.querySelector(".class").textContent + known, starts.class, level, 14, weight, classes - 8);
      const shares = line.querySelectorAll(".share");
      line.querySelectorAll(".meter i").forEach((meter, which) => {
        const x = [starts.clean, starts.changed][which];
        sheet.pen.globalAlpha = 0.12;
        sheet.fill(sheet.ink, x, level - 10, bar, 11);
        sheet.pen.globalAlpha = 1;
        sheet.fill(colour, x, level - 10, (bar * parseFloat(meter.style.width)) / 100, 11);
        sheet.write(shares[which].textContent, x + bar + 6, level, 14, weight, number - 8);
      });
    });
    sheet.write(part.querySelector(".says").textContent, starts.verdict, y + 10, 15, 600);
    sheet.write(part.querySelector(".count").textContent, starts.verdict, y + 32, 14);
  });
  sheet.write(root.querySelector(".checked").textContent, margin, height - margin, 13);
  sheet.save("answers.png");
}
