// What holds on every page: the language of the document, and one entry of the history a page.

// Streamlit adds an entry each time that it writes the address, so Back went through every move of
// a control and changed nothing but the address. Only another page gets an entry of its own.
function keepOneEntryAPage() {
  const { pushState, replaceState } = History.prototype;
  if (Object.hasOwn(history, "pushState")) return;
  history.pushState = (state, unused, url) => {
    const samePage = new URL(url ?? "", location.href).pathname === location.pathname;
    (samePage ? replaceState : pushState).call(history, state, unused, url);
  };
}

export default function mount({ data }) {
  // Screen readers and fonts go by it, and Streamlit leaves it at English.
  document.documentElement.lang = data.language;
  keepOneEntryAPage();
}
