// What every part of the page uses to find and make elements.

const find = (selector, parent = document) => parent.querySelector(selector)

const create = (name, attributes = {}, ...children) => {
  const element = document.createElement(name)
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value)
  element.append(...children)
  return element
}

const button = (label, onClick, attributes = {}) => {
  const element = create("button", { type: "button", ...attributes }, label)
  element.addEventListener("click", onClick)
  return element
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Tells users of screen readers what the page shows by itself. */
const announce = (text) => {
  find("#news").textContent = text
}

const plural = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`
