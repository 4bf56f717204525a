/* Makes an element equal to another one in place, so that focus, scroll position, open details and
   dialogs, ticked boxes and typed text survive. Children with an id keep their identity. */

const OPENED_BY_READER = new Set(["DETAILS", "DIALOG"]);

export function morph(old, fresh) {
  if (old.isEqualNode(fresh) || old.dataset?.liveKeep !== undefined) return;
  if (old.nodeName !== fresh.nodeName || old.nodeType !== Node.ELEMENT_NODE) {
    old.replaceWith(fresh);
    return;
  }
  morphAttributes(old, fresh);
  if (!old.isEqualNode(fresh)) morphChildren(old, fresh);
}

function morphAttributes(old, fresh) {
  const kept = (name) => name === "open" && OPENED_BY_READER.has(old.nodeName);
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !kept(name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value && !kept(name)) old.setAttribute(name, value);
  }
}

function morphChildren(old, fresh) {
  const wanted = new Set([...fresh.children].map((child) => child.id));
  const known = new Map();
  for (const child of [...old.children]) {
    if (!child.id) continue;
    // What is gone leaves first: what stays need not move then, and keeps the focus.
    if (wanted.has(child.id)) known.set(child.id, child);
    else child.remove();
  }
  let place = old.firstChild;
  for (const want of [...fresh.childNodes]) {
    const have = want.id ? known.get(want.id) : place;
    if (!have || have.nodeName !== want.nodeName || (have.id ?? "") !== (want.id ?? "")) {
      old.insertBefore(want, place);
      continue;
    }
    if (have === place) place = place.nextSibling;
    else old.insertBefore(have, place);
    morph(have, want);
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}
