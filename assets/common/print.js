// Numbers as the page prints them.

const MINUS = "\u2212";

// So many decimals, a true minus sign, and no minus before what is printed as zero.
function fixed(value, decimals = 3) {
  return value.toFixed(decimals).replace("-", MINUS).replace(/^\u2212(0(\.0*)?)$/, "$1");
}

// The number that `fixed` prints.
const rounded = (value, decimals = 3) => Number(value.toFixed(decimals));

// A share of 1 in a sum: up to four decimals, so that the sum is right to its third, at least two.
const share = (value) => value.toFixed(4).replace(/0{1,2}$/, "");

// "=" where two numbers are the same, and the sign for "about" where one of them was rounded.
const agree = (one, other) => (Math.abs(one - other) < 1e-9 * Math.max(1, Math.abs(other)) ? "=" : "\u2248");

// A change, with its sign.
const signed = (value, decimals = 3) => (Number(value.toFixed(decimals)) > 0 ? "+" : "") + fixed(value, decimals);

function percent(share) {
  if (!Number.isFinite(share)) return share > 0 ? "\u221e" : "\u2013";
  return `${fixed(100 * share, 1)} %`;
}

// A number so small that only its first digit matters, rounded up and without an exponent.
function atMost(value) {
  if (!(value > 0)) return "0";
  const decimals = Math.max(Math.ceil(-Math.log10(value)), 1);
  return (Math.ceil(value * 10 ** decimals) / 10 ** decimals).toFixed(decimals);
}

// A cell counts from 1 where a person reads it.
const place = (template, row, column) => template.replace("{row}", row + 1).replace("{column}", column + 1);

// A number inside a sum or a product: in brackets if it has a minus.
const bracketed = (text) => (text.startsWith(MINUS) ? `(${text})` : text);
