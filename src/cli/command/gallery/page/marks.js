// The marks of a directory last in the browser's storage. Without storage, they last as long as the page.

const marksKey = `effect-arta marks ${gallery.id}`

const loadMarks = () => {
  try {
    return JSON.parse(localStorage.getItem(marksKey) ?? "[]")
  } catch {
    return []
  }
}

let marks = new Set(loadMarks())

const showMark = (button, file) => button.setAttribute("aria-pressed", String(marks.has(file)))

const toggleMark = (file) => {
  // Another tab may have marked images since.
  marks = new Set([...marks, ...loadMarks()])
  if (!marks.delete(file)) marks.add(file)
  try {
    localStorage.setItem(marksKey, JSON.stringify([...marks]))
  } catch {
    // A browser may forbid storage for pages from the disk.
  }
}
