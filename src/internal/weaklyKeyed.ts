/** Keeps a value for each key while the key lives. The first look-up makes it. */
export const weaklyKeyed = <V>(make: () => V): ((key: object) => V) => {
  const values = new WeakMap<object, V>()

  return (key) => {
    const value = values.get(key) ?? make()
    values.set(key, value)
    return value
  }
}
