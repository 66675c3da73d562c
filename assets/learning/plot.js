// One chart on a canvas: axes, lines, a cursor. It draws what it is given and keeps nothing.

const MARGIN = { left: 52, right: 14, top: 10, bottom: 46 };
const SMOOTHED = 10;

// Mean of the last values up to each step, which are fewer at the start; null where there is none.
function runningMean(values, count = SMOOTHED) {
  const means = [];
  let sum = 0;
  const kept = [];
  for (const value of values) {
    kept.push(value);
    sum += value;
    if (kept.length > count) sum -= kept.shift();
    means.push(sum / kept.length);
  }
  return means;
}

// Round steps of an axis: 1, 2 or 5 times a power of ten, at most `most` of them.
function ticks(low, high, most) {
  const rough = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) found.push(i * step);
  return found;
}

function powers(low, high) {
  const found = [];
  for (let power = Math.ceil(Math.log10(low)); power <= Math.log10(high) + 1e-9; power++) found.push(10 ** power);
  const every = Math.ceil(found.length / 5);
  return found.filter((_, i) => (found.length - 1 - i) % every === 0);
}

const number = (value) => String(Number(value.toPrecision(6)));
const short = (value) => (value < 1e-4 ? value.toExponential(0) : number(value));

class Plot {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
  }

  // Places in CSS pixels.
  get width() {
    return this.canvas.clientWidth;
  }

  get height() {
    return this.canvas.clientHeight;
  }

  x(step) {
    return MARGIN.left + (step / this.steps) * (this.width - MARGIN.left - MARGIN.right);
  }

  y(value) {
    const { low, high, logarithmic } = this.axis;
    const share = logarithmic
      ? (Math.log(Math.max(value, low)) - Math.log(low)) / (Math.log(high) - Math.log(low))
      : (value - low) / (high - low);
    return this.height - MARGIN.bottom - Math.min(Math.max(share, 0), 1) * (this.height - MARGIN.top - MARGIN.bottom);
  }

  stepAt(x) {
    const share = (x - MARGIN.left) / (this.width - MARGIN.left - MARGIN.right);
    return Math.round(Math.min(Math.max(share, 0), 1) * this.steps);
  }

  // `lines`: { steps, values, colour, dash, width, alpha }; `axis`: { low, high, logarithmic, percent }.
  draw({ lines, axis, steps, cursor, theme, label }) {
    Object.assign(this, { axis, steps });
    const { context, canvas } = this;
    const scale = window.devicePixelRatio || 1;
    const size = [Math.round(this.width * scale), Math.round(this.height * scale)];
    if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    this.frame(theme, label);
    context.save();
    context.beginPath();
    context.rect(MARGIN.left - 4, MARGIN.top - 5, this.width - MARGIN.left - MARGIN.right + 8, this.height - MARGIN.top - MARGIN.bottom + 10);
    context.clip();
    if (cursor !== null) this.rule(cursor, theme);
    for (const line of lines) this.line(line);
    if (cursor !== null) for (const line of lines) this.dot(line, cursor, theme);
    context.restore();
  }

  frame(theme, label) {
    const { context, axis } = this;
    const [left, right] = [MARGIN.left, this.width - MARGIN.right];
    context.font = theme.font;
    context.lineWidth = 1;
    context.textBaseline = "middle";
    context.textAlign = "right";
    const across = axis.logarithmic ? powers(axis.low, axis.high) : ticks(axis.low, axis.high, 5);
    for (const value of across) {
      const y = Math.round(this.y(value)) + 0.5;
      context.strokeStyle = theme.line;
      context.beginPath();
      context.moveTo(left, y);
      context.lineTo(right, y);
      context.stroke();
      context.fillStyle = theme.ink;
      context.fillText(axis.percent ? `${number(value * 100)} %` : axis.logarithmic ? short(value) : number(value), left - 7, y);
    }
    context.textAlign = "center";
    context.textBaseline = "top";
    const below = this.height - MARGIN.bottom + 6;
    for (const step of ticks(0, this.steps, this.width < 420 ? 4 : 6)) context.fillText(number(step), this.x(step), below);
    context.fillText(label, (left + right) / 2, below + theme.size * 1.1);
  }

  line({ steps, values, colour, dash, width, alpha }) {
    const { context } = this;
    context.strokeStyle = colour;
    context.fillStyle = colour;
    context.globalAlpha = alpha ?? 1;
    context.lineWidth = width ?? 2;
    context.setLineDash(dash ?? []);
    context.lineJoin = "round";
    context.beginPath();
    let open = false;
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      if (!Number.isFinite(value)) open = false;
      else if (open) context.lineTo(this.x(steps ? steps[i] : i), this.y(value));
      else {
        context.moveTo(this.x(steps ? steps[i] : i), this.y(value));
        open = true;
      }
    }
    context.stroke();
    context.setLineDash([]);
    const last = values.length - 1;
    if (last >= 0 && Number.isFinite(values[last])) this.point(steps ? steps[last] : last, values[last], (width ?? 2) * 1.4);
    context.globalAlpha = 1;
  }

  point(step, value, radius) {
    this.context.beginPath();
    this.context.arc(this.x(step), this.y(value), radius, 0, 2 * Math.PI);
    this.context.fill();
  }

  rule(cursor, theme) {
    const { context } = this;
    context.strokeStyle = theme.ink;
    context.globalAlpha = 0.6;
    context.lineWidth = 1;
    const x = Math.round(this.x(cursor)) + 0.5;
    context.beginPath();
    context.moveTo(x, MARGIN.top);
    context.lineTo(x, this.height - MARGIN.bottom);
    context.stroke();
    context.globalAlpha = 1;
  }

  dot({ steps, values, colour, alpha, faint }, cursor, theme) {
    if (faint) return;
    const index = steps ? steps.findLastIndex((step) => step <= cursor) : cursor;
    if (!Number.isFinite(values[index])) return;
    const { context } = this;
    context.globalAlpha = alpha ?? 1;
    context.fillStyle = theme.paper;
    const step = steps ? steps[index] : index;
    this.point(step, values[index], 5);
    context.fillStyle = colour;
    this.point(step, values[index], 3.5);
    context.globalAlpha = 1;
  }
}
