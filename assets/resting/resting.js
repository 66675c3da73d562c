// Asks for what is drawn once the hand rests: when the page has named another state as due than the
// one that was drawn, and nothing has been touched for a while. What does not come is asked for again.

const LOOKS = 100; // milliseconds
const PATIENCE = 4000;
const TOUCHES = ["input", "keydown", "pointerdown", "pointermove", "pointerup", "pointercancel"];
const looking = new WeakMap();
let [touched, held] = [0, false];

// A mouse that only passes by touches nothing, and one that holds something does not rest.
const touch = (event) => {
  if (event.type === "pointermove" && !held) return;
  if ("buttons" in event) held = event.buttons > 0;
  touched = Date.now();
};
for (const kind of TOUCHES) addEventListener(kind, touch, true);

export default function mount({ data, parentElement, setTriggerValue }) {
  const { due: drawn, rests } = data;
  let [due, since, asked] = [drawn, 0, 0];
  const look = () => {
    const [named, now] = [document.querySelector("[data-due]")?.dataset.due ?? drawn, Date.now()];
    if (named !== due) [due, since, asked] = [named, now, 0];
    if (held || due === drawn || now - Math.max(since, touched) < rests || now - asked < PATIENCE) return;
    asked = now;
    setTriggerValue("rested", now);
  };
  clearInterval(looking.get(parentElement));
  looking.set(parentElement, setInterval(look, LOOKS));
  parentElement.querySelector(".resting").dataset.drawn = drawn;
  return () => parentElement.isConnected || clearInterval(looking.get(parentElement));
}
