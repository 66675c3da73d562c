// The link of this moment: copied, or as a code that a phone reads. Python draws the code.

class Share extends Component {
  constructor(root) {
    super(root);
    this.$(".copy").addEventListener("click", () => this.copy());
    this.$(".ask").addEventListener("click", () => this.tell("code", { address: this.shown ? "" : location.href }));
  }

  load({ header }) {
    this.header = header;
    this.label(header);
    this.shown = Boolean(header.svg);
    this.$(".code").hidden = !this.shown;
    this.$(".picture").innerHTML = header.svg;
    this.$("figcaption").textContent = header.note;
    this.$(".ask").setAttribute("aria-expanded", String(this.shown));
    this.$(".copied").textContent = "";
    this.$(".address").hidden = true;
  }

  // Browsers give the clipboard to pages of this machine or over https alone.
  async copy() {
    const { words } = this.header;
    try {
      await navigator.clipboard.writeText(location.href);
      this.$(".copied").textContent = words.copied;
    } catch {
      const field = this.$(".address");
      field.hidden = false;
      field.value = location.href;
      field.select();
      this.$(".copied").textContent = words.select;
    }
  }
}

export default mounting(Share);
