// One entry of the history a page. Streamlit adds an entry each time that it writes the address, so
// Back went through every move of a control and changed nothing but the address. Only another page
// gets an entry of its own. `serve.py` puts this before Streamlit's scripts, for the address is
// written for the first time before any component is there.
if (!Object.hasOwn(history, "pushState")) {
  const { pushState, replaceState } = History.prototype;
  history.pushState = (state, unused, url) => {
    const samePage = new URL(url ?? "", location.href).pathname === location.pathname;
    (samePage ? replaceState : pushState).call(history, state, unused, url);
  };
}
