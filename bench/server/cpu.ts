// Loaded into each measured process. Tells the processor time of its process so far, in milliseconds.
process.on("message", (message) => {
  if (message !== "cpu") return
  const { system, user } = process.cpuUsage()
  process.send?.((user + system) / 1000)
})
process.on("disconnect", () => process.exit())
