// Shows the batches, and asks the server for news every two seconds. The view in statusView.ts has the fields.

const pause = 2000
const live = find(".live")
const list = find("#batches")

const states = [
  ["saved", "saved"],
  ["running", "running"],
  ["queued", "queued"],
  ["unknown", "unknown"],
  ["failed", "failed"],
  ["cancelled", "cancelled"]
]

const number = (value) => value.toLocaleString("en")
const plural = (count, noun) => `${number(count)} ${noun}${count === 1 ? "" : "s"}`

const timeText = (millis) => {
  const seconds = Math.ceil(millis / 1000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.ceil(seconds / 60)
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

const dateFormat = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" })
const time = (iso) => create("time", { datetime: iso }, dateFormat.format(new Date(iso)))

const totalOf = ({ rows }) => Object.values(rows).reduce((sum, count) => sum + count, 0)
const openOf = ({ rows }) => rows.queued + rows.running

/** A bar with a part for each state. The list below it says the same in words. */
const barOf = (batch) => {
  const bar = create("div", { class: "bar", "aria-hidden": "true" })
  for (const [state] of states) {
    if (batch.rows[state] === 0) continue
    const part = create("span", { class: state })
    part.style.setProperty("flex-grow", String(batch.rows[state]))
    bar.append(part)
  }
  return bar
}

const countsOf = (batch) => {
  const counts = create("dl", { class: "counts" })
  for (const [state, name] of states) {
    const count = batch.rows[state]
    if (count === 0 && state !== "saved") continue
    counts.append(create("div", { class: state }, create("dt", {}, name), create("dd", {}, number(count))))
  }
  return counts
}

const factsOf = (batch) => {
  const total = totalOf(batch)
  const facts = [plural(total, "row")]
  if (batch.cancelledAt !== undefined) facts.push("cancelled")
  else if (openOf(batch) === 0) facts.push("ended")
  if (batch.rate > 0)
    facts.push(`${batch.rate < 10 ? batch.rate.toFixed(1) : number(Math.round(batch.rate))} rows a second`)
  if (batch.timeLeft !== undefined) facts.push(`${timeText(batch.timeLeft)} left`)
  return create("p", { class: "facts" }, `${facts.join(" · ")} · enqueued `, time(batch.createdAt))
}

const failureOf = ({ at, error, message, name, row }) =>
  create(
    "tr",
    {},
    create("th", { scope: "row" }, number(row)),
    create("td", { dir: "auto" }, name),
    create("td", {}, create("span", { class: "error" }, error), " ", message),
    create("td", {}, time(at))
  )

const headings = ["Row", "Name", "Error", "Time"]

const failuresOf = ({ batch, failures }, wasOpen) => {
  if (failures.length === 0) return []
  const body = create("tbody", {}, ...failures.map(failureOf))
  const head = create("tr", {}, ...headings.map((heading) => create("th", { scope: "col" }, heading)))
  const scroll = create("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Failures of ${batch}` })
  scroll.append(create("table", {}, create("thead", {}, head), body))
  const details = create("details", {}, create("summary", {}, "Recent failures"), scroll)
  details.open = wasOpen
  return [details]
}

/** Draws a batch again only if something changed, so that focus and selection stay. */
const updateBatch = (batch, article) => {
  const text = JSON.stringify(batch)
  if (article.dataset.text === text) return
  article.dataset.text = text
  const before = find("details", article)
  const hadFocus = before !== null && before.contains(document.activeElement)
  const heading = create("h2", { id: article.getAttribute("aria-labelledby") }, create("bdi", {}, batch.batch))
  article.replaceChildren(
    heading,
    factsOf(batch),
    barOf(batch),
    countsOf(batch),
    ...failuresOf(batch, before?.open ?? false)
  )
  if (hadFocus) find("summary", article)?.focus()
}

let articleCount = 0

const articleOf = ({ batch }) => {
  articleCount += 1
  return create("article", { "data-batch": batch, "aria-labelledby": `batch-${articleCount}` })
}

const updateBatches = (batches) => {
  const articles = new Map([...list.children].map((article) => [article.dataset.batch, article]))
  const shown = batches.map((batch) => {
    const article = articles.get(batch.batch) ?? articleOf(batch)
    updateBatch(batch, article)
    return article
  })
  for (const article of articles.values()) if (!shown.includes(article)) article.remove()
  shown.forEach((article, index) => {
    if (list.children[index] !== article) list.insertBefore(article, list.children[index] ?? null)
  })
}

const runnerOf = ({ host, pid, running, startedAt }) =>
  create(
    "li",
    {},
    create("bdi", {}, host),
    create("span", {}, `process ${pid}`),
    create("span", {}, plural(running, "row")),
    create("span", {}, "since ", time(startedAt))
  )

const update = ({ batches, runners }) => {
  find("#empty").hidden = batches.length > 0
  find(".runners").hidden = batches.length === 0 && runners.length === 0
  find(".runners .notice").hidden = runners.length > 0 || !batches.some((batch) => openOf(batch) > 0)
  find(".runners ul").replaceChildren(...runners.map(runnerOf))
  updateBatches(batches)
}

/** The live region says only changes. */
const showLive = (text) => {
  live.classList.toggle("lost", text !== "Live")
  if (live.textContent !== text) live.textContent = text
}

const poll = async () => {
  if (!document.hidden)
    try {
      const response = await fetch("status")
      if (response.ok) update(await response.json())
      showLive(response.ok ? "Live" : "The database does not respond")
    } catch {
      showLive("Not connected")
    }
  setTimeout(poll, pause)
}

update(JSON.parse(find("#data").textContent))
showLive("Live")
setTimeout(poll, pause)
