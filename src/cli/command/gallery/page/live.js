// Follows the directory while `gallery --serve` runs. A page from the disk has no version and stays the same.

let { version } = gallery
const live = find(".live")
const pause = 1000

const showLive = (isConnected) => {
  live.hidden = false
  live.classList.toggle("lost", !isConnected)
  live.textContent = isConnected ? "Live" : "Not connected"
}

const apply = (changes) => {
  version = changes.version
  changes.requests.forEach(addRequest)
  updateAll()
  const image = images.get(shownFile)
  if (viewer.open && image !== undefined) show(image)
}

const poll = async () => {
  if (!document.hidden)
    try {
      const response = await fetch(`changes?since=${encodeURIComponent(version)}`)
      // The server was started again and may serve another directory.
      if (response.status === 410) return location.reload()
      if (response.status === 200) apply(await response.json())
      showLive(response.ok)
    } catch {
      showLive(false)
    }
  setTimeout(poll, pause)
}

if (version !== undefined) {
  showLive(true)
  setTimeout(poll, pause)
}
