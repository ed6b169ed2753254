// Starts the page: shows the earlier generations, and finds those again that were under way when it was left.

keyFromAddress()
for (const generation of [...generations].reverse()) showGeneration(generation)
showCount()
if (generations.length > 0) fillForm({ ...generations[0].request, seed: undefined })

for (const generation of generations) {
  if (isEnded(generation)) continue
  void (generation.recordId === undefined ? search(generation) : resume(generation))
}

loadModels().catch(() => {
  // The form works with the model that it has.
})

// A link with another key, opened while the page is.
addEventListener("hashchange", () => {
  keyFromAddress()
  location.reload()
})
