// A saved page: one picture, one stem, and all that a hand can do with them.

async function begin() {
  const { header, arrays } = unpack(await inflated(document.querySelector("#message").textContent));
  const { picture, ...rest } = arrays;
  inspectorIn(document.querySelector("#inspector"))
    .load(messageOf(pictureOf(picture, header.image_shape), header, rest));
}

begin();
