// Holds the place of a chart and says when the browser has painted what came with it.

export default function mount({ setTriggerValue }) {
  let over = false;
  const soon = window.requestIdleCallback ?? ((then) => setTimeout(then, 50));
  // Idle after a whole frame: what had to be painted is on the screen.
  soon(() => requestAnimationFrame(() => soon(() => over || setTriggerValue("painted", true))));
  return () => {
    over = true;
  };
}
