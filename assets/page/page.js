// What holds on every page: the language of the document, and what only the browser knows: what it
// withholds from this page, and that the server forgot the session.

// When the server is away, Streamlit's dialog makes all of the page inert, dials included. A line of
// ours says the same, so the dialog is closed.
function keepTheDialAlive() {
  const app = document.querySelector(".stApp");
  if (!app || app.dataset.testConnectionState === "CONNECTED") return;
  document.querySelector('[data-testid="stDialog"] button[aria-label="Close"]')?.click();
}

function watch() {
  if (window.hybridpoolWatch) return;
  // A table that is wider than its column scrolls sideways, and Streamlit lets only a hand do that.
  // Fonts and style sheets change the widths too, without a change of the document.
  const boxOf = (table) => table.closest('[data-testid="stMarkdownContainer"]');
  const widths = new ResizeObserver((changed) => {
    for (const { target } of changed) if (target.isConnected) reach(boxOf(target));
  });
  const look = () => {
    keepTheDialAlive();
    for (const table of document.querySelectorAll('[data-testid="stMarkdownContainer"] table')) {
      widths.observe(table);
      widths.observe(boxOf(table));
    }
  };
  look();
  window.hybridpoolWatch = new MutationObserver(look);
  window.hybridpoolWatch.observe(document.body, { childList: true, subtree: true });
}

// Streamlit checks every upload against a cookie, which browsers withhold from a frame of another
// site; and they give a camera to pages that come from this machine or over https alone.
async function withheld(hear) {
  const upload = window.top !== window && !document.cookie.includes("_streamlit_xsrf");
  if (!window.isSecureContext) return { upload, camera: "http" };
  try {
    const allowed = await navigator.permissions.query({ name: "camera" });
    allowed.onchange = hear;
    return { upload, camera: allowed.state === "denied" ? "denied" : "" };
  } catch {
    return { upload, camera: "" }; // A browser that does not say.
  }
}

export default function mount({ data, setStateValue }) {
  // Screen readers and fonts go by it, and Streamlit leaves it at English.
  document.documentElement.lang = data.language;
  watch();
  const before = window.hybridpoolSession;
  window.hybridpoolSession = data.session;
  if (before && before !== data.session) setStateValue("lost", data.session);
  const tell = async () => {
    const found = await withheld(tell);
    const { upload, camera } = data.withheld;
    if (found.upload !== upload || found.camera !== camera) setStateValue("withheld", found);
  };
  tell();
}
