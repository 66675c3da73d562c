// While the hand moves the level or the occluder, the browser counts: picture, maps, differences,
// counts and outlines. When it lets go, PyTorch's rows take their place and are compared with it.

const FRAME = 24; // milliseconds that one frame may count
const ANSWER = 6000; // milliseconds after which an answer to something else is shown after all

const Living = (Base) => class extends Base {
  // ---- messages ---------------------------------------------------------------------------

  load(message) {
    const known = this.base;
    const all = this.joined(message, "clean_max");
    if (!all) return this.tell("lack", {});
    all.header.steps = { ...this.base.header.steps, ...all.header.steps };
    all.arrays = unpackedMaps(all);
    if (this.base !== known) Object.assign(this, { passage: null, live: null, moving: false });
    else if (this.moving && this.wanted !== keyOf(all.header)) return this.later(all);
    this.settle(all);
  }

  // The hand was quicker than this answer: it is shown if none to what the hand wants comes.
  later(all) {
    this.rest = all;
    this.soon("answer", () => (this.holding ? this.later(all) : this.settle(all)), ANSWER);
  }

  // What PyTorch says is on the screen.
  settle(all) {
    clearTimeout(this.waiting.answer);
    this.apart = this.moving && this.countedFor === keyOf(all.header) ? this.distance(all.arrays) : null;
    Object.assign(this, { moving: false, work: null, asked: null, rest: all });
    this.keep(all.header);
    super.load(all);
    this.shown();
    this.showJudged();
  }

  // ---- the hand ---------------------------------------------------------------------------

  // Counts with another level or occluder in the next frame.
  follow(change) {
    if (!this.rest.header.live) return;
    Object.assign(this, { wanted: keyOf({ ...this.rest.header, ...change }), change });
    if (!this.rest.header.live.follows) return;
    this.moving = true;
    this.showJudged();
    this.dirty("live");
  }

  // The hand let go: where it began, the rows go back to what PyTorch said of it.
  letGo(name, value) {
    this.holding = false;
    if (this.wanted === keyOf(this.rest.header) && !this.asked) return this.settle(this.rest);
    this.asked = this.wanted;
    this.tell(name, value);
  }

  count() {
    if (!this.moving) return;
    this.passage ??= this.through();
    const { image, box } = this.changedPicture();
    const changed = this.passage.begin(image);
    const before = this.live ?? this.clean;
    for (const name of ["max", "average", "means"]) changed[name].set(before[name]);
    const order = new Set([this.view.channel, ...Array(this.channels).keys()]);
    this.work = { image, changed, box, part: box && this.passage.seeing(box), order: [...order] };
    this.goOn();
  }

  // The channel that is shown first; the others in this frame if there is time, else in the next.
  goOn() {
    if (!this.moving || !this.work) return;
    const { image, changed, part, order, box } = this.work;
    const end = performance.now() + FRAME;
    do {
      const channel = order.shift();
      if (!this.clean.done.has(channel)) this.passage.run(this.clean, channel);
      this.passage.run(changed, channel, part, this.clean);
      this.measure(changed, channel);
    } while (order.length && performance.now() < end);
    const all = !order.length;
    if (all || !this.video) {
      this.paintPicture("changed", bytesOf(image));
      this.compareIn(changed, box, all ? [...Array(this.channels).keys()] : [this.view.channel]);
    }
    if (!all) return this.dirty("rest");
    this.live = changed;
    this.work = null;
    this.countedFor = keyOf(this.header);
  }

  // ---- counting ---------------------------------------------------------------------------

  through() {
    const { header, arrays } = this.rest;
    const { stem, window } = header;
    const weights = { filter: arrays.filter, bias: arrays.bias };
    for (const name of ["inner", "innerBias", "outer", "outerBias"]) weights[name] = arrays[name];
    this.picture = arrays.picture;
    this.draw = arrays.draw ?? null;
    this.means = header.live.means;
    const passage = new Passage({ ...stem, ...header.live.stem }, { ...window, ...header.live.window },
      weights, header.image_shape);
    this.clean = passage.begin(this.picture);
    this.live = null;
    this.found = {
      apart: [],
      known: [],
      cells: arrays.cells.slice(),
      winners_clean: arrays.winners_clean.slice(),
      winners_changed: arrays.winners_changed.slice(),
      tops: { clean: [], changed: [], pooled: [] },
    };
    return passage;
  }

  changedPicture() {
    const { live, image_shape: [height, width], view } = this.rest.header;
    const given = { draw: this.draw, means: this.means, height, width, fill: view.fill, shape: view.shape };
    const { level, box } = this.change;
    if (view.kind === "occlusion") return { image: covered(this.picture, box, given), box };
    return { image: CHANGES[live.noise](this.picture, level, given), box: null };
  }

  // The largest values of a channel: nothing is below zero, so that they are the maps' ranges.
  measure(changed, channel) {
    const { passage, clean, found: { tops } } = this;
    const largest = (values, count) =>
      values.subarray(channel * count, (channel + 1) * count).reduce((a, b) => Math.max(a, b), 0);
    tops.clean[channel] = largest(clean.features, passage.plane);
    tops.changed[channel] = largest(changed.features, passage.plane);
    tops.pooled[channel] = Math.max(largest(clean.max, passage.count), largest(changed.max, passage.count));
  }

  // What Python says of a changed picture, for these channels.
  compareIn(changed, box, channels) {
    const { passage, clean, found } = this;
    const { header, arrays } = this.rest;
    const rounding = Object.fromEntries(Object.entries(found.tops).map(([name, tops]) =>
      [name, ROUNDING * tops.reduce((a, b) => Math.max(a, b), 0)]));
    const attention = { clean: passage.attention(clean), changed: passage.attention(changed) };
    if (clean.done.size < this.channels) attention.clean = header.attention.clean;
    for (const channel of channels) {
      const weights = [attention.clean[channel], attention.changed[channel]];
      found.apart[channel] = apart(clean, changed, channel, passage.count, weights, rounding.pooled, found.cells);
      if (found.known[channel] !== rounding.clean) {
        passage.winners(clean, channel, rounding.clean, found.winners_clean);
        found.known[channel] = rounding.clean;
      }
      passage.winners(changed, channel, rounding.changed, found.winners_changed);
    }
    this.header = { ...header, ...this.numbers(attention, channels), ...this.change };
    this.arrays = {
      ...arrays,
      ...{ clean_max: clean.max, clean_average: clean.average },
      ...{ changed_max: changed.max, changed_average: changed.average },
      ...{ cells: found.cells, winners_clean: found.winners_clean, winners_changed: found.winners_changed },
      ...(box ? { reached: passage.reached(box, header.view.shape) } : {}),
    };
  }

  // The numbers of these channels; the others keep what is said of them.
  numbers(attention, channels) {
    const { header, passage: { count }, found } = this;
    const { apart: list, winners_clean: was, winners_changed: is } = found;
    const each = (before, of) => {
      const values = [...before];
      for (const channel of channels) values[channel] = of(list[channel], channel);
      return values;
    };
    const counted = (tells) => (_, channel) => {
      let sum = 0;
      for (let i = channel * count; i < (channel + 1) * count; i++) if (was[i] !== TIE && tells(i)) sum++;
      return sum;
    };
    const { largest, winners } = header;
    return {
      attention,
      largest: Object.fromEntries(Object.keys(largest).map((name) =>
        [name, each(largest[name], (one) => one.largest[name])])),
      size: each(header.size, ({ size }) => size),
      moved: each(header.moved, ({ moved }) => moved),
      size_attention: each(header.size_attention, ({ size }) => size[3]),
      moved_attention: each(header.moved_attention, ({ moved }) => moved[3]),
      reach: each(header.reach, (one) => Math.max(...Object.values(one.largest))),
      low: each(header.low, ({ low }) => low),
      high: each(header.high, ({ high }) => high),
      winners: {
        windows: each(winners.windows, counted(() => true)),
        changed: each(winners.changed, counted((i) => was[i] !== is[i])),
      },
    };
  }

  // ---- the judge --------------------------------------------------------------------------

  // The largest distance of what was counted from what PyTorch says of the same.
  distance(arrays) {
    let most = 0;
    for (const name of ["max", "average"]) {
      const [ours, theirs] = [this.live[name], arrays[`changed_${name}`]];
      for (let i = 0; i < ours.length; i++) most = Math.max(most, Math.abs(ours[i] - theirs[i]));
    }
    return most;
  }

  showJudged() {
    const { header } = this.rest;
    const { words, live, steps } = header;
    this.$(".judged").hidden = !live;
    if (!live) return;
    const step = Math.max(...steps.changed.high.map((high, i) => (high - steps.changed.low[i]) / FULL));
    const checked = this.apart === null ? words.by_pytorch : words.checked;
    const said = this.moving ? words.moving : live.follows ? checked : live.on_release;
    this.$(".judged").textContent = said.replace("{device}", live.device)
      .replace("{difference}", atMost(this.apart)).replace("{step}", atMost(step));
  }
};

// What is done to the picture, as a text that tells one from another.
function keyOf({ level, box, view }) {
  if (view.kind !== "occlusion") return String(level);
  return [view.fill, view.shape, box.top, box.left, box.height, box.width].join();
}

// Maps as numbers instead of steps: the engine's are numbers too.
function unpackedMaps({ header, arrays }) {
  const maps = { ...arrays };
  for (const side of ["clean", "changed"]) {
    const { low, high } = header.steps[side];
    const count = arrays[`${side}_max`].length / low.length;
    for (const name of [`${side}_max`, `${side}_average`]) {
      maps[name] = floats(arrays[name], (step, i) => {
        const channel = (i / count) | 0;
        return low[channel] + ((high[channel] - low[channel]) / FULL) * step;
      });
    }
  }
  return maps;
}
