// Contents in contents.ts has the fields.
const gallery = JSON.parse(find("#data").textContent)

/** The requests by id. Each image refers back to its request. */
const requests = new Map()
/** The images by file name. */
const images = new Map()

const addRequest = (request) => {
  for (const image of requests.get(request.id)?.images ?? []) images.delete(image.file)
  requests.delete(request.id)
  if (request.images.length === 0) return
  requests.set(request.id, request)
  for (const image of request.images) {
    image.request = request
    images.set(image.file, image)
  }
}

gallery.requests.forEach(addRequest)

const addressOf = ({ file }) => encodeURIComponent(file)
const titleOf = ({ file, request: { prompt = "" } }) => (prompt.trim() === "" ? file : prompt)
const sizeOf = ({ height, width }) => `${width} × ${height}`
const imageCount = (count) => `${count.toLocaleString("en")} ${count === 1 ? "image" : "images"}`
