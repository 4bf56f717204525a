/* Makes an element equal to another one in place, so that focus, scroll position, open details and
   dialogs, ticked boxes and typed text survive. Children with an id keep their identity. */

const OPENED_BY_READER = ["DETAILS", "DIALOG"];

export function morph(old, fresh) {
  if (old.isEqualNode(fresh) || old.dataset?.liveKeep !== undefined) return;
  if (old.nodeName !== fresh.nodeName || old.nodeType !== Node.ELEMENT_NODE) {
    old.replaceWith(fresh);
    return;
  }
  for (const name of new Set([...old.getAttributeNames(), ...fresh.getAttributeNames()])) {
    if (name === "open" && OPENED_BY_READER.includes(old.nodeName)) continue;
    const value = fresh.getAttribute(name);
    if (value === null) old.removeAttribute(name);
    else if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  if (!old.isEqualNode(fresh)) morphChildren(old, fresh);
}

function morphChildren(old, fresh) {
  const wanted = new Set([...fresh.children].map((child) => child.id));
  const known = new Map([...old.children].map((child) => [child.id, child]));
  // What is gone leaves first: what stays need not move then, and keeps the focus.
  for (const [id, child] of known) if (id && !wanted.has(id)) child.remove();
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
  for (let next; place; place = next) {
    next = place.nextSibling;
    place.remove();
  }
}
