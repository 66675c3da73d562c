// What the race has sent so far. Each message holds the steps from `from` on; messages overlap, since
// a busy browser may skip one, and what was sent before is simply written again.

class History {
  constructor(header) {
    this.run = header.run;
    this.arms = header.arms.length;
    this.channels = header.channels;
    this.classes = header.classes.length;
    this.length = 0;
    const rows = (count) => Array.from({ length: count }, () => []);
    this.weight = rows(this.arms);
    this.gradient = rows(this.arms);
    this.loss = rows(this.arms);
    this.channel = rows(this.channels);
    this.measured = [];
    this.train = rows(this.arms);
    this.test = rows(this.arms);
    this.attention = [];
  }

  // Whether nothing is missing between what is known and what comes.
  fits({ run, from }) {
    return run === this.run && from <= this.length;
  }

  add(header, arrays) {
    const read = (name) => new Float32Array(arrays[name].buffer);
    const write = (rows, values, at) => {
      for (let i = 0; i < values.length; i++) rows[i % rows.length][at + Math.floor(i / rows.length)] = values[i];
    };
    write(this.weight, read("weight"), header.from);
    write(this.gradient, read("gradient"), header.from);
    write(this.loss, read("loss"), header.from);
    if (this.channels) write(this.channel, read("channel"), header.from);
    const steps = read("measured");
    const first = steps.length ? this.measured.findIndex((step) => step >= steps[0]) : -1;
    const at = first < 0 ? this.measured.length : first;
    for (const [i, step] of steps.entries()) this.measured[at + i] = step;
    write(this.train, read("train"), at);
    write(this.test, read("test"), at);
    const values = read("attention");
    const size = this.classes * header.attention_channels;
    for (let i = 0; i < steps.length; i++) this.attention[at + i] = values.slice(i * size, (i + 1) * size);
    this.length = Math.max(this.length, header.from + header.count);
  }

  // The last measurement at or before a step.
  measurementAt(step) {
    return this.measured.findLastIndex((measured) => measured <= step);
  }
}
