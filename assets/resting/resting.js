// Asks for what is drawn once the hand rests: when the page has named another state as due than the
// one that was drawn, and nothing has been touched for a while.

const LOOKS = 100; // milliseconds
const TOUCHES = ["input", "keydown", "pointerdown", "pointermove", "pointerup", "pointercancel"];
let [touched, held] = [0, false];

// A mouse that only passes by touches nothing, and one that holds something does not rest.
const touch = (event) => {
  if (event.type === "pointermove" && !held) return;
  if ("buttons" in event) held = event.buttons > 0;
  touched = Date.now();
};
for (const kind of TOUCHES) addEventListener(kind, touch, true);

class Resting extends Component {
  constructor(root) {
    super(root);
    this.looking = setInterval(() => this.look(), LOOKS);
  }

  load({ header }) {
    [this.drawn, this.rests] = [header.due, header.rests];
    this.root.dataset.drawn = this.drawn;
  }

  look() {
    const [due, now] = [document.querySelector("[data-due]")?.dataset.due ?? this.drawn, Date.now()];
    if (due !== this.due) [this.due, this.since, this.asked] = [due, now, false];
    if (held || due === this.drawn || this.asked) return;
    if (now - Math.max(this.since, touched) < this.rests) return;
    this.asked = true;
    this.tell("rested", {});
  }

  dispose() {
    super.dispose();
    clearInterval(this.looking);
  }
}

export default mounting(Resting);
