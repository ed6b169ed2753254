"use strict"
// The scripts of a page share one scope: its template.ts joins them, this one first.

const find = (selector, within = document) => within.querySelector(selector)

/** Creates an element. Sets text only as text, so that no prompt can become HTML. */
const create = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  element.append(...children)
  return element
}
