// What is done to the picture, as hybridpool.answer.Change does it: the same numbers from the same
// draw, which Python sends once a seed.

function moved(picture, { rows, columns }) {
  const { height, width } = picture;
  const data = picture.data.map((_, place) => {
    const row = ((place / width) | 0) % height;
    const from = place - row * width - (place % width);
    const y = (((row - rows) % height) + height) % height;
    const x = (((place % width) - columns) % width + width) % width;
    return picture.data[from + y * width + x];
  });
  return { ...picture, data };
}

function changedPicture(picture, view, box, draw) {
  if (view.action === "shift") return moved(picture, view);
  const { data, height, width } = picture;
  const given = { draw, height, width, means: channelMeans(picture) };
  const change = () => {
    if (view.action === "occlusion") return covered(data, box, { ...view, ...given });
    // What cannot be scaled comes as the picture that it makes, and changes once the hand lets go.
    return view.noise === "poisson" ? draw : CHANGES[view.noise](data, view.level, given);
  };
  return { ...picture, data: change() };
}
