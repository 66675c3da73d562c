// Asks for what is drawn once the hand rests: when the page has named another state as due than the
// one that was drawn, and nothing has been touched for a while. What does not come is asked for again.

const LOOKS = 100; // milliseconds
const PATIENCE = 4000;
const TOUCHES = ["input", "keydown", "pointerdown", "pointermove", "pointerup"];
const looking = new WeakMap();
let touched = 0;

// A mouse that only passes by touches nothing.
const touch = ({ type, buttons }) => {
  if (type !== "pointermove" || buttons) touched = Date.now();
};
for (const kind of TOUCHES) addEventListener(kind, touch, true);

export default function mount({ data, parentElement, setTriggerValue }) {
  const { due: drawn, rests } = data;
  let [due, since, asked] = [drawn, 0, 0];
  const look = () => {
    const [named, now] = [document.querySelector("[data-due]")?.dataset.due ?? drawn, Date.now()];
    if (named !== due) [due, since, asked] = [named, now, 0];
    if (due === drawn || now - Math.max(since, touched) < rests || now - asked < PATIENCE) return;
    asked = now;
    setTriggerValue("rested", now);
  };
  clearInterval(looking.get(parentElement));
  looking.set(parentElement, setInterval(look, LOOKS));
  parentElement.querySelector(".resting").dataset.drawn = drawn;
  return () => parentElement.isConnected || clearInterval(looking.get(parentElement));
}
