// The inspector in a file of its own: no server answers, so the engine computes all of it.

// Base64 of what was packed small, back to bytes.
async function inflated(text) {
  const packed = Uint8Array.from(atob(text.trim()), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// The inspector in the place that the file has for it. `heard(name, value)` is what a server hears.
function inspectorIn(place, heard = () => {}) {
  const inspector = new Inspector(place.shadowRoot.querySelector(".component"));
  inspector.setState = inspector.trigger = heard;
  return inspector;
}
