// Networks on their way: read once, and kept where the rows find them. They are no part of the
// message of the rows, so that they travel once and not with every picture.

class Carrier extends Component {
  load({ header, arrays }) {
    const kept = (globalThis.hybridpoolNetworks ??= new Map());
    for (const network of header.networks) {
      if (kept.has(network.key)) continue;
      const own = network.chosen.map((name) => numbers(arrays[name], header.arrays[name].dtype));
      kept.set(network.key, { ...network, steps: prepared(network.look, own) });
    }
    window.dispatchEvent(new Event("hybridpool-networks"));
  }
}

export default mounting(Carrier);
