// The form for a new generation.

const form = find("#form")
const ratios = ["1:1", "4:3", "3:4", "3:2", "2:3", "16:9", "9:16"]
const defaultModel = "flux"

for (const ratio of ratios) {
  const field = create("input", { type: "radio", name: "ratio", value: ratio, class: "unseen" })
  field.checked = ratio === "1:1"
  find(".choices").append(
    create("label", {}, field, create("span", {}, outlineOf(ratioOf({ request: { aspect_ratio: ratio } })), ratio))
  )
}
for (let n = 1; n <= 8; n += 1) find("#n").append(create("option", { value: String(n) }, String(n)))
find("#model").append(create("option", { value: defaultModel }, defaultModel))

const aliasOf = (model) => model.toLowerCase().replace(/[ _]/g, "-")

/** Adds a ratio that an earlier generation had. */
const chooseRatio = (ratio) => {
  const field = find(`[name=ratio][value="${CSS.escape(ratio)}"]`)
  if (field !== null) field.checked = true
}

const chooseModel = (model) => {
  const field = find("#model")
  const alias = aliasOf(model)
  if (![...field.options].some(({ value }) => value === alias)) field.append(create("option", { value: alias }, alias))
  field.value = alias
}

const fillForm = ({
  aspect_ratio: ratio,
  guidance_scale: guidance,
  model,
  n,
  negative_prompt: negative,
  prompt,
  seed,
  steps
}) => {
  find("#prompt").value = prompt
  find("#seed").value = seed ?? ""
  find("#n").value = String(n ?? 1)
  find("#negative").value = negative ?? ""
  find("#steps").value = steps ?? ""
  find("#guidance").value = guidance ?? ""
  if (ratio !== undefined) chooseRatio(ratio)
  if (model !== undefined) chooseModel(model)
}

if (/Mac|iP/.test(navigator.platform)) find(".hint kbd").textContent = "⌘"

const numberOf = (selector) => {
  const { value } = find(selector)
  return value === "" ? undefined : Number(value)
}

const requestFromForm = () => ({
  prompt: find("#prompt").value.trim(),
  model: find("#model").value,
  n: Number(find("#n").value),
  aspect_ratio: find("[name=ratio]:checked").value,
  seed: numberOf("#seed") ?? randomSeed(),
  negative_prompt: find("#negative").value.trim() || undefined,
  steps: numberOf("#steps"),
  guidance_scale: numberOf("#guidance")
})

form.addEventListener("submit", (event) => {
  event.preventDefault()
  if (find("#prompt").value.trim() === "") return find("#prompt").focus()
  start(requestFromForm())
  cards.firstElementChild?.scrollIntoView({ block: "nearest" })
})

form.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.repeat) return
  event.preventDefault()
  form.requestSubmit()
})

const loadModels = async () => {
  const { data } = await getJson("/v1/models")
  const field = find("#model")
  const chosen = field.value
  field.replaceChildren(...data.map(({ id }) => create("option", { value: id }, id)))
  chooseModel(chosen)
}
