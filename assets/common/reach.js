// Lets the Tab key reach a box that is narrower than what it holds, so that arrow keys scroll it.
function reach(box) {
  if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  else box.removeAttribute("tabindex");
}
