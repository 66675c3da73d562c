// The dial goes once through all that it can do: at the first visit, and when it is asked to.

const TIME = 3600; // milliseconds
const STRIDE = 100; // milliseconds that one frame takes the dial on, however late it comes
const SEEN = "hybridpool-swept";
const TOUCHES = ["pointerdown", "keydown", "wheel"];

// Where the dial stands at a share of the way: from home to 0, to 1, and home again.
function sweepAt(share, home) {
  const smooth = (part) => part * part * (3 - 2 * part);
  const stops = [[0, home], [0.25, 0], [0.75, 1], [1, home]];
  const next = stops.findIndex(([at]) => share < at);
  if (next < 0) return home;
  const [[from, low], [to, high]] = [stops[next - 1], stops[next]];
  return low + (high - low) * smooth((share - from) / (to - from));
}

// Whether this tab sees the page for the first time; a browser may forbid us to remember.
function firstTime() {
  try {
    if (sessionStorage.getItem(SEEN)) return false;
    sessionStorage.setItem(SEEN, "1");
    return true;
  } catch {
    return false;
  }
}

const Sweeping = (Base) => class extends Base {
  listenToSweep() {
    this.$(".sweep").addEventListener("click", () => this.sweep());
    this.stopSweep = () => this.endSweep();
  }

  // A link that says where the dial or the cell stands is shown as it is.
  greet() {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (this.greeted || !firstTime()) return;
    this.greeted = true;
    if (still || this.view.weight !== null || this.view.pinned) return;
    this.waiting.sweep = setTimeout(() => this.sweep(), 1200);
    for (const name of TOUCHES) addEventListener(name, () => clearTimeout(this.waiting.sweep), { once: true, capture: true });
  }

  // Python never hears of it: the view keeps its weight, and only what is painted moves.
  sweep() {
    const began = performance.now();
    // The touch that asks for it has just stopped it.
    if (this.swept !== undefined || began - (this.ended ?? -Infinity) < 300) return;
    const home = this.weightOf("hybrid");
    let [last, gone] = [began, 0];
    const step = (now) => {
      gone += clip(now - last, 0, STRIDE);
      last = now;
      if (gone >= TIME) return this.endSweep();
      this.swept = sweepAt(gone / TIME, home);
      this.dirty("hybrid");
      this.sweepFrame = requestAnimationFrame(step);
    };
    this.swept = home;
    this.sweepFrame = requestAnimationFrame(step);
    for (const name of TOUCHES) addEventListener(name, this.stopSweep, { capture: true });
  }

  endSweep() {
    cancelAnimationFrame(this.sweepFrame);
    for (const name of TOUCHES) removeEventListener(name, this.stopSweep, { capture: true });
    if (this.swept === undefined) return;
    this.swept = undefined;
    this.ended = performance.now();
    this.dirty("hybrid");
  }

  dispose() {
    this.endSweep();
    super.dispose();
  }

  weightOf(name, channel = this.view.channel) {
    return name === "hybrid" && this.swept !== undefined ? this.swept : super.weightOf(name, channel);
  }
};
